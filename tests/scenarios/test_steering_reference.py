"""The reference itself, on examples small enough to work out by hand."""

from __future__ import annotations

from ipaddress import ip_address
from random import Random

import maxminddb
import pytest

from tests.scenarios.steering_cases import clients, geography
from tests.scenarios.steering_documents import document, endpoint, geo, name, pool, rule
from tests.scenarios.steering_geography import Geography, Location, kilometres, write_databases
from tests.scenarios.steering_query import AAAA, DOWN, DRAINED, LAST_GOOD, A
from tests.scenarios.steering_reference import Reference
from tests.scenarios.steering_sticky import fnv1a64, sticky_prefix

GEOGRAPHY = Geography(
    (
        (
            ("10.0.0.0/8", Location("EU", "DE", None, 64500, (50.0, 8.0))),
            ("10.1.0.0/16", Location("EU", "FR")),
        ),
    ),
    (("10.2.0.0/16", Location("EU", "NL")),),
)
THREE = (endpoint(0, "192.0.2.1"), endpoint(1, "192.0.2.2"), endpoint(2, "192.0.2.3"))
GERMAN = "10.9.9.9"
MX = 15


def answers(
    steps, *, endpoints=THREE, client=GERMAN, verdicts=None, loads=b"", rtype=A, place=GEOGRAPHY, **rest
):
    """All answers of one pool by one policy, and the outcome where there are none."""
    made = document([pool(*endpoints, when_all_down="nodata")], [steps], [name(0, 0)], **rest)
    expected = Reference(made, place).decide(0, rtype, client, verdicts or bytes(len(endpoints)), loads)
    return sorted(expected.answers) if expected.outcome == "answer" else expected.outcome


RULES = (rule("country", "DE", 2, 1), rule("continent", "EU", 1), rule("default", "", 0))


@pytest.mark.parametrize(
    ("client", "mode", "expected"),
    [
        (GERMAN, "prefer", [(2, 1, 0)]),
        (GERMAN, "fence", [(2, 1)]),
        ("10.1.0.1", "fence", [(1,)]),
        ("::ffff:10.1.0.1", "fence", [(1,)]),
        ("10.2.0.1", "fence", [(1,)]),
        ("192.0.2.1", "fence", [(0,)]),
    ],
)
def test_the_most_specific_rule_decides_alone(client, mode, expected):
    assert answers([geo(*RULES, mode=mode), {"step": "take", "count": 3}], client=client) == expected


@pytest.mark.parametrize("step", ["asn", "geo"])
def test_without_a_rule_all_are_equals_or_fenced_unless_no_default_is_possible(step):
    assert answers([geo(rule("asn", "1", 2), step=step)]) == [(0, 1, 2)]
    fenced = answers([geo(rule("asn", "1", 2), step=step, mode="fence")])
    assert fenced == ([(0, 1, 2)] if step == "asn" else "nodata")
    assert answers([geo(rule("asn", "64500", 2), step=step, mode="fence")]) == [(2,)]


def test_later_steps_order_what_earlier_ones_left_equal():
    tiers = {"step": "failover", "mode": "prefer", "tiers": [[2]]}
    steps = [geo(rule("country", "DE", 0)), tiers, {"step": "take", "count": 32}]
    assert answers(steps) == [(0, 2, 1)]


@pytest.mark.parametrize(
    ("tolerance", "expected"),
    [(None, [(1,)]), ({"milliseconds": 5}, [(0, 1)]), ({"percent": 50}, [(0, 1)]), ({"percent": 49}, [(1,)])],
)
def test_bands_of_latency_are_inclusive(tolerance, expected):
    rows = [
        {"kind": "default", "value": "", "pop": 0, "milliseconds": 15},
        {"kind": "country", "value": "DE", "pop": 1, "milliseconds": 10},
        {"kind": "default", "value": "", "pop": 1, "milliseconds": 99},
        {"kind": "default", "value": "", "pop": 2, "milliseconds": 17},
    ]
    assert answers([{"step": "latency", "tolerance": tolerance}], latency=rows) == expected


