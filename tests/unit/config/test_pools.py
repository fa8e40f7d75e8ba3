"""Pools: what they hold, what they need, and how names fit them."""

import pytest

from gslb.health.probes import ProbeTarget, probe_target
from gslb.model.site import (
    Count,
    DeclaredRRset,
    Fraction,
    MinHealthy,
    WhenAllDown,
)

POPS = "pops: {fra: {latitude: 50, longitude: 8}, ams: , sin: }\n"
POOLS = """\
pools:
  eu:
    policy: near
    endpoints:
      - {pop: fra, address: 192.0.2.1}
      - {pop: ams, address: 192.0.2.2}
  us:
    endpoints: [{pop: sin, address: 198.51.100.1}]
  world:
    policy: near
    when_all_down: nodata
    pools: [eu, {pool: us, weight: 50}]
"""
POLICIES = "policies: {near: [failover: [fra, eu]]}\n"
NAMES = "names: {www.example.com: {pool: world}}\n"
WORLD = POPS + POOLS + POLICIES + NAMES


def test_a_pool_of_pools(site):
    site.write("a.yaml", WORLD).load()
    assert site.rules("error", "warning") == []
    eu, us, world = site.config.pools
    assert [(member.pool, member.weight) for member in world.members] == [("eu", 100), ("us", 50)]
    assert world.members[1].place.line == 13
    assert (world.endpoints, world.policy, world.when_all_down) == ((), "near", WhenAllDown.NODATA)
    assert (eu.policy, us.policy, eu.members) == ("near", "", ())
    assert site.config.names[0].policy == ""


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2", MinHealthy(ipv4=Count(count=2), ipv6=Count(count=2), other=Count(count=2))),
        (
            "50%",
            MinHealthy(
                ipv4=Fraction(fraction=0.5), ipv6=Fraction(fraction=0.5), other=Fraction(fraction=0.5)
            ),
        ),
        ("{ipv4: 1, ipv6: 25%}", MinHealthy(ipv4=Count(count=1), ipv6=Fraction(fraction=0.25))),
    ],
)
def test_min_healthy(site, written, expected):
    text = WORLD.replace("  eu:\n", f"  eu:\n    min_healthy: {written}\n")
    site.write("a.yaml", text).load()
    assert site.rules() == []
    assert site.config.pools[0].min_healthy == expected


@pytest.mark.parametrize(
    ("pool", "written", "words"),
    [
        ("eu", "3", "needs min_healthy: 3, but has only 2 endpoints with IPv4"),
        ("eu", "{ipv4: 3, ipv6: 1}", "3, but has only 2 endpoints with IPv4"),
        ("world", "3", "has only 2 pools with IPv4"),
    ],
)
def test_min_healthy_that_could_never_be_met(site, pool, written, words):
    text = WORLD.replace(f"  {pool}:\n", f"  {pool}:\n    min_healthy: {written}\n")
    site.write("a.yaml", text).load()
    assert [rule for rule, _ in site.rules()] == ["site-min-healthy-never-met"]
    assert words in site.messages("site-min-healthy-never-met")[0]


def test_min_healthy_says_nothing_of_families_that_a_pool_lacks(site):
    text = WORLD.replace("  eu:\n", "  eu:\n    min_healthy: {ipv4: 2, ipv6: 9, other: 9}\n")
    assert site.write("a.yaml", text).load().rules() == []


