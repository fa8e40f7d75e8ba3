"""The apex, and what the zones of a site say of each other."""

import pytest

from tests.unit.zones.checks_site import APEX

NAMES = """\
pops: {fra: }
pools: {web: {when_all_down: nodata, endpoints: [{pop: fra, address: 192.0.2.1}]}}
policies: {any: [weighted]}
names:
  www.example.com: {pool: web, policy: any}
  "*.cdn.example.com": {pool: web, policy: any}
checks: {silence: [site-pool-without-monitor]}
"""


def soa(numbers="7200 1800 1209600 300", names="ns1.dns.test. hostmaster"):
    return f"$TTL 300\n@ SOA {names} 1 {numbers}\n@ NS ns1.dns.test.\n@ NS ns2.dns.test.\n"


def test_a_sound_zone(checked):
    assert checked.check_one("www A 192.0.2.1\n") == []


@pytest.mark.parametrize(
    ("numbers", "parts"),
    [
        ("60 1800 1209600 300", ["refresh 1m", "retry is not less"]),
        ("90000 1800 1209600 300", ["refresh"]),
        ("7200 60 1209600 300", ["retry 1m"]),
        ("7200 7200 1209600 300", ["retry is not less than refresh"]),
        ("7200 1800 86400 300", ["expire 1d"]),
        ("7200 1800 9000 300", ["expire 2h30m", "expire is not more"]),
        ("7200 1800 9999999 300", ["expire"]),
        ("7200 1800 1209600 0", ["minimum 0s"]),
        ("7200 1800 1209600 604800", ["minimum 1w"]),
    ],
)
def test_soa_values(checked, numbers, parts):
    assert checked.check_one(soa(numbers)) == ["zone-soa-values 2"] * len(parts)
    assert all(part in checked.messages for part in parts)


def test_soa_names(checked):
    assert checked.check_one(soa(names="hidden.dns.test. hostmaster")) == ["zone-soa-mname 2"]
    assert checked.check_one(soa(names="NS1.dns.test. admin\\@example")) == ["zone-soa-values 2"]


def test_one_name_server(checked):
    text = soa().replace("@ NS ns2.dns.test.\n", "")
    assert checked.check_one(text) == ["zone-single-ns 3"]


def test_nothing_is_missing_in_a_zone_that_could_not_be_read(checked):
    text = soa().replace("@ NS ns2.dns.test.\n", "@ NS ns2..example.net.\na CNAME gone\n")
    assert checked.check_one(text) == ["zone-syntax 4"]


def test_steered_names_have_addresses(checked):
    text = "@ NS www\n@ NS x.cdn\na CNAME www\nb MX 1 y.cdn\nc CNAME gone\n"
    assert checked.check_one(text, NAMES) == ["zone-dangling-target 9"]


def test_targets_of_types_that_dnspython_reads(checked):
    text = "a HTTPS 1 gone\nb HTTPS 1 .\nc SVCB 1 a\n"
    assert checked.check_one(text) == ["zone-dangling-target 5"]


def test_targets_in_another_zone(checked):
    zones = {
        "example.net": "a CNAME www.example.com.\nb MX 1 gone.example.com.\nc SRV 1 1 1 Gone.example.com.\n"
        "d NS ns.example.com.\ne NS txt.example.com.\nf NS v4.example.com.\ng NS n.cdn.example.com.\n"
        "h CNAME txt.example.com.\ni CNAME gone.example.org.\nj CNAME ent.example.com.\n",
        "example.com": "txt TXT x\nv4 A 192.0.2.1\nx.ent A 192.0.2.1\n",
    }
    assert checked.check(zones, NAMES) == [
        "zone-dangling-target example.net:6",
        "zone-dangling-target example.net:7",
        "zone-delegation-server example.net:8",
        "zone-delegation-server example.net:9",
    ]
    assert "txt.example.com. has no address in zone example.com." in checked.messages


def test_a_target_lies_in_the_nearest_zone(checked):
    cut = "sub NS ns1.dns.test.\nsub NS ns2.dns.test.\n"
    zones = {
        "example.com": cut + "a CNAME www.sub\nb CNAME gone.sub\n",
        "sub.example.com": "www A 192.0.2.1\n",
    }
    assert checked.check(zones) == ["zone-dangling-target example.com:8"]


def test_delegations_name_the_servers_of_the_zone(checked):
    zones = {"example.com": "sub NS ns1.dns.test.\nsub NS ns3.dns.test.\n", "sub.example.com": ""}
    assert checked.check(zones) == ["zone-delegation-ns-differs example.com:5"]
    assert "only the delegation names 'ns3.dns.test.'" in checked.messages
    assert "only the zone itself names 'ns2.dns.test.'" in checked.messages
    zones["example.com"] = "sub NS NS1.dns.test.\nsub NS ns2.dns.test.\n"
    assert checked.check(zones) == []


def test_a_zone_below_that_is_not_delegated(checked):
    assert checked.check({"example.com": "x.a A 192.0.2.1\n", "a.b.example.com": ""}) == [
        "zone-delegation-missing example.com:0"
    ]


def test_the_root_and_a_zone_below(checked):
    hosts = "ns1.dns.test A 192.0.2.1\nns2.dns.test A 192.0.2.2\nhostmaster A 192.0.2.1\n"
    zones = {"root": "$ORIGIN .\n" + APEX + hosts + "com NS ns1.dns.test.\ncom NS ns2.dns.test.\n", "com": ""}
    assert checked.check(zones) == []


def test_at_most_about_a_hundred_findings_of_a_rule(checked):
    text = "".join(f'a{index} TXT "v=spf1 x"\n' for index in range(150))
    found = checked.check_one(text)
    assert len(found) == 102
    assert "49 more findings of this rule in zone example.com." in checked.messages


def test_an_alias_that_leads_outside_needs_a_resolver(checked):
    zones = {
        "example.com": "a ALIAS www.example.net.\nb ALIAS www.dns.test.\n",
        "example.net": "www A 192.0.2.1\n",
    }
    assert checked.check(zones) == ["site-alias-without-resolver example.com:6"]
    assert "'www.dns.test.'" in checked.messages
    assert checked.check(zones, "resolver: {nameservers: 192.0.2.53}\n") == []
    assert checked.check(zones, "checks: {silence: [site-alias-without-resolver]}\n") == []


def test_an_alias_of_a_name_with_a_dot_in_a_label_leads_where_its_labels_say(checked):
    assert checked.check_one("x ALIAS b\\.example.com.\n") == ["site-alias-without-resolver 5"]


CDNS = """
pops: {fra: }
policies: {any: [weighted]}
pools:
  cdn:
    when_all_down: nodata
    endpoints: [{pop: fra, cname: www.example.com.}, {pop: fra, cname: cdn.example.org.}]
names:
  steered.example.com: {pool: cdn, policy: any}
checks: {silence: [site-pool-without-monitor]}
"""


def test_an_alias_that_steering_leads_outside_needs_a_resolver(checked):
    zones = {"example.com": "www A 192.0.2.1\na ALIAS steered\nb ALIAS www\n"}
    assert checked.check(zones, CDNS) == ["site-alias-without-resolver example.com:6"]
    assert "'steered.example.com.', which is steered to 'cdn.example.org.'" in checked.messages
    assert checked.check(zones, CDNS + "resolver: {nameservers: 192.0.2.53}\n") == []