def test_bands_do_not_move_when_their_best_fails():
    rows = [{"kind": "default", "value": "", "pop": pop, "milliseconds": 10 + 4 * pop} for pop in range(3)]
    steps = [{"step": "latency", "tolerance": {"milliseconds": 5}}]
    assert answers(steps, latency=rows) == [(0, 1)]
    assert answers(steps, latency=rows, verdicts=bytes([DOWN, 0, 0])) == [(1,)]


def test_distance_with_bias():
    assert kilometres((0, 0), (0, 90)) == pytest.approx(10_007.5, abs=0.1)
    places = ((50.0, 9.0), (48.0, 2.0), None, None)
    take = {"step": "take", "count": 3}
    assert answers([{"step": "distance", "bias": []}, take], pops=places) == [(0, 1, 2)]
    assert answers([{"step": "distance", "bias": [[1, -2000]]}, take], pops=places) == [(1, 0, 2)]
    assert answers([{"step": "distance"}], pops=places, client="192.0.2.1") == [(0, 1, 2)]


def test_weight_zero_is_for_when_nothing_else_is_left():
    two = (endpoint(0, "192.0.2.1", 0), endpoint(1, "192.0.2.2", 1), endpoint(2, "192.0.2.3", 9))
    assert answers([{"step": "weighted"}], endpoints=two) == [(1,), (2,)]
    assert answers([{"step": "weighted"}], endpoints=two, verdicts=bytes([0, DOWN, DRAINED])) == [(0,)]


SHED = {"step": "shed", "low": 0.5, "high": 0.9}
STICKY = {"step": "sticky", "ipv4": 24, "ipv6": 56}
FIRST = {"step": "failover", "mode": "prefer", "tiers": [[0], [1]]}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([FIRST, {"step": "weighted"}], [(1,)]),
        ([FIRST, STICKY, {"step": "take", "count": 3}], [(1, 2, 0)]),
        ([SHED, FIRST, {"step": "weighted"}, {"step": "take", "count": 3}], [(1, 2, 0)]),
        ([FIRST, STICKY, SHED, {"step": "take", "count": 3}], [(1, 2, 0)]),
        ([FIRST, {"step": "take", "count": 1}, {"step": "weighted"}], [(0,)]),
        ([{"step": "take", "count": 3}, FIRST, {"step": "weighted"}], [(1,)]),
        ([FIRST, {"step": "shuffle"}], [(0,)]),
    ],
)
def test_weight_zero_is_behind_what_other_steps_put_last_up_to_a_take(steps, expected):
    three = (endpoint(0, "192.0.2.1", 0), endpoint(1, "192.0.2.2", 1), endpoint(2, "192.0.2.3", 9))
    loads = b"\xff\xff" + (2_000).to_bytes(2, "big") * 2 + b"\xff\xff"
    assert answers(steps, endpoints=three, loads=loads) == expected


def test_shed_between_the_watermarks_is_drawn():
    steps = [{"step": "shed", "low": 0.5, "high": 0.9}]
    at = {
        load: answers(steps, loads=load.to_bytes(2, "big") + b"\xff\xff" * 3)
        for load in (500, 501, 900, 65_535)
    }
    assert at == {500: [(0, 1, 2)], 501: [(0, 1, 2), (1, 2)], 900: [(1, 2)], 65_535: [(0, 1, 2)]}


def test_shuffle_leaves_equals_and_take_makes_them():
    assert len(answers([{"step": "shuffle"}])) == 6
    assert answers([{"step": "shuffle"}, {"step": "take", "count": 1}]) == [(0,), (1,), (2,)]


def test_same_pop_wants_both_families_and_other_kinds_are_asked_by_type():
    endpoints = (
        endpoint(0, "192.0.2.1"),
        endpoint(0, "2001:db8::1"),
        endpoint(1, "192.0.2.2", records=[{"type": MX, "rdata": ["00"]}]),
    )
    steps = [{"step": "same_pop"}]
    assert answers(steps, endpoints=endpoints) == [(0, 2)]
    assert answers(steps, endpoints=endpoints, verdicts=bytes([0, DOWN, 0])) == [(0, 2)]
    assert answers(steps, endpoints=endpoints, rtype=AAAA) == [(1,)]
    assert answers(steps, endpoints=endpoints, rtype=MX) == [(2,)]
    assert answers(steps, endpoints=endpoints, rtype=16) == "not_offered"


