"""Zone files: found, read, completed."""

from gslb.zones.source import load_zone_texts


def load(site, read_zone):
    zones, findings = load_zone_texts(site.path, read_zone)
    return zones, [(finding.rule, finding.place.file) for finding in findings]


def test_zone_files_at_any_depth(site, read_zone, zone_text):
    site.write("deep/er/Example.NET.zone", zone_text).write(".hidden/x.zone", "").write("include.txt", "")
    zones, findings = load(site, read_zone)
    assert [zone.origin for zone in zones] == ["example.net.", "example.com."]
    assert zones[0].files == ["site/deep/er/Example.NET.zone"]
    assert findings == []


def test_the_origin_before_the_soa_wins(site, read_zone, zone_text):
    site.write("two.zone", "$ORIGIN example.org.\n" + zone_text)
    zones, _ = load(site, read_zone)
    assert [zone.origin for zone in zones] == ["example.com.", "example.org."]


def test_two_files_of_one_zone_cite_both(site, read_zone, zone_text):
    site.write("sub/example.com.zone", zone_text)
    zones, findings = load_zone_texts(site.path, read_zone)
    assert len(zones) == 1
    assert [finding.rule for finding in findings] == ["zone-duplicate"]
    assert findings[0].place.file == "site/sub/example.com.zone"
    assert "site/example.com.zone" in findings[0].message


def test_a_file_name_that_is_no_zone_name(site, read_zone, zone_text):
    site.write("my zone.zone", zone_text)
    _, findings = load(site, read_zone)
    assert findings == [("zone-file-name", "site/my zone.zone")]


def test_no_zone_file_says_what_to_do(site, read_zone):
    (site.path / "example.com.zone").unlink()
    zones, findings = load_zone_texts(site.path, read_zone)
    assert zones == ()
    assert [finding.rule for finding in findings] == ["site-no-zone"]
    assert "example.com.zone" in findings[0].message
