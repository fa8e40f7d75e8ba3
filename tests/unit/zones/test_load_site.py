"""A site as a whole: the checks that need zones and steering both."""

from pathlib import Path

from gslb.zones.site import load_site


def load(site, read_zone):
    loaded, findings = load_site(site.path, read_zone)
    return loaded, [
        (finding.rule, finding.severity.value, finding.place.line)
        for finding in findings
        if finding.severity != "info"
    ]


def steer(site, site_text, line):
    """Replace the one steered name of the site by another entry."""
    return site.write("site.yaml", site_text[: site_text.index("  www.")] + f"  {line}\n")


def test_a_good_site(site, read_zone):
    loaded, findings = load(site, read_zone)
    assert findings == []
    assert loaded.directory == site.path
    assert [zone.origin for zone in loaded.zone_texts] == ["example.com."]
    assert loaded.steered == {"example.com.": [("www.example.com.", 0)]}


def test_a_name_belongs_to_the_nearest_zone(site, read_zone, zone_text, site_text):
    site.write("sub.example.com.zone", zone_text)
    site.write(
        "site.yaml",
        site_text
        + "  a.sub.example.com: {pool: web, policy: any}\n  example.com: {pool: web, policy: any}\n",
    )
    loaded, _ = load(site, read_zone)
    assert loaded.steered == {
        "example.com.": [("www.example.com.", 0), ("example.com.", 2)],
        "sub.example.com.": [("a.sub.example.com.", 1)],
    }


def test_a_name_outside_every_zone(site, read_zone, site_text):
    steer(site, site_text, "www.example.con: {pool: web, policy: any}")
    loaded, findings = load_site(site.path, read_zone)
    assert loaded is None
    assert [(finding.rule, finding.place.line) for finding in findings] == [("site-name-outside-zones", 7)]
    assert "did you mean 'example.com.'?" in findings[0].message


def test_every_error_of_a_name_at_once(site, read_zone, site_text):
    site.write("site.yaml", site_text + "  x.nowhere.test: {pool: zz, policy: nope, foo: 1}\n")
    loaded, findings = load(site, read_zone)
    assert loaded is None
    assert sorted(findings) == [
        ("site-name-outside-zones", "error", 8),
        ("site-unknown-key", "error", 8),
        ("site-unknown-policy", "error", 8),
        ("site-unknown-pool", "error", 8),
    ]


def test_what_zones_say_of_a_name_with_errors(site, read_zone, site_text, zone_text):
    site.write("example.com.zone", zone_text + "www IN CNAME ns1\nlab IN NS ns.lab\n")
    names = (
        "  www.example.com: {pool: web, policy: any, ttl: x}\n  a.lab.example.com: {pool: 3, policy: any}\n"
    )
    site.write("site.yaml", site_text[: site_text.index("  www.")] + names)
    loaded, findings = load(site, read_zone)
    assert loaded is None
    assert sorted(findings) == [
        ("site-invalid-value", "error", 7),
        ("site-invalid-value", "error", 8),
        ("site-name-below-delegation", "warning", 8),
        ("site-name-is-cname", "error", 7),
    ]


def test_a_name_that_is_a_cname(site, read_zone, zone_text):
    site.write("example.com.zone", zone_text + "www IN CNAME ns1\n")
    loaded, findings = load(site, read_zone)
    assert loaded is None
    assert findings == [("site-name-is-cname", "error", 7)]


def test_a_name_below_a_delegation_is_a_warning(site, read_zone, zone_text, site_text):
    site.write("example.com.zone", zone_text + "lab IN NS ns.lab\nns.lab IN A 192.0.2.9\n")
    for owner in ("deep.lab.example.com", "lab.example.com"):
        steer(site, site_text, f"{owner}: {{pool: web, policy: any}}")
        loaded, findings = load(site, read_zone)
        assert loaded is not None
        assert findings == [("site-name-below-delegation", "warning", 7)]


def test_the_apex_is_not_a_delegation(site, read_zone, site_text):
    steer(site, site_text, "example.com: {pool: web, policy: any}")
    assert load(site, read_zone)[1] == []


def test_fallback_needs_address_records(site, read_zone, zone_text, site_text):
    site.write("site.yaml", site_text.replace("nodata", "fallback"))
    assert load(site, read_zone)[1] == [("site-fallback-without-records", "error", 7)]
    site.write("example.com.zone", zone_text + 'www IN TXT "x"\n')
    assert load(site, read_zone)[1] == [("site-fallback-without-records", "error", 7)]
    site.write("example.com.zone", zone_text + "www IN AAAA 2001:db8::1\n")
    assert load(site, read_zone)[1] == []


def test_errors_of_zones_and_yaml_come_together(site, read_zone):
    site.write("broken.zone", "@ IN SOA oops\n").write("z.yaml", "pops: [").write("a.yaml", "pop: 1\n")
    loaded, findings = load_site(site.path, read_zone)
    assert loaded is None
    assert [finding.place.file for finding in findings] == ["site/a.yaml", "site/broken.zone", "site/z.yaml"]


def test_a_missing_directory_says_what_to_do(tmp_path, monkeypatch, read_zone):
    monkeypatch.chdir(tmp_path)
    loaded, findings = load_site(Path("nowhere"), read_zone)
    assert loaded is None
    assert [(finding.rule, finding.place.file) for finding in findings] == [("site-no-directory", "nowhere")]


def test_a_site_without_yaml_serves_its_zones(site, read_zone):
    (site.path / "site.yaml").unlink()
    loaded, findings = load_site(site.path, read_zone)
    assert findings == ()
    assert loaded.steered == {"example.com.": []}


def test_a_directory_whose_name_is_too_long(read_zone):
    loaded, findings = load_site(Path("x" * 5000), read_zone)
    assert loaded is None
    assert [finding.rule for finding in findings] == ["site-no-directory"]