@pytest.mark.parametrize(
    ("pools", "rule", "words"),
    [
        ("p: {}", "site-missing-key", "lacks the key 'endpoints' (or pools"),
        ("p: {pools: [eu], endpoints: [{pop: fra, address: 192.0.2.9}]}", "site-invalid-value", "has both"),
        ("p: {pools: []}", "site-invalid-value", "1 to 256 pools, not 0"),
        ("p: {pools: eu}", "site-invalid-value", "must be a list"),
        ("p: {pools: [3]}", "site-invalid-value", "must be a name, not 3, or a mapping"),
        ("p: {pools: [nope]}", "site-unknown-pool", "a member of pool 'p' refers to pool 'nope'"),
        ("p: {pools: [{weight: 1}]}", "site-missing-key", "lacks the key 'pool'"),
        ("p: {pools: [{pool: eu, wait: 1}]}", "site-unknown-key", "did you mean 'weight'?"),
        ("p: {pools: [{pool: eu, weight: 65536}]}", "site-invalid-value", "from 0 to 65535"),
        ("p: {pools: [eu, {pool: eu}]}", "site-duplicate-member", "already lists pool 'eu' at b.yaml:1"),
        ("p: {pools: [{pool: eu, weight: 0}]}", "site-weights-all-zero", "every pool of pool 'p'"),
        ("p: {pools: [eu], policy: nope}", "site-unknown-policy", "refers to policy 'nope'"),
        ("p: {pools: [eu], min_healthy: 0}", "site-invalid-value", "min_healthy of pool 'p' must be a whole"),
        ("p: {pools: [eu], min_healthy: {ipv5: 1}}", "site-unknown-key", "did you mean 'ipv6'?"),
        ("p: {pools: [eu], min_healthy: {ipv4: x}}", "site-invalid-value", "ipv4 of min_healthy of pool 'p'"),
        ("p: {pools: [p]}", "site-pool-cycle", "pool 'p' holds itself: p and again p"),
        ("p: {pools: [q]}, q: {pools: [p, eu]}", "site-pool-cycle", "holds itself: p, q and again p"),
        (
            "p: {endpoints: [{pop: fra}]}",
            "site-missing-key",
            "lacks the key 'address' (or cname, or records)",
        ),
        ("p: {endpoints: [{pop: fra, cname: a.test}]}", "site-invalid-value", "that ends with a dot"),
        ("p: {endpoints: [{pop: fra, cname: '*.a.test.'}]}", "site-invalid-value", "that ends with a dot"),
        ("p: {endpoints: [{pop: fra, cname: a..test.}]}", "site-invalid-value", "must be a domain name"),
        (
            "p: {endpoints: [{pop: fra, cname: a.test., address: 192.0.2.1}]}",
            "site-mixed-pool",
            "beside which nothing else can stand",
        ),
        (
            "p: {endpoints: [{pop: fra, cname: a.test.}, {pop: ams, address: 192.0.2.1}]}",
            "site-mixed-pool",
            "with and without a cname",
        ),
        (
            "p: {endpoints: [{pop: fra, cname: A.test.}, {pop: ams, cname: a.test.}]}",
            "site-duplicate-endpoint",
            "already lists a.test.",
        ),
        (
            "p: {endpoints: [{pop: fra, cname: a.test., weight: 0}]}",
            "site-weights-all-zero",
            "every endpoint with CNAME",
        ),
        (
            "p: {pools: [c, eu]}, c: {endpoints: [{pop: fra, cname: a.test.}]}",
            "site-mixed-pool",
            "pool 'p' holds pools with and without a cname",
        ),
    ],
)
def test_one_mistake_gives_one_clear_error(site, pools, rule, words):
    site.write("a.yaml", WORLD).write("b.yaml", f"pools: {{{pools}}}\n").load()
    assert site.rules() == [(rule, "b.yaml:1")]
    assert words in site.messages(rule)[0]


def test_a_pool_above_a_cycle_is_no_error_of_its_own(site):
    site.write("a.yaml", WORLD)
    site.write("b.yaml", "pools:\n  top: {pools: [p, eu]}\n  p: {pools: [q]}\n  q: {pools: [p]}\n").load()
    assert site.rules() == [("site-pool-cycle", "b.yaml:3")]


