"""gdnsd's zone files become plain master files."""

from __future__ import annotations

import pytest

from gslb.zones.source import read_zone_text
from tests.unit.importers.gdnsd.cases import SOA, Converted

CONFIG = (
    "plugins => { multifo => { web => [ 192.0.2.1 ] } null => {}"
    " static => { s => 192.0.2.9, c => x.example.net. } }"
)


def test_what_only_gdnsd_reads_is_rewritten_and_the_rest_stays(tmp_path):
    made = Converted(
        tmp_path,
        CONFIG,
        "; a comment\nwww 300/60 DYNA multifo!web\n    MX 10 mail.@Z ; stays\nmail A 192.0.2.2\n",
    )
    assert "; a comment\n; www 300/60 DYNA multifo!web\n" in made.zone
    assert "www.example.com. MX 10 mail.example.com. ; stays\n" in made.zone
    assert made.zone.startswith("$TTL 86400\n")
    assert made.yaml("names")["www.example.com"]["ttl"] == {"max": 300, "min": 60}
    assert made.found == []


def test_includes_are_written_out_and_their_origins_end_with_them(tmp_path):
    made = Converted(
        tmp_path,
        CONFIG,
        "$INCLUDE inc/foo foo\nafter A 192.0.2.4\n",
        zones__inc__foo=(
            "$TTL 60\n$ORIGIN bar\nasdf A 192.0.2.1\n$ORIGIN baz.@F\nasdf A 192.0.2.2\n$ORIGIN quux.@Z\n"
            "asdf A 192.0.2.3\ndyn DYNA multifo!web\n"
        ),
    )
    zone = read_zone_text(str(tmp_path / "site/zones/example.com.zone"), "example.com.")
    assert zone.check()[0] == []
    text = "\n".join(made.records)
    assert (
        "$ORIGIN foo.example.com.\n$TTL 60\n$ORIGIN bar\nasdf A 192.0.2.1\n$ORIGIN baz.foo.example.com."
        in text
    )
    assert text.endswith("$ORIGIN example.com.\n$TTL 86400\nafter A 192.0.2.4")
    assert made.yaml("names")["dyn.quux.example.com"]["ttl"] == {"max": 60, "min": 30}


def test_ttls_are_clamped_as_gdnsd_does(tmp_path):
    made = Converted(
        tmp_path,
        "options => { min_ttl => 10, max_ttl => 3600, max_ncache_ttl => 100, zones_default_ttl => 9000 }\n"
        + CONFIG,
        "a 5 A 192.0.2.1\nb 1d A 192.0.2.2\nc 2h30m IN TXT x\n_acme-challenge TXT y\nd 1/1 DYNA "
        "multifo!web\n",
    )
    assert made.zone.startswith("$TTL 3600\n@ 100 SOA ns1 h 1 7200 1800 259200 600\n")
    assert made.records[3:] == [
        "a 10 A 192.0.2.1",
        "b 3600 A 192.0.2.2",
        "c 3600 IN TXT x",
        "_acme-challenge 0 TXT y",
    ]
    assert made.yaml("names")["d.example.com"]["ttl"] == 10
    assert [line.split()[-1] for line in made.found] == ["import-ttl"] * 4


def test_long_texts_are_split(tmp_path):
    made = Converted(tmp_path, CONFIG, f't TXT "{"a" * 250}\\065\\"{"b" * 260}" short\n')
    assert made.records[-1] == f't TXT "{"a" * 250}\\065\\"bbb" "{"b" * 255}" "bb" short'


def test_resources_that_never_change_become_records(tmp_path):
    made = Converted(tmp_path, CONFIG, "n 60 DYNA null\ns 60/60 DYNC static!s\nc 60 DYNC static!c\n  TXT x\n")
    assert made.records[3:] == [
        "n.example.com. 60 A 0.0.0.0",
        "n.example.com. 60 AAAA ::",
        "s.example.com. 60 A 192.0.2.9",
        "c.example.com. 60 CNAME x.example.net.",
        "  TXT x",
    ]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("x DYNA reflect!all", "error zones/example.com:4 import-invalid"),
        ("x DYNA multifo!none", "error zones/example.com:4 import-invalid"),
        ("x DYNA static!c", "error zones/example.com:4 import-cname"),
        ("x DYNA other!y", "error zones/example.com:4 import-plugin"),
        ("x DYNA", "error zones/example.com:4 import-record"),
        ("x 60", "error zones/example.com:4 import-record"),
        ("x\\032y DYNA multifo!web", "error zones/example.com:4 import-name"),
        ("$GENERATE 1-3 a A 192.0.2.1", "error zones/example.com:4 import-record"),
        ("$ADDR_LIMIT_V4 2", "warning zones/example.com:4 import-record"),
        ("$INCLUDE none", "error zones/example.com:4 import-unreadable"),
        ("$INCLUDE a\\000b", "error zones/example.com:4 import-unreadable"),
    ],
)
def test_what_cannot_be_carried_over_is_named_with_its_place(tmp_path, line, rule):
    assert Converted(tmp_path, CONFIG, line + "\n").found == [rule]


def test_zones_are_named_by_their_files(tmp_path):
    files = {f"zones__{name}": SOA for name in ("0@25.2.0.192.in-addr.arpa", ".hidden", "Example.ORG.")}
    made = Converted(tmp_path, CONFIG, **files)
    zones = {path.name: path.read_text().splitlines()[0] for path in (made.site / "zones").iterdir()}
    assert zones == {
        "0-25.2.0.192.in-addr.arpa.zone": "$ORIGIN 0/25.2.0.192.in-addr.arpa.",
        "example.com.zone": "$TTL 86400",
        "example.org.zone": "$TTL 86400",
    }
    read = read_zone_text(
        str(made.site / "zones/0-25.2.0.192.in-addr.arpa.zone"), "0-25.2.0.192.in-addr.arpa."
    )
    assert read.origin == "0/25.2.0.192.in-addr.arpa."


def test_zones_of_similar_names_have_files_of_their_own(tmp_path):
    files = {f"zones__{name}": SOA for name in ("0@25.test", "0-25.test")}
    made = Converted(tmp_path, CONFIG, **files)
    written = {path.name: path.read_text().splitlines()[0] for path in (made.site / "zones").glob("0*")}
    assert written == {"0-25.test.zone": "$TTL 86400", "0-25.test-2.zone": "$ORIGIN 0/25.test."}


@pytest.mark.parametrize("ignores", [False, True])
def test_reflect_is_a_name_that_reflects(tmp_path, ignores):
    config = (
        "options => { edns_client_subnet = false }\n" if ignores else ""
    ) + "plugins => { reflect => {} }"
    made = Converted(
        tmp_path, config, "a 300/20 DYNA reflect\nb 60 DYNC reflect!dns\nc 1 DYNA reflect!both\n"
    )
    rest = {"client_subnet": False} if ignores else {}
    assert made.yaml("names") == {
        "a.example.com": {"reflect": "best", "ttl": 300, **rest},
        "b.example.com": {"reflect": "dns", "ttl": 60, **rest},
        "c.example.com": {"reflect": "both", "ttl": 5, **rest},
    }
    assert made.found == ["info zones/example.com:6 import-ttl"]
    assert made.load_errors == []


def test_reflect_is_no_datacenter(tmp_path):
    made = Converted(
        tmp_path,
        "plugins => { reflect => {} metafo => { resources => { m => { datacenters => [ a, b ]"
        " dcmap => { a => %reflect!best b => 192.0.2.1 } } } } }",
        "x 60 DYNA metafo!m\n",
    )
    assert "error config:1 import-plugin" in made.found