@pytest.mark.parametrize(
    ("states", "ipv4", "ipv6"),
    [
        ("uuuu", (0,), (2,)),
        ("uudu", (1,), (3,)),
        ("duuu", (1,), (3,)),
        ("duud", (1,), (2,)),
        ("udrd", (0,), (3,)),
        ("dduu", (0,), (2,)),
        ("rruu", (0,), (2,)),
        ("mddm", (0,), (3,)),
        ("rddr", (1,), (2,)),
        ("dddd", (0,), (2,)),
        ("rrrr", (0,), (2,)),
    ],
)
def test_same_pop_gives_way_rather_than_answer_nothing(states, ipv4, ipv6):
    endpoints = [endpoint(pop, f"192.0.2.{pop}") for pop in (0, 1)]
    endpoints += [endpoint(pop, f"2001:db8::{pop}") for pop in (0, 1)]
    steps = [{"step": "same_pop"}, FIRST, {"step": "take", "count": 1}]
    made = document([pool(*endpoints, when_all_down="last_good")], [steps], [name(0, 0)])
    octets = {"u": 0, "d": DOWN, "r": DRAINED, "m": DOWN | LAST_GOOD}
    verdicts = bytes(octets[state] for state in states)
    for kind, expected in ((A, ipv4), (AAAA, ipv6)):
        assert Reference(made, GEOGRAPHY).decide(0, kind, GERMAN, verdicts).answers == {expected}


def test_pops_of_one_family_do_not_keep_same_pop_from_giving_way():
    endpoints = (
        endpoint(0, "192.0.2.1"),
        endpoint(0, "2001:db8::1"),
        endpoint(1, "192.0.2.2"),
        endpoint(1, "2001:db8::2"),
        endpoint(2, "192.0.2.3"),
    )
    at = {
        states: [
            answers([{"step": "same_pop"}], endpoints=endpoints, verdicts=bytes(states), rtype=rtype)
            for rtype in (A, AAAA)
        ]
        for states in ((0, DOWN, 0, 0, 0), (0, DOWN, DOWN, 0, 0))
    }
    assert at == {
        (0, DOWN, 0, 0, 0): [[(2, 4)], [(3,)]],
        (0, DOWN, DOWN, 0, 0): [[(0, 4)], [(3,)]],
    }


def test_the_hash_of_sticky():
    assert fnv1a64(b"") == 0xCBF29CE484222325
    assert fnv1a64(b"foobar") == 0x85944171F73967E8  # the authors' test vector
    assert sticky_prefix(ip_address("192.0.2.255"), 25, 56) == bytes([4, 192, 0, 2, 128])
    assert sticky_prefix(ip_address("2001:db8::1"), 25, 0) == bytes([6]) + bytes(16)


def world(when_all_down="last_good", **rest):
    """Two pools of two, and one of both that wants all of its members."""
    leaves = [
        pool(endpoint(0, "192.0.2.1"), endpoint(1, "192.0.2.2"), min_healthy={"ipv4": {"fraction": 0.51}}),
        pool(endpoint(2, "192.0.2.3"), endpoint(3, "192.0.2.4")),
    ]
    root = pool(members=(1, 0), when_all_down=when_all_down, **rest)
    return Reference(
        document([*leaves, root], [[{"step": "take", "count": 1}], []], [name(2, 0)]), Geography()
    )


@pytest.mark.parametrize(
    ("verdicts", "outcome", "answer", "ttl"),
    [
        ([0, 0, 0, 0], "answer", (2, 3), 60),
        ([0, 0, 0, DRAINED], "answer", (2,), 60),
        ([0, 0, 0, DOWN], "answer", (2,), 47),
        ([0, 0, DOWN, DOWN], "answer", (0, 1), 35),
        ([0, DOWN, DOWN, DRAINED], "answer", (2,), 10),
        ([LAST_GOOD, DOWN, DOWN, DRAINED | LAST_GOOD], "answer", (0,), 10),
        ([DRAINED, DRAINED, DRAINED, DRAINED], "answer", (2, 3), 10),
    ],
)
def test_pools_of_pools(verdicts, outcome, answer, ttl):
    expected = world().decide(0, A, "192.0.2.1", bytes(verdicts))
    assert (expected.outcome, expected.answers, expected.ttl) == (outcome, {answer}, ttl)


