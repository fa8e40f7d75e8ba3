"""The whole conversion, and the command."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from gslb.cli.main import app
from gslb.config.loader import load_steering
from gslb.config.report import has_errors
from gslb.importers.gdnsd.run import ImportRefusedError, import_gdnsd
from gslb.importers.gdnsd.write import scalar
from tests.unit.importers.gdnsd.cases import SOA, Converted

CONFIG = (
    "plugins => { metafo => { resources => {"
    " r => { datacenters => [a, b] dcmap => { a => 192.0.2.1 b => 192.0.2.2 } } } } }"
)


def contents(site):
    return {path.relative_to(site): path.read_bytes() for path in site.rglob("*") if path.is_file()}


def source_in(tmp_path, zone="www 60 DYNA metafo!r\n"):
    source = tmp_path / "etc"
    (source / "zones").mkdir(parents=True)
    (source / "config").write_text(CONFIG)
    (source / "zones" / "example.com").write_text(SOA + zone)
    return source


def test_the_site_loads_and_is_the_same_each_time(tmp_path):
    source = source_in(tmp_path)
    done = import_gdnsd(source, tmp_path / "one")
    import_gdnsd(source, tmp_path / "two")
    assert (done.zones, done.names, done.pools, done.policies) == (1, 1, 1, 1)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    steering, findings = load_steering(tmp_path / "one")
    assert not has_errors(findings)
    assert [name.name for name in steering.names] == ["www.example.com."]


def test_a_site_that_is_there_is_replaced_only_by_force(tmp_path):
    source, site = source_in(tmp_path), tmp_path / "site"
    (site / "old").mkdir(parents=True)
    (site / "old" / "file.yaml").write_text("x")
    with pytest.raises(ImportRefusedError, match="not empty"):
        import_gdnsd(source, site)
    assert (site / "old" / "file.yaml").exists()
    import_gdnsd(source, site, force=True)
    assert sorted(path.name for path in site.iterdir()) == [
        "names.yaml", "policies.yaml", "pools.yaml", "pops.yaml", "zones"
    ]  # fmt: skip


@pytest.mark.parametrize("out", [".", "etc", "etc/zones/.."])
def test_the_source_is_never_replaced(tmp_path, out):
    source = source_in(tmp_path)
    with pytest.raises(ImportRefusedError, match="holds the source itself"):
        import_gdnsd(source, tmp_path / out, force=True)
    assert (source / "config").exists()


def test_a_configuration_that_cannot_be_read_writes_nothing(tmp_path):
    source = source_in(tmp_path)
    (source / "config").write_text("plugins => {")
    with pytest.raises(ImportRefusedError, match="config:1: found the end of the file"):
        import_gdnsd(source, tmp_path / "site")
    assert not (tmp_path / "site").exists()
    with pytest.raises(ImportRefusedError, match="is no directory"):
        import_gdnsd(tmp_path / "none", tmp_path / "site")


def test_options_of_the_server_are_named(tmp_path):
    made = Converted(
        tmp_path, "options => { listen => any, nsid => 00, tcp_timeout => 9, min_ttl => x }\nother => {}"
    )
    assert made.found == [
        "error config:1 import-invalid",
        "info config:1 import-option",
        "info config:1 import-option",
        "info config:1 import-option",
        "error config:2 import-invalid",
    ]
    assert "gslb serve --listen" in made.messages


def test_the_client_subnet_can_be_off_for_all(tmp_path):
    made = Converted(
        tmp_path, "options => { edns_client_subnet => false }\n" + CONFIG, "www 60 DYNA metafo!r\n"
    )
    assert made.yaml("names")["www.example.com"]["client_subnet"] is False


def test_forced_states_are_named(tmp_path):
    made = Converted(
        tmp_path,
        CONFIG,
        admin_state="*/a => DOWN\n192.0.2.1/up => DOWN/30\nmetafo/r/b => UP\n",
    )
    assert made.found == [f"error admin_state:{line} import-admin-state" for line in (1, 2, 3)]
    assert "gslb drain a --reason" in made.messages


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("dc-1", "dc-1"),
        ("1", '"1"'),
        ("NO", "NO"),
        ("null", '"null"'),
        ("True", '"True"'),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("2001:db8::/32", '"2001:db8::/32"'),
        ("*.example.com", '"*.example.com"'),
        ('a"b\\\n', '"a\\"b\\\\\\u000a"'),
        (5, "5"),
        (1.5, "1.5"),
        (-77.0, "-77"),
        (True, "true"),
    ],
)
def test_scalars_are_quoted_where_they_need_it(value, text):
    assert scalar(value) == text


def test_the_command_says_what_it_did_and_what_is_lost(tmp_path):
    source = source_in(tmp_path)
    arguments = ["import", "gdnsd", str(source), "--out", str(tmp_path / "site")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0
    assert "1 zone, 1 steered name, 1 pool, 1 policy; 0 things not carried over" in done.output
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 2
    assert "--force" in again.output
    (source / "zones" / "example.com").write_text(SOA + "x 60 DYNA other\n")
    lost = CliRunner().invoke(app, [*arguments, "--force"])
    assert lost.exit_code == 1
    assert "zones/example.com:4: error: there is no plugin 'other'" in lost.output