@pytest.mark.parametrize(
    ("pools", "rules"), [(6, []), (7, ["site-pool-too-deep"]), (9, ["site-pool-too-deep"])]
)
def test_pools_within_pools_have_an_end(site, pools, rules):
    """World is the second from the bottom."""
    more = "".join(f"  p{number}: {{pools: [p{number - 1}]}}\n" for number in range(1, pools + 1))
    site.write("a.yaml", WORLD).write("b.yaml", "pools:\n" + more.replace("[p0]", "[world]")).load()
    assert [rule for rule, _ in site.rules()] == rules
    if rules:
        assert "pool 'p7' holds" in site.messages("site-pool-too-deep")[0]


def test_thousands_of_pools_in_a_row_are_an_error_and_no_crash(site):
    more = "".join(f"  p{number}: {{pools: [p{number - 1}]}}\n" for number in range(1, 5000))
    site.write("a.yaml", WORLD).write("b.yaml", "pools:\n" + more.replace("[p0]", "[world]")).load()
    assert [rule for rule, _ in site.rules()] == ["site-pool-too-deep", "site-too-many"]


def test_a_member_in_two_places_is_fine(site):
    more = "pools: {top: {policy: near, when_all_down: nodata, pools: [world, eu]}}\n"
    more += "names: {top.example.com: {pool: top}}\n"
    assert site.write("a.yaml", WORLD).write("b.yaml", more).load().rules("error", "warning") == []


def test_settings_that_a_pool_of_pools_does_not_have(site):
    text = WORLD.replace("  world:\n", "  world:\n    monitor: m\n    unknown_counts: down\n")
    text += "monitors: {m: {type: tcp, port: 1}}\n"
    site.write("a.yaml", text).load()
    assert site.rules("error", "warning") == [
        ("site-setting-without-effect", "a.yaml:11"),
        ("site-setting-without-effect", "a.yaml:12"),
    ]


def test_when_all_down_counts_for_the_pool_of_a_name_alone(site):
    text = WORLD.replace("  eu:\n", "  eu:\n    when_all_down: last_good\n")
    site.write("a.yaml", text.replace("    when_all_down: nodata\n", "")).load()
    infos = [found for found in site.rules("info") if found[0] != "site-pool-without-monitor"]
    assert infos == [
        ("site-when-all-down-of-member", "a.yaml:3"),
        ("site-when-all-down-default", "a.yaml:11"),
    ]


def test_members_and_policies_of_pools_are_used(site):
    text = WORLD.replace("names: {www.example.com: {pool: world}}\n", "")
    site.write("a.yaml", text).load()
    assert site.rules("warning") == [("site-unused-pool", "a.yaml:10")]


def test_what_a_broken_pool_of_pools_may_use_is_not_said_to_be_unused(site):
    text = WORLD.replace("    when_all_down: nodata\n", "    when_all_down: x\n")
    site.write("a.yaml", text).load()
    assert site.rules("error", "warning") == [("site-invalid-value", "a.yaml:12")]


def test_a_name_needs_a_policy_of_its_own_or_of_its_pool(site):
    text = WORLD.replace("www.example.com: {pool: world}", "www.example.com: {pool: us}, a.b: {pool: world}")
    site.write("a.yaml", text).load()
    assert site.rules() == [("site-missing-key", "a.yaml:15")]
    assert site.messages("site-missing-key") == [
        "name 'www.example.com.' lacks the key 'policy', and its pool 'us' has none either"
    ]


def test_units_of_policies_are_pops_or_pools_and_never_both(site):
    text = WORLD.replace("[failover: [fra, eu]]", "[failover: [fra, nope, us], distance: {bias: {us: 1}}]")
    site.write("a.yaml", text.replace("sin: }", "sin: , us: }")).load()
    found = [found for found in site.rules() if found[0].startswith(("site-unknown", "site-ambiguous"))]
    assert sorted(found) == [
        ("site-ambiguous-unit", "a.yaml:14"),
        ("site-ambiguous-unit", "a.yaml:14"),
        ("site-unknown-pop", "a.yaml:14"),
    ]
    assert "which is a POP (at a.yaml:1:" in site.messages("site-ambiguous-unit")[0]
    assert "refers to POP or pool 'nope'" in site.messages("site-unknown-pop")[0]