def test_a_pool_of_pools_counts_members():
    both = world("servfail", min_healthy={"ipv4": {"count": 2}})
    assert both.decide(0, A, "192.0.2.1", bytes(4)).outcome == "answer"
    assert both.decide(0, A, "192.0.2.1", bytes([0, 0, DOWN, DOWN])).outcome == "servfail"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (((0, 100), (1, 100)), [2], [(0,), (2,)]),
        (((0, 100), (1, 65_535)), [2], [(0,), (2,)]),
        (((0, 100), (1, 100)), [9], [(), (0,)]),
        (((0, 100),), [2], [(0,)]),
        (((1, 100),), [2], [(2,)]),
        (((1, 100),), [9], "nodata"),
    ],
)
def test_a_member_that_drew_what_its_own_fence_drops_does_not_count(first, second, expected):
    """The first member draws one of its POPs and keeps POP 0 alone; the second keeps those of ``second``."""
    draws = [{"step": "weighted"}, {"step": "take", "count": 1}]
    fences = [{"step": "failover", "mode": "fence", "tiers": [kept]} for kept in ([0], second)]
    pools = [
        pool(*(endpoint(pop, f"192.0.2.{pop}", weight) for pop, weight in first), policy=0),
        pool(endpoint(2, "192.0.2.9"), policy=1),
    ]
    root = pool(members=(0, 1), when_all_down="nodata")
    in_order = {"step": "failover", "mode": "prefer", "tiers": [[4], [5]]}
    made = document([*pools, root], [[*draws, fences[0]], [fences[1]], [in_order]], [name(2, 2)])
    reference = Reference(made, GEOGRAPHY)
    answer = reference.decide(0, A, GERMAN, bytes(len(first) + 1))
    pops = sorted(tuple(reference.endpoints[number]["pop"] for number in one) for one in answer.answers)
    assert (pops if answer.outcome == "answer" else answer.outcome) == expected


@pytest.mark.parametrize(
    ("total", "fraction", "need"), [(25, 0.28, 7), (100, 0.07, 7), (3, 0.34, 2), (4, 0.01, 1)]
)
def test_fractions_are_decimal_and_rounded_up(total, fraction, need):
    endpoints = [endpoint(0, f"192.0.2.{number}") for number in range(total)]
    row = pool(*endpoints, min_healthy={"ipv4": {"fraction": fraction}})
    reference = Reference(document([row], [], [name(0)]), Geography())
    assert reference.need(0, A, bytes(total)) == need


@pytest.mark.parametrize(
    ("client", "scope"),
    [
        ("10.0.0.1", 16),
        ("10.128.0.0", 9),
        ("11.0.0.0", 8),
        ("128.0.0.0", 1),
        ("10.1.0.0", 16),
        ("2001:db8::", 0),
    ],
)
def test_the_scope_keeps_clear_of_other_trees(client, scope):
    steps = [geo(rule("country", "DE", 1), rule("country", "FR", 2), rule("country", "NL", 1))]
    made = document([pool(*THREE)], [steps], [name(0, 0)])
    assert Reference(made, GEOGRAPHY).decide(0, A, client, bytes(3)).scopes == (scope, scope)


def test_orders_that_come_to_the_same_are_one_tree():
    steps = [geo(rule("default", "", 0, 1, 2)), geo(rule("country", "DE", 2))]
    made = document([pool(*THREE)], [steps], [name(0, 0)])
    assert Reference(made, GEOGRAPHY).decide(0, A, GERMAN, bytes(3)).scopes == (0, 0)


@pytest.mark.parametrize("seed", range(20))
def test_the_databases_say_what_the_lists_do(tmp_path, seed):
    place = geography(Random(seed))
    for path, rows in zip(write_databases(place, tmp_path), place.databases, strict=True):
        alone = Geography((rows,))
        with maxminddb.open_database(path) as reader:
            for client in clients(Random(seed), 100):
                if client != "::2" and "." not in client.partition("::ffff:")[2]:
                    record = reader.get(client) or {}
                    found = (
                        record.get("country", {}).get("iso_code"),
                        record.get("autonomous_system_number"),
                    )
                    located = alone.locate(ip_address(client))
                    assert found == (located.country, located.asn)
