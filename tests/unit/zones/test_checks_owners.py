"""What stands in the zone at a steered name, beside a pool of names or of declared records."""

import pytest

from gslb.zones.site import load_site

SITE = """\
pops: {fra: }
pools:
  web: {policy: any, when_all_down: nodata, endpoints: [{pop: fra, address: 192.0.2.1}]}
  cdn: {policy: any, when_all_down: nodata, endpoints: [{pop: fra, cname: www.cdn.test.}]}
  both: {policy: any, when_all_down: WHEN, pools: [cdn]}
  mail: {policy: any, when_all_down: WHEN, endpoints: [{pop: fra, records: {MX: 10 mx.test.}}]}
policies: {any: [weighted]}
names:
"""


@pytest.fixture
def check(site, read_zone, zone_text):
    """Errors and warnings about one name, steered by a pool, with more records in its zone."""

    def run(name, pool, records="", when="nodata"):
        site.write("example.com.zone", zone_text + records)
        rest = {"web", "both", "mail"} - {pool}
        names = "".join(f"  {one}.example.com: {{pool: {one}}}\n" for one in sorted(rest))
        text = SITE.replace("WHEN", when if pool == "mail" else "nodata")
        if pool == "cdn":
            text = text.replace(
                "nodata, endpoints: [{pop: fra, cname", f"{when}, endpoints: [{{pop: fra, cname"
            )
        site.write("site.yaml", text + f"  {name}: {{pool: {pool}}}\n" + names)
        _, findings = load_site(site.path, read_zone)
        return [
            (one.rule, one.message)
            for one in findings
            if one.severity != "info" and f"name '{name}.'" in one.message
        ]

    return run


@pytest.mark.parametrize("pool", ["cdn", "both"])
def test_a_pool_of_names_answers_below_the_apex_only(check, pool):
    assert check("www.example.com", pool) == []
    ((rule, message),) = check("example.com", pool)
    assert rule == "site-cname-at-apex"
    assert "steer a name below it" in message


@pytest.mark.parametrize("pool", ["cdn", "both"])
def test_what_a_pool_of_names_hides_is_a_warning(check, pool):
    ((rule, message),) = check("www.example.com", pool, 'www IN TXT "x"\n')
    assert rule == "site-cname-hides-records"
    assert "has a TXT record at site/example.com.zone:7" in message


def test_what_a_name_that_reflects_hides_is_a_warning(site, read_zone, zone_text):
    site.write("example.com.zone", zone_text + "who IN AAAA 2001:db8::1\nwho IN TXT x\n")
    text = SITE.replace("WHEN", "nodata") + "".join(
        f"  {pool}.example.com: {{pool: {pool}}}\n" for pool in ("web", "both", "mail")
    )
    site.write("site.yaml", text + "  who.example.com: {reflect: best}\n")
    _, findings = load_site(site.path, read_zone)
    found = [one for one in findings if one.severity != "info"]
    assert [one.rule for one in found] == ["site-reflect-hides-records"]
    assert "has an address record at site/example.com.zone:7" in found[0].message


def test_records_to_fall_back_to_are_not_hidden(check):
    assert check("www.example.com", "cdn", "www IN A 192.0.2.9\n", "fallback") == []
    found = check("www.example.com", "cdn", 'www IN A 192.0.2.9\nwww IN TXT "x"\n', "fallback")
    assert [rule for rule, _ in found] == ["site-cname-hides-records"]
    ((rule, message),) = check("www.example.com", "cdn", "", "fallback")
    assert rule == "site-fallback-without-records"
    assert "has no A or AAAA record" in message


def test_declared_records_fall_back_to_their_own_types(check):
    assert check("m.example.com", "mail", "m IN MX 10 mx.test.\n", "fallback") == []
    ((rule, message),) = check("m.example.com", "mail", "m IN A 192.0.2.9\n", "fallback")
    assert rule == "site-fallback-without-records"
    assert "has no MX record" in message


def test_a_pool_whose_target_is_its_name(site, read_zone):
    text = SITE.replace("WHEN", "nodata").replace("www.cdn.test.", "www.example.com.")
    site.write("site.yaml", text + "  www.example.com: {pool: both}\n  b.example.com: {pool: mail}\n")
    _, findings = load_site(site.path, read_zone)
    assert [one.rule for one in findings if one.severity == "error"] == ["site-cname-to-itself"]
