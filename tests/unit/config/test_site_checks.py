"""Checks across declarations, and latency tables."""

import pytest


def test_unknown_references_are_errors_with_suggestions(site, good):
    text = (
        good.replace("pop: ams", "pop: amss")
        .replace("monitor: health", "monitor: helth")
        .replace("[fra, ams]", "[fra, amss]")
        .replace("{pool: web, policy: near}", "{pool: wep, policy: far}")
    )
    site.write("a.yaml", text).load()
    assert site.rules() == [
        ("site-unknown-monitor", "a.yaml:8"),
        ("site-unknown-pop", "a.yaml:12"),
        ("site-unknown-pop", "a.yaml:15"),
        ("site-unknown-pool", "a.yaml:17"),
        ("site-unknown-policy", "a.yaml:17"),
    ]
    assert "did you mean 'ams'?" in site.messages("site-unknown-pop")[0]


def test_a_definition_with_errors_is_still_known(site, good):
    site.write("a.yaml", good.replace("latitude: 50.1", "latitude: 500")).load()
    assert site.rules("error", "warning") == [("site-invalid-value", "a.yaml:2")]


@pytest.mark.parametrize("name", ["x.example.com", "www.example.com", "x..example.com"])
def test_a_name_with_errors_hides_no_unknown_reference(site, good, name):
    site.write("a.yaml", good)
    site.write("b.yaml", f"names:\n  {name}: {{pool: zz, policy: nope, foo: 1}}\n").load()
    rules = [rule for rule, _ in site.rules("error", "warning")]
    of_name = {"www.example.com": ["site-duplicate-name"], "x..example.com": ["site-invalid-name"]}
    found = ["site-unknown-key", "site-unknown-pool", "site-unknown-policy", *of_name.get(name, [])]
    assert sorted(rules) == sorted(found)


def test_a_pool_with_errors_hides_no_unknown_reference(site, good):
    pools = """\
pools:
  p:
    foo: 1
    monitor: helth
    endpoints:
      - {pop: frr, address: x}
      - {pop: amm, address: 192.0.2.1}
      - {pop: ams, address: 192.0.2.1, weight: x}
      - 3
"""
    site.write("a.yaml", good).write("b.yaml", pools).load()
    assert site.rules("error", "warning") == [
        ("site-unused-pool", "b.yaml:2"),
        ("site-unknown-key", "b.yaml:3"),
        ("site-unknown-monitor", "b.yaml:4"),
        ("site-unknown-pop", "b.yaml:6"),
        ("site-invalid-value", "b.yaml:6"),
        ("site-unknown-pop", "b.yaml:7"),
        ("site-duplicate-endpoint", "b.yaml:8"),
        ("site-invalid-value", "b.yaml:8"),
        ("site-invalid-value", "b.yaml:9"),
    ]


def test_a_policy_with_errors_hides_no_unknown_reference(site, good):
    policies = """\
policies:
  p:
    foo: 1
    steps:
      - geo:
          mode: nope
          country:
            de: [k1]
            DE: [k2, 3, k2]
          asn: {1: k3, AS1: k4}
          default: k5
      - failover: {mode: nope, tiers: [k6, [k7, k7], fra, [fra, k8]]}
      - {failover: [k9], take: 2}
      - nope
"""
    site.write("a.yaml", good).write("b.yaml", policies).load()
    assert sorted(message.split("'")[3] for message in site.messages("site-unknown-pop")) == [
        f"k{number}" for number in range(1, 10)
    ]
    assert sorted(rule for rule, _ in site.rules() if rule != "site-unknown-pop") == [
        "site-duplicate-rule",
        "site-invalid-location",
        *["site-invalid-value"] * 6,
        "site-unknown-key",
        "site-unknown-step",
    ]


@pytest.mark.parametrize("more", [1, 16])
def test_a_list_too_long_hides_no_unknown_reference(site, good, more):
    steps = "\n".join(["    - failover: [zz]"] + ["    - weighted"] * more)
    site.write("a.yaml", good).write("b.yaml", f"policies:\n  near:\n{steps}\n").load()
    rules = [rule for rule, _ in site.rules("error", "warning")]
    assert rules == ["site-duplicate-policy", *["site-invalid-value"] * (more == 16), "site-unknown-pop"]


def test_a_definition_whose_name_is_no_good_is_still_known(site, good):
    text = good.replace("near", "-near").replace("web", "a web").replace("fra", "f/a")
    text += "rules: {policy_: {forbidden_types: A}}\nchecks: {silence: [policy_]}\n"
    site.write("a.yaml", text.replace("health", "_health")).load()
    assert [rule for rule, _ in site.rules("error", "warning")] == ["site-invalid-name"] * 5


