"""What a site silences, and the rules that a company adds."""

import pytest

ONE_NS = "$TTL 300\n@ SOA ns1.dns.test. h 1 7200 1800 1209600 300\n@ NS ns1.dns.test.\n"


def rule(text, name="policy-x"):
    return f"rules:\n  {name}: {{{text}}}\n"


def test_silenced_for_the_site_or_a_zone(checked):
    zones = {"example.com": ONE_NS, "example.net": ONE_NS + "ns1 A 192.0.2.1\n"}
    both = ["zone-single-ns example.com:3", "zone-single-ns example.net:3"]
    assert checked.check(zones) == both
    assert checked.inspected.silenced == 0
    assert checked.check(zones, "checks: {silence: [zone-single-ns]}\n") == []
    assert checked.inspected.silenced == 2
    one = "checks: {zones: {Example.COM: {silence: [zone-single-ns]}}}\n"
    assert checked.check(zones, one) == both[1:]
    assert checked.inspected.silenced == 1


def test_other_severities(checked):
    for_zone = "zones: {example.com: {severity: {zone-single-ns: error}}}"
    yaml = f"checks:\n  severity: {{zone-single-ns: info}}\n  {for_zone}\n"
    zones = {"example.com": ONE_NS, "example.net": ONE_NS + "ns1 A 192.0.2.1\n"}
    checked.check(zones, yaml)
    assert [one.severity for one in checked.inspected.findings] == ["error", "info"]
    assert checked.inspected.site is None


@pytest.mark.parametrize(
    ("yaml", "found", "part"),
    [
        (
            "checks: {silence: [zone-single-n]}",
            "site-unknown-check site.yaml:1",
            "did you mean 'zone-single-ns'",
        ),
        ("checks: {silence: [policy-x]}", "site-unknown-check site.yaml:1", "policy-x"),
        ("checks: {severity: {zone-x: info}}", "site-unknown-check site.yaml:1", "zone-x"),
        ("checks: {silence: [zone-soa]}", "site-invalid-value site.yaml:1", "cannot be silenced"),
        ("checks: {severity: {zone-no-ns: info}}", "site-invalid-value site.yaml:1", "cannot be silenced"),
        ("checks: {silence: [1]}", "site-invalid-value site.yaml:1", "must list rules"),
        ("checks: {silence: zone-soa}", "site-invalid-value site.yaml:1", "must be a list"),
        (
            "checks: {severity: {zone-single-ns: bad}}",
            "site-invalid-value site.yaml:1",
            "error, warning or info",
        ),
        ("checks: {silent: []}", "site-unknown-key site.yaml:1", "did you mean 'silence'"),
        ("checks: {zones: {example.com: }}", "site-invalid-value site.yaml:1", "must be a mapping"),
        (
            "checks: {zones: {example.con: {}}}",
            "site-unknown-zone site.yaml:1",
            "did you mean 'example.com.'",
        ),
        ("checks: {zones: {'a b': {}}}", "site-invalid-name site.yaml:1", "no domain name"),
        (
            "checks: {zones: {example.com: {silence: [site-unused-pop]}}}",
            "site-invalid-value site.yaml:1",
            "whole site",
        ),
        (rule("forbidden_types: X"), "site-invalid-value site.yaml:2", "record types"),
        (rule("forbidden_types: A", "ttl-x"), "site-invalid-name site.yaml:2", "policy-"),
        (rule("forbidden_types: A", "policy-X"), "site-invalid-name site.yaml:2", "lower-case"),
        (rule("message: x"), "site-missing-key site.yaml:2", "asks for nothing"),
        (rule("ttl: {A: {min: 5, max: 1}}"), "site-invalid-value site.yaml:2", "min not above max"),
        (rule("ttl: {A: {}}"), "site-invalid-value site.yaml:2", "min, max or both"),
        (rule("ttl: {AX: {min: 1}}"), "site-invalid-value site.yaml:2", "or * for all"),
        (rule("targets: {types: A}"), "site-missing-key site.yaml:2", "allow, forbid"),
        (rule("targets: {allow: 192.0.2.1/24}"), "site-invalid-value site.yaml:2", "host bits"),
        (rule("owners: {allow: 192.0.2.0/24}"), "site-invalid-value site.yaml:2", "must list names"),
        (rule("required: {caa: 'a b'}"), "site-invalid-value site.yaml:2", "certificate"),
        (rule("required: {ns: 0}"), "site-invalid-value site.yaml:2", "1 to 100"),
        (rule("forbidden_types: A, severity: bad"), "site-invalid-value site.yaml:2", "severity"),
        (rule("forbid_types: A"), "site-unknown-key site.yaml:2", "forbidden_types"),
    ],
)
def test_what_cannot_be_used(checked, yaml, found, part):
    assert checked.check({"example.com": ""}, yaml) == [found]
    assert part in checked.messages