def test_a_pop_and_a_pool_of_one_name_are_fine_where_nothing_asks_which(site):
    text = WORLD.replace("failover: [fra, eu]", "failover: [fra]").replace("sin: }", "sin: , us: }")
    site.write("a.yaml", text).load()
    assert site.rules() == []


@pytest.mark.parametrize("where", ["name", "pool"])
def test_same_pop_is_not_for_pools_of_pools(site, where):
    text = WORLD + "  \n"
    policies = "policies: {near: [failover: [fra, eu]], same: [same_pop, sticky]}\n"
    text = text.replace(POLICIES, policies)
    if where == "name":
        text = text.replace("{pool: world}", "{pool: world, policy: same}")
        line = 15
    else:
        text = text.replace("  world:\n    policy: near", "  world:\n    policy: same")
        line = 10
    site.write("a.yaml", text).load()
    assert site.rules() == [("site-same-pop", f"a.yaml:{line}")]


def test_distance_needs_coordinates_of_all_that_lies_below(site):
    site.write("a.yaml", WORLD.replace("failover: [fra, eu]", "distance")).load()
    missing = [message.split("'")[1] for message in site.messages("site-pop-without-coordinates")]
    assert missing == ["ams", "sin"]


RECORDS = """\
pops: {fra: }
pools:
  mail:
    when_all_down: nodata
    policy: any
    endpoints:
      - {pop: fra, records: {MX: ["10 mx1.Example.com."], TXT: v=spf1 -all}}
      - {pop: fra, address: 192.0.2.1, records: {TYPE65280: '\\# 2 0A0B', TXT: ['"a" "b"', '"a" "b"']}}
policies: {any: [weighted]}
names: {example.com: {pool: mail}}
"""


def test_declared_records_are_wire_format(site):
    site.write("a.yaml", RECORDS).load()
    assert site.rules("error", "warning") == []
    first, second = site.config.pools[0].endpoints
    assert first.records == (
        DeclaredRRset(rtype=15, rdata=(b"\0\x0a\3mx1\7Example\3com\0",)),
        DeclaredRRset(rtype=16, rdata=(b"\x06v=spf1\4-all",)),
    )
    assert second.records == (
        DeclaredRRset(rtype=65280, rdata=(b"\x0a\x0b",)),
        DeclaredRRset(rtype=16, rdata=(b"\1a\1b",)),
    )
    assert (first.kinds, second.kinds) == ((15, 16), (1, 65280, 16))


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ("{MX: 10 mx1.example.com}", "relative name; end it with a dot"),
        ("{MX: [10 mx1.example.com., 3]}", "must be record data as text, not 3"),
        ("{MX: [x y.]}", "MX record data is not valid"),
        ("{MX: []}", "must list 1 to 64 records, not 0"),
        ("{MX: {a: b}}", "must be record data as text, not a mapping"),
        ("{NOPE: x}", "must name record types"),
        ("{A: 192.0.2.1}", "write it as the endpoint's address"),
        ("{CNAME: a.test.}", "write it as the endpoint's cname"),
        ("{NS: a.test.}", "no client can be steered by this type"),
        ("{ANY: x}", "no client can be steered by this type"),
        ("{OPT: x}", "no client can be steered by this type"),
        ("{ALIAS: a.test.}", "no client can be steered by this type"),
        ("{TXT: a, TYPE16: b}", "has records of type 'TYPE16' twice"),
        (
            "{" + ", ".join(f"TYPE{number}: '\\# 0'" for number in range(65300, 65317)) + "}",
            "1 to 16 types, not 17",
        ),
        ("{}", "must have 1 to 16 types, not 0"),
        ("[x]", "must be a mapping"),
    ],
)
def test_what_no_endpoint_declares(site, records, words):
    text = RECORDS.replace('{MX: ["10 mx1.Example.com."], TXT: v=spf1 -all}', records)
    site.write("a.yaml", text).load()
    assert site.rules() == [("site-invalid-value", "a.yaml:7")]
    assert words in site.findings[0].message


