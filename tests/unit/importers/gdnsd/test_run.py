"""The whole conversion, and the command."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gslb.cli.main import app
from gslb.config.loader import load_steering
from gslb.config.report import has_errors
from gslb.importers.gdnsd.run import import_gdnsd
from gslb.importers.gdnsd.write import scalar
from gslb.importers.target import ImportRefusedError
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


@pytest.mark.parametrize("out", ["etc/geoip", "etc/zones/new", "link/zones", "link/new"])
def test_nothing_is_written_into_the_source(tmp_path, out):
    source = source_in(tmp_path)
    (source / "geoip").mkdir()
    (tmp_path / "link").symlink_to("etc")
    before = contents(source)
    with pytest.raises(ImportRefusedError, match=r"lies in the source|holds the source"):
        import_gdnsd(source, tmp_path / out, force=True)
    assert contents(source) == before


def test_zones_behind_a_link_are_the_source_too(tmp_path):
    source = source_in(tmp_path)
    (source / "zones").rename(tmp_path / "elsewhere")
    (source / "zones").symlink_to("../elsewhere")
    with pytest.raises(ImportRefusedError, match="holds the source itself"):
        import_gdnsd(source, tmp_path / "elsewhere", force=True)
    assert (tmp_path / "elsewhere" / "example.com").exists()


@pytest.mark.parametrize("kept", ["city.mmdb", "part", "records", "states", "program"])
def test_files_that_the_configuration_names_are_never_deleted(tmp_path, kept):
    source, site = (
        source_in(tmp_path, f"www 60 DYNA geoip!r\n$INCLUDE {tmp_path}/records/file\n"),
        tmp_path / kept,
    )
    for name in ("city.mmdb", "part", "records", "states", "program"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("")
    (tmp_path / "part/file").write_text(
        "multifo => { other => [ 192.0.2.9 ] } geoip => {"
        f" maps => {{ m => {{ geoip2_db => {tmp_path}/city.mmdb/file datacenters => [ a ] }} }}"
        " resources => { r => { map => m service_types => [ s, t ] dcmap => { a => 192.0.2.1 } } } }"
    )
    (source / "config").write_text(
        f"service_types => {{ s => {{ plugin => extfile file => {tmp_path}/states/file }}"
        f" t => {{ plugin => extmon cmd => [ {tmp_path}/program/file ] }} }}"
        f" plugins => {{ $include{{{tmp_path}/part/file}} }}"
    )
    with pytest.raises(ImportRefusedError, match=f"holds {site}/file, which the source needs"):
        import_gdnsd(source, site, force=True)
    assert (site / "file").exists()


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


def imported(source, site):
    """What the command exits with and says."""
    done = CliRunner().invoke(
        app, ["import", "gdnsd", str(source), "--out", str(site)], env={"COLUMNS": "400"}
    )
    return done.exit_code, done.output


def test_records_that_keep_a_zone_from_loading_are_named_in_the_source(tmp_path):
    source = source_in(
        tmp_path,
        "xx A 1.1.1\n; comment\nyy FOO 1\nwww 60 DYNA metafo!r\nmx (\n MX\n) a b\n"
        "$INCLUDE sub/inc sub\nzz A 1.1.2\n",
    )
    (source / "zones/sub").mkdir()
    (source / "zones/sub/inc").write_text("\nok A 192.0.2.1\nbad A 1.1.3\n")
    code, output = imported(source, tmp_path / "site")
    zone = source / "zones/example.com"
    assert code == 1
    assert f"{zone}:4: error: address '1.1.1' is not an IPv4 address" in output
    assert f"{zone}:6: error: type 'FOO' is not known" in output
    assert f"{zone}:10: error: preference 'a' is not a number" in output
    assert f"{zone}:12: error: address '1.1.2'" in output
    assert f"{zone.parent}/sub/inc:3: error: address '1.1.3'" in output
    assert "5 things not carried over, 0 warnings; the site does not load: see the errors" in output


def test_a_zone_that_is_wrong_as_a_whole_is_named_by_its_file(tmp_path):
    source = source_in(tmp_path)
    (source / "zones/example.org").write_text("ns1 A 192.0.2.1\n")
    code, output = imported(source, tmp_path / "site")
    assert code == 1
    assert f"{source}/zones/example.org: error: " in output
    assert "SOA" in output


def test_whatever_else_keeps_the_site_from_loading_is_named(tmp_path):
    code, output = imported(source_in(tmp_path, "www 60 DYNA metafo!r\nwww CNAME other\n"), tmp_path / "site")
    assert code == 1
    assert (
        "site/names.yaml:4:3: error: the site does not load: name 'www.example.com.' is a CNAME at" in output
    )
    assert f"is a CNAME at {tmp_path}/etc/zones/example.com:5, beside which" in output


def test_a_directory_without_zones_is_named_once(tmp_path):
    source = source_in(tmp_path)
    (source / "zones/example.com").rename(source / "zones/.example.com")
    code, output = imported(source, tmp_path / "site")
    assert code == 1
    assert "1 thing not carried over" in output
    assert "zones: error: there are no zone files" in output


def test_zones_that_cannot_be_listed_are_named(tmp_path, monkeypatch):
    source, listing = source_in(tmp_path), Path.iterdir

    def listed(path):
        if path == source / "zones":
            raise PermissionError(13, "Permission denied", str(path))
        return listing(path)

    monkeypatch.setattr(Path, "iterdir", listed)
    done = import_gdnsd(source, tmp_path / "site")
    assert [str(finding) for finding in done.findings] == [
        f"{source}/zones: error: the directory cannot be read: Permission denied [import-unreadable]"
    ]


def test_an_old_site_that_cannot_be_deleted_is_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr("gslb.importers.target._delete", lambda _: "it is still there")
    done = import_gdnsd(source_in(tmp_path), tmp_path / "site")
    assert [str(finding) for finding in done.findings] == [
        f"{tmp_path}/site: warning: it is still there [import-site]"
    ]