@pytest.mark.parametrize(
    "name",
    [
        "names: {www.example.com: {pool: web, policy: near, foo: 1}}",
        "names: {www..com: {pool: web, policy: near}}",
        "names: {www.example.com: {pool: [web], policy: near}}",
        "names: [www.example.com]",
        "names: {www.example.com: [",
        "name: {www.example.com: {pool: web, policy: near}}",
    ],
)
def test_what_an_erroneous_name_may_use_is_not_said_to_be_unused(site, good, name):
    site.write("a.yaml", good[: good.index("names:")]).write("b.yaml", name + "\n").load()
    assert len(site.rules("error")) == 1
    assert site.rules("warning") == []


def test_latency_and_geo_data_with_errors_are_not_said_to_be_missing(site, good):
    text = good.replace("    - failover: [fra, ams]", "    - latency\n    - distance")
    text += "latency: {table: nowhere.csv}\ngeo: {databases: 3}\n"
    site.write("a.yaml", text).load()
    assert [rule for rule, _ in site.rules("error", "warning")] == [
        "site-missing-latency-table",
        "site-invalid-value",
    ]


def test_what_nothing_uses_is_a_warning(site, good):
    more = """\
pops: {sin: }
monitors: {spare: {type: tcp, port: 1}}
pools: {idle: {monitor: health, when_all_down: nodata, endpoints: [{pop: fra, address: 192.0.2.9}]}}
policies: {unused: [weighted]}
"""
    site.write("a.yaml", good).write("b.yaml", more).load()
    assert site.rules("error", "warning") == [
        ("site-unused-pop", "b.yaml:1"),
        ("site-unused-monitor", "b.yaml:2"),
        ("site-unused-pool", "b.yaml:3"),
        ("site-unused-policy", "b.yaml:4"),
    ]


def test_a_default_that_matters_is_said(site, good):
    site.write("a.yaml", good.replace("    when_all_down: nodata\n", "")).load()
    assert site.rules("error", "warning", "info") == [("site-when-all-down-default", "a.yaml:7")]
    assert "serve_all" in site.findings[0].message


@pytest.mark.parametrize(
    ("line", "severity", "rule"),
    [
        ("    unknown_counts: down\n", "warning", "site-pool-always-down"),
        ("    unknown_counts: up\n", "info", "site-pool-without-monitor"),
        ("", "info", "site-pool-without-monitor"),
    ],
)
def test_a_pool_without_a_monitor(site, good, line, severity, rule):
    site.write("a.yaml", good.replace("    monitor: health\n", line)).load()
    assert (rule, "a.yaml:7") in site.rules(severity)


def test_weights_all_zero_within_a_family(site, good):
    text = good.replace("192.0.2.1}", "192.0.2.1, weight: 0}").replace("192.0.2.2}", "'2001:db8::1'}")
    site.write("a.yaml", text).load()
    assert site.rules() == [("site-weights-all-zero", "a.yaml:7")]
    assert "IPv4" in site.findings[0].message


def test_an_address_twice_in_a_pool(site, good):
    site.write("a.yaml", good.replace("192.0.2.2", "192.0.2.1")).load()
    assert site.rules() == [("site-duplicate-endpoint", "a.yaml:12")]
    assert "a.yaml:11:9" in site.findings[0].message


def test_settings_without_effect(site, good):
    text = good.replace("type: http, port: 80", "type: tcp, port: 80, path: /x, verify_tls: false")
    site.write("a.yaml", text).load()
    assert site.rules("warning") == [("site-setting-without-effect", "a.yaml:5")] * 2


def test_distance_without_coordinates_or_database(site, good):
    text = good.replace("ams: {latitude: 52.4, longitude: 4.9}", "ams:").replace(
        "- failover: [fra, ams]", "- distance"
    )
    site.write("a.yaml", text).load()
    assert site.rules("warning") == [
        ("site-pop-without-coordinates", "a.yaml:3"),
        ("site-geo-without-database", "a.yaml:14"),
    ]


def test_subnet_rules_need_no_database(site, good):
    steps = "- geo: {subnet: {192.0.2.0/24: [fra]}, default: [ams]}"
    site.write("a.yaml", good.replace("- failover: [fra, ams]", steps)).load()
    assert site.findings == ()


def test_latency_without_rows(site, good):
    site.write("a.yaml", good.replace("- failover: [fra, ams]", "- latency")).load()
    assert site.rules("warning") == [("site-latency-without-table", "a.yaml:14")]


def with_table(site, good, table):
    text = good.replace("- failover: [fra, ams]", "- latency") + "latency: {table: latency.csv}\n"
    return site.write("a.yaml", text).write("latency.csv", table).load()