def test_records_of_an_endpoint_have_a_bound(site, monkeypatch):
    monkeypatch.setattr("gslb.config.records.MAXIMUM_OCTETS", 20)
    text = RECORDS.replace("v=spf1 -all", "[123456789, abcdefghi]").replace("[123456789", "['123456789'")
    assert site.write("a.yaml", text).load().rules() == []
    site.write("a.yaml", text.replace("abcdefghi", "abcdefghij")).load()
    assert site.rules() == [("site-invalid-value", "a.yaml:7")]
    assert "takes 21 octets; at most 20 are possible" in site.findings[0].message


def test_what_a_pool_holds_in_all_has_a_bound(site, monkeypatch):
    monkeypatch.setattr("gslb.config.pool_checks.MAXIMUM_POOLS_BELOW", 6)
    more = "pools: {p: {pools: [world, eu]}, q: {pools: [p]}, r: {pools: [q, us]}}\n"
    site.write("a.yaml", WORLD).write("b.yaml", more).load()
    assert site.rules() == [("site-too-many", "b.yaml:1")]
    assert "pool 'r' holds 8 pools" in site.messages("site-too-many")[0]


@pytest.mark.parametrize("endpoint", ["cname: a.test.", "records: {TXT: hi}"])
def test_what_has_no_address_says_where_it_is_probed(site, endpoint):
    text = f"""\
pops: {{fra: }}
monitors: {{m: {{type: tcp, port: 1}}}}
pools:
  cdn:
    monitor: m
    when_all_down: nodata
    endpoints:
      - {{pop: fra, {endpoint}}}
policies: {{any: [weighted]}}
names: {{www.example.com: {{pool: cdn, policy: any}}}}
"""
    site.write("a.yaml", text).load()
    assert site.rules() == [("site-missing-key", "a.yaml:8")]
    assert "lacks the key 'probe'" in site.findings[0].message
    probed = text.replace(f"{endpoint}}}", f'{endpoint}, probe: "192.0.2.1:80"}}')
    assert site.write("a.yaml", probed).load().rules() == []
    assert site.write("a.yaml", text.replace("    monitor: m\n", "")).load().rules() == []


@pytest.mark.parametrize(
    ("steps", "pops", "is_warned"),
    [
        ("take: 32", ["fra"], True),
        ("failover: [fra, ams]", ["fra"], True),
        ("failover: [fra, ams]", ["fra", "ams"], False),
        ("take: 32, shuffle", ["fra"], True),
        ("take: 2", ["fra", "ams"], True),
        ("weighted", ["fra"], False),
        ("sticky", ["fra"], False),
        ("shuffle, take: 32", ["fra"], False),
    ],
)
def test_equals_beyond_what_an_answer_holds(site, steps, pops, is_warned):
    listed = ", ".join(f"{{pop: {pops[n % len(pops)]}, address: 192.0.2.{n}}}" for n in range(1, 71))
    listed_steps = ", ".join(f"{{{step}}}" if ":" in step else step for step in split_steps(steps))
    text = f"""\
pops: {{{", ".join(f"{pop}: " for pop in ("fra", "ams"))}}}
pools:
  web:
    when_all_down: nodata
    endpoints: [{listed}, {{pop: ams, address: 198.51.100.1}}]
policies: {{any: [{listed_steps}]}}
names: {{www.example.com: {{pool: web, policy: any}}}}
"""
    site.write("a.yaml", text).load()
    assert site.rules() == []
    found = [one for one in site.rules("warning") if one[0] == "site-endpoints-never-answered"]
    assert found == [("site-endpoints-never-answered", "a.yaml:3")] * is_warned