def test_two_files_that_disagree(checked):
    (checked.directory / "a.yaml").write_text(
        "checks: {severity: {zone-single-ns: info}}\nrules: {policy-x: {forbidden_types: A}}\n"
    )
    yaml = "checks: {severity: {zone-single-ns: error}}\nrules: {policy-x: {forbidden_types: A}}\n"
    found = checked.check({"example.com": ""}, yaml)
    assert found == ["site-duplicate-severity site.yaml:1", "site-duplicate-check site.yaml:2"]
    assert "a.yaml:1" in checked.messages


def test_ttl_bounds(checked):
    text = "a 59 A 192.0.2.1\nb 60 A 192.0.2.1\nc 3601 A 192.0.2.1\nd 10 TXT x\ne 90000 TXT x\n"
    yaml = rule("ttl: {A: {min: 60, max: 1h}, '*': {max: 1d}}")
    assert checked.check_one(text, yaml) == ["policy-x 5", "policy-x 7", "policy-x 9"]
    assert "the TTL 59 of a.example.com. A is not 60 to 1h (3600)" in checked.messages


def test_ttl_bounds_hold_for_steered_names(checked):
    yaml = (
        "pops: {fra: }\npools: {web: {when_all_down: nodata, endpoints: [{pop: fra, address: 192.0.2.1}]}}\n"
        "policies: {any: [weighted]}\nnames: {www.example.com: {pool: web, policy: any, ttl: 5}}\n"
        "checks: {silence: [site-pool-without-monitor]}\n"
    )
    found = checked.check({"example.com": ""}, yaml + rule("ttl: {A: {min: 30}}"))
    assert found == ["policy-x site.yaml:4"]
    shrinking = yaml.replace("ttl: 5", "ttl: {max: 60, min: 10}")
    assert checked.check({"example.com": ""}, shrinking + rule("ttl: {A: {min: 30}}")) == found
    assert "the TTL 10 of steered name 'www.example.com.' is not from 30" in checked.messages
    assert checked.check({"example.com": ""}, shrinking + rule("ttl: {A: {min: 10, max: 60}}")) == []


def test_targets(checked):
    text = "a A 192.0.2.1\nb A 198.51.100.1\nc CNAME x.cdn.example.net.\nd CNAME x.example.net.\n"
    text += "e AAAA 2001:db8::1\n"
    allow = rule("targets: {types: [A, CNAME], allow: [192.0.2.0/24, '*.CDN.example.net.']}")
    assert checked.check_one(text, allow) == ["policy-x 6", "policy-x 8"]
    forbid = rule("targets: {forbid: ['2001:db8::/32', x.example.net, ns2.*]}")
    assert checked.check_one(text, forbid) == ["policy-x 4", "policy-x 8", "policy-x 9"]


def test_owners(checked):
    text = "a A 192.0.2.1\na TXT x\ndb.internal A 192.0.2.1\n"
    assert checked.check_one(text, rule("owners: {forbid: '*.internal.*'}")) == ["policy-x 7"]
    assert checked.check_one(text, rule("owners: {types: [A, TXT], allow: db.*}")) == ["policy-x 5"]


def test_forbidden_types(checked):
    yaml = rule("forbidden_types: [HINFO, TYPE65280], severity: error, message: see the handbook")
    assert checked.check_one("a HINFO x y\nb TYPE65280 \\# 1 00\n", yaml) == ["policy-x 5", "policy-x 6"]
    assert checked.inspected.site is None
    assert "of a type that is forbidden: see the handbook [policy-x]" in checked.messages


def test_required(checked):
    yaml = rule("required: {caa: CA.example.net, txt: 'v=spf1 *', ns: 3}")
    assert checked.check_one("", yaml) == ["policy-x 2"] * 3
    good = '@ CAA 0 issue "ca.example.net; a=b"\n@ TXT "v=spf1 -all"\n@ NS ns3.dns.test.\n'
    assert checked.check_one(good, yaml) == []
    wild = good.replace("issue", "issuewild")
    assert checked.check_one(wild, yaml) == ["policy-x 2"]


def test_only_some_zones_and_silenced(checked):
    zones = {"example.com": "", "a.example.net": "", "b.example.net": ""}
    yaml = rule("required: {ns: 9}, zones: ['*.example.net']")
    assert checked.check(zones, yaml) == ["policy-x a.example.net:2", "policy-x b.example.net:2"]
    silent = yaml + "checks: {zones: {a.example.net: {silence: [policy-x]}}}\n"
    assert checked.check(zones, silent) == ["policy-x b.example.net:2"]