def test_a_latency_table(site, good):
    table = (
        "location,pop,ms\r\n# note\r\n\r\ncountry:DE, fra ,12.5\r\n"
        '"asn:3320","ams","0"\r\ndefault,ams,60000\r\n'
    )
    with_table(site, good, table)
    assert site.findings == ()
    assert [(row.kind, row.value, row.pop, row.milliseconds) for row in site.config.latency] == [
        ("country", "DE", "fra", 12.5),
        ("asn", "3320", "ams", 0.0),
        ("default", "", "ams", 60000.0),
    ]
    assert site.config.latency[0].place.line == 4


def test_every_error_of_a_latency_table(site, good):
    table = (
        "location,pop,ms\ncountry:de,fra,1\ncountry:DE,frb,1\ncountry:DE,fra,-1\ncountry:DE,fra,nan\n"
        "country:DE,fra\ncountry:DE,ams,1\ncountry:DE,ams,2\ncountry:de,frb,-1\n"
    )
    with_table(site, good, table)
    assert site.rules() == [
        ("site-invalid-location", "latency.csv:2"),
        ("site-unknown-pop", "latency.csv:3"),
        ("site-latency-syntax", "latency.csv:4"),
        ("site-latency-syntax", "latency.csv:5"),
        ("site-latency-syntax", "latency.csv:6"),
        ("site-duplicate-latency", "latency.csv:8"),
        ("site-invalid-location", "latency.csv:9"),
        ("site-latency-syntax", "latency.csv:9"),
        ("site-unknown-pop", "latency.csv:9"),
    ]
    assert "latency.csv:7" in site.messages("site-duplicate-latency")[0]


@pytest.mark.parametrize("table", ["", "pop,ms\n", "# nothing\n", "a" * 200_000])
def test_a_latency_table_without_its_header(site, good, table):
    with_table(site, good, table)
    assert [rule for rule, _ in site.rules()] == ["site-latency-syntax"]


FENCES = """\
pops: {fra: , ams: }
pools:
  web: {when_all_down: nodata, endpoints: [{pop: fra, address: 192.0.2.1}]}
  other: {policy: plain, endpoints: [{pop: ams, address: 192.0.2.2}]}
  all: {when_all_down: nodata, policy: members, pools: [web, other]}
policies:
  plain: [weighted]
  members: [failover: [web, other]]
  fenced: [STEPS]
names:
  www.example.com: {pool: web, policy: fenced}
  w2.example.com: {pool: web, policy: fenced}
  all.example.com: {pool: all}
geo: {overrides: geo.csv}
"""
OVERRIDES = "network,continent,country,subdivision,asn,latitude,longitude\n192.0.2.0/24,EU,DE,,64511,,\n"


@pytest.mark.parametrize(
    ("steps", "step"),
    [
        ("failover: {mode: fence, tiers: [ams]}", "failover"),
        ("weighted; failover: {mode: fence, tiers: [[ams, other]]}", "failover"),
        ("geo: {mode: fence, country: {DE: ams}, default: [other, ams]}", "geo"),
        ("geo: {mode: fence, default: [fra]}; failover: {mode: fence, tiers: [ams]}", "failover"),
        ("failover: {mode: fence, tiers: [fra, ams]}", None),
        ("failover: [ams]", None),
        ("geo: {mode: fence, country: {DE: fra}, default: ams}", None),
        ("geo: {default: ams}", None),
        ("asn: {64511: ams, mode: fence}", None),
        ("subnet: {192.0.2.0/24: ams, mode: fence}", None),
    ],
)
def test_fences_that_leave_nothing_of_a_pool(site, steps, step):
    listed = "".join(f"\n    - {one}" for one in steps.split("; "))
    site.write("geo.csv", OVERRIDES).write("a.yaml", FENCES.replace(" [STEPS]", listed)).load()
    rule = "site-fence-lets-nothing-pass"
    found = [] if step is None else [(rule, "a.yaml:9")]
    assert site.rules("error", "warning") == found
    if step:
        (message,) = site.messages(rule)
        assert (
            f"leaves nothing of pool 'web', so nobody is answered with it: its {step} has mode: fence"
            in message
        )
        assert "the pool has fra; list units of the pool" in message


def test_a_fence_around_members(site):
    text = FENCES.replace("[STEPS]", "[failover: {mode: fence, tiers: [fra]}]")
    text = text.replace(
        "members: [failover: [web, other]]", "members: [failover: {mode: fence, tiers: [fra]}]"
    )
    site.write("geo.csv", OVERRIDES).write("a.yaml", text).load()
    assert site.rules("error", "warning") == [("site-fence-lets-nothing-pass", "a.yaml:8")]
    assert "the pool has other, web" in site.messages("site-fence-lets-nothing-pass")[0]


def test_a_fence_that_lists_what_is_not_defined_is_told_of_once(site):
    site.write("geo.csv", OVERRIDES).write(
        "a.yaml", FENCES.replace("[STEPS]", "[failover: {mode: fence, tiers: [amss]}]")
    ).load()
    assert site.rules("error", "warning") == [("site-unknown-pop", "a.yaml:9")]