def split_steps(steps):
    return [steps] if "[" in steps else steps.split(", ")


@pytest.mark.parametrize("probe", ["192.0.2.5", "bar.example", '"[2001:db8::1]"', '"2001:db8::1"'])
def test_a_probe_without_a_port_is_probed_at_the_port_of_each_monitor(site, good, probe):
    text = good.replace("{type: http, port: 80}", "{type: http, port: 80}\n  ssh: {type: tcp, port: 22}")
    text = text.replace("monitor: health", "monitor: [health, ssh]")
    site.write("a.yaml", text.replace("192.0.2.1}", f"192.0.2.1, probe: {probe}}}")).load()
    assert site.rules() == []
    endpoint = site.config.pools[0].endpoints[0]
    targets = [probe_target(endpoint, monitor) for monitor in site.config.monitors]
    assert targets == [ProbeTarget(probe.strip('"[]'), port) for port in (80, 22)]


@pytest.mark.parametrize(("monitors", "is_error"), [("c", False), ("[c, c2]", False), ("[c, m]", True)])
def test_commands_can_probe_a_cname_by_its_name(site, monitors, is_error):
    commands = "".join(f", {name}: {{type: command, command: [/bin/true]}}" for name in ("c", "c2"))
    text = f"""\
pops: {{fra: }}
monitors: {{m: {{type: tcp, port: 1}}{commands}}}
pools:
  cdn: {{monitor: {monitors}, when_all_down: nodata, policy: any, endpoints: [{{pop: fra, cname: a.test.}}]}}
  text: {{monitor: c, when_all_down: nodata, policy: any, endpoints: [{{pop: fra, records: {{TXT: hi}}}}]}}
policies: {{any: [weighted]}}
names: {{www.example.com: {{pool: cdn}}, txt.example.com: {{pool: text}}}}
"""
    site.write("a.yaml", text).load()
    lacking = [("site-missing-key", "a.yaml:4")] * is_error
    assert site.rules() == [*lacking, ("site-missing-key", "a.yaml:5")]


MONITORED = """\
pops: {fra: }
monitors: {web: {type: tcp, port: 1}, ssh: {type: tcp, port: 22}}
pools:
  p:
    when_all_down: nodata
    monitor: MONITOR
    endpoints: [{pop: fra, address: 192.0.2.1}]
policies: {any: [weighted]}
names: {www.example.com: {pool: p, policy: any}}
"""


def test_a_pool_may_have_several_monitors(site):
    site.write("a.yaml", MONITORED.replace("MONITOR", "[ssh, web]")).load()
    assert site.rules() == []
    assert site.config.pools[0].monitors == ("ssh", "web")


@pytest.mark.parametrize(
    ("monitors", "rule", "message"),
    [
        ("[web, wob]", "site-unknown-monitor", "refers to monitor 'wob', which is not defined; did you mean"),
        ("[web, web]", "site-invalid-value", "monitor of pool 'p' lists 'web' twice"),
        ("[]", "site-invalid-value", "monitor of pool 'p' must list 1 to 8 monitors, not 0"),
        (
            f"[{', '.join(f'm{n}' for n in range(9))}]",
            "site-invalid-value",
            "must list 1 to 8 monitors, not 9",
        ),
        ("[web, 7]", "site-invalid-value", "monitor of pool 'p' must be a name, not 7"),
        ("{web: 1}", "site-invalid-value", "monitor of pool 'p' must be a name"),
    ],
)
def test_errors_in_a_list_of_monitors_have_their_place(site, monitors, rule, message):
    site.write("a.yaml", MONITORED.replace("MONITOR", monitors)).load()
    assert (rule, "a.yaml:6") in site.rules()
    assert message in site.messages(rule)[0]
