"""Steps of policies: every form, good and bad."""

import pytest

from gslb.model.site import (
    DistanceStep,
    GeoRule,
    GeoStep,
    LatencyStep,
    LocationKind,
    Milliseconds,
    Mode,
    Percent,
    SamePopStep,
    ShedStep,
    ShuffleStep,
    StickyStep,
    WeightedStep,
)


def rule(kind, value, *units):
    return (kind, value, units)


def steps(site, good, *written):
    site.write(
        "a.yaml", good.replace("- failover: [fra, ams]", "\n    - ".join([f"- {written[0]}", *written[1:]]))
    )
    site.load()
    return site.config.policies[0].steps if site.config.policies else ()


@pytest.mark.parametrize(
    ("written", "step"),
    [
        ("latency", LatencyStep()),
        ("latency: {}", LatencyStep()),
        ("latency: {tolerance: 5ms}", LatencyStep(tolerance=Milliseconds(milliseconds=5))),
        ("latency: {tolerance: 10%}", LatencyStep(tolerance=Percent(percent=10))),
        ("distance", DistanceStep()),
        ("distance: {bias: {}}", DistanceStep()),
        (
            "distance: {bias: {fra: -500km, ams: 200, web: 0.5}}",
            DistanceStep(bias=(("fra", -500), ("ams", 200), ("web", 0.5))),
        ),
        ("weighted", WeightedStep()),
        ("sticky", StickyStep(ipv4=24, ipv6=56)),
        ("sticky:", StickyStep(ipv4=24, ipv6=56)),
        ("sticky: {ipv4: 32}", StickyStep(ipv4=32, ipv6=56)),
        ("sticky: {ipv4: 1, ipv6: 128}", StickyStep(ipv4=1, ipv6=128)),
        ("shed: {low: 0, high: 10}", ShedStep(low=0, high=10)),
        ("shed: {low: 0.7, high: 0.95}", ShedStep(low=0.7, high=0.95)),
        ("shuffle", ShuffleStep()),
        ("same_pop", SamePopStep()),
    ],
)
def test_a_step(site, good, written, step):
    assert steps(site, good, written) == (step,)
    assert site.rules() == []


@pytest.mark.parametrize(
    ("written", "kind", "mode", "rules"),
    [
        (
            "asn: {64511: [ams, fra], AS1: web}",
            "asn",
            Mode.PREFER,
            [("64511", ("ams", "fra")), ("1", ("web",))],
        ),
        ("asn: {mode: fence, 1: fra}", "asn", Mode.FENCE, [("1", ("fra",))]),
        (
            "subnet: {203.0.113.0/24: [fra], mode: prefer, '2001:db8::/32': ams}",
            "subnet",
            Mode.PREFER,
            [("203.0.113.0/24", ("fra",)), ("2001:db8::/32", ("ams",))],
        ),
    ],
)
def test_a_step_of_rules_of_one_kind(site, good, written, kind, mode, rules):
    (step,) = steps(site, good, written)
    assert isinstance(step, GeoStep)
    assert (step.step, step.mode) == (kind, mode)
    assert [(one.value, one.units) for one in step.rules] == rules
    assert all(isinstance(one, GeoRule) and one.kind is LocationKind(kind) for one in step.rules)
    assert site.rules("error", "warning") == (
        [("site-geo-without-database", "a.yaml:14")] if kind == "asn" else []
    )


@pytest.mark.parametrize(
    ("written", "rule", "words"),
    [
        ("latency: 5ms", "site-invalid-value", "must be a mapping"),
        (
            "latency: {tolerance: 5}",
            "site-invalid-value",
            "tolerance of the step latency of policy 'near' must be",
        ),
        ("latency: {tolerence: 5ms}", "site-unknown-key", "did you mean 'tolerance'?"),
        ("distance: 3", "site-invalid-value", "must be a mapping"),
        ("distance: {bias: [fra]}", "site-invalid-value", "must be a mapping"),
        ("distance: {bias: {fra: near}}", "site-invalid-value", "the bias of 'fra' must be kilometres"),
        ("distance: {bias: {fra: 20001}}", "site-invalid-value", "from -20000 to 20000"),
        ("distance: {bias: {frra: 1}}", "site-unknown-pop", "did you mean 'fra'?"),
        ("sticky: 24", "site-invalid-value", "must be a mapping"),
        ("sticky: {ipv4: 33}", "site-invalid-value", "from 1 to 32"),
        ("sticky: {ipv4: 0}", "site-invalid-value", "from 1 to 32"),
        ("sticky: {ipv6: 129}", "site-invalid-value", "from 1 to 128"),
        ("shed", "site-invalid-value", "write shed: {low: 0.7, high: 0.95}"),
        ("shed: {low: 0.7}", "site-missing-key", "lacks the key 'high'"),
        ("shed: {low: 0.7, high: 0.7}", "site-invalid-value", "low (0.7) must be less than high (0.7)"),
        ("shed: {low: -1, high: 1}", "site-invalid-value", "from 0 to 10"),
        ("shed: {low: 1, high: 10.5}", "site-invalid-value", "from 0 to 10"),
        ("shuffle: {}", "site-invalid-value", "takes no settings"),
        ("same_pop: 1", "site-invalid-value", "takes no settings"),
        ("asn", "site-invalid-value", "write asn: {64511: [fra]}"),
        ("asn: [fra]", "site-invalid-value", "write asn: {64511: [fra]}"),
        ("asn: {}", "site-invalid-value", "asn must have 1 to 65,536 rules, not 0"),
        ("asn: {mode: fence}", "site-invalid-value", "asn must have 1 to 65,536 rules, not 0"),
        ("asn: {1: fra, mode: fance}", "site-invalid-value", "did you mean 'fence'?"),
        ("asn: {DE: fra}", "site-invalid-location", "asn: "),
        ("asn: {DE: fra}", "site-invalid-location", "no AS number"),
        ("asn: {1: fra, AS1: ams}", "site-duplicate-rule", "asn: '1' already has a rule"),
        ("asn: {1: []}", "site-invalid-value", "asn: 1 "),
        ("geo: {asn: {1: []}}", "site-invalid-value", "geo: asn 1 "),
        ("subnet: {192.0.2.1/24: fra}", "site-invalid-location", "subnet: "),
        ("subnet: {192.0.2.1/24: fra}", "site-invalid-location", "host bits"),
        ("subnet: {192.0.2.0/24: [frra]}", "site-unknown-pop", "did you mean 'fra'?"),
        ("sticki", "site-unknown-step", "did you mean 'sticky'?"),
    ],
)
def test_one_mistake_gives_one_clear_error(site, good, written, rule, words):
    steps(site, good, written)
    assert [found for found, _ in site.rules()] == [rule]
    assert words in site.messages(rule)[0]


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        (["same_pop", "sticky", "take: 1"], []),
        (["same_pop", "distance", "shuffle"], []),
        (["sticky", "same_pop"], [16]),
        (["same_pop", "same_pop"], [16]),
        (["same_pop", "weighted"], [16]),
        (["same_pop", "distance", "shed: {low: 0, high: 1}"], [17]),
        (["same_pop", "shuffle", "take: 1"], [16]),
        (["weighted", "same_pop", "shed: {low: 0, high: 1}"], [15, 16, 17]),
    ],
)
def test_same_pop_is_first_and_nothing_draws_anew(site, good, written, lines):
    steps(site, good, *written)
    assert site.rules() == [("site-same-pop", f"a.yaml:{line}") for line in lines]
