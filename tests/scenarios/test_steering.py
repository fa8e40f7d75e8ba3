"""The data plane decides as the reference does, on made-up documents, and on some that go to the limits."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from gslb._dataplane import Steering
from tests.scenarios.examples import WANTED
from tests.scenarios.steering import DOCUMENTS, QUESTIONS, compare, difference
from tests.scenarios.steering_documents import document, endpoint, name, pool
from tests.scenarios.steering_geography import Geography
from tests.scenarios.steering_query import DOWN, A
from tests.scenarios.steering_reference import Reference

BATCHES = WANTED // 100 or 7
"""Each makes some 2,900 decisions."""


@pytest.mark.parametrize("batch", range(BATCHES))
def test_made_up_documents(batch):
    tally = compare(DOCUMENTS, QUESTIONS, f"test/{batch}")
    assert tally.differences == []
    assert tally.seen["cases"] > 2_000


def agree(made: dict, *questions: tuple) -> list:
    """What the data plane answers, which the reference must too."""
    compiled, reference = Steering.compile(json.dumps(made)), Reference(made, Geography())
    seen: Counter[str] = Counter()
    for question in questions:
        assert difference(compiled, reference, question, seen) == ""
    assert seen["cases"] == len(questions)
    return [compiled.decide(*question) for question in questions]


@pytest.mark.parametrize(
    ("count", "fraction", "need"), [(25, 0.28, 7), (100, 0.07, 7), (100, 0.29, 29), (3, 0.34, 2)]
)
def test_a_percentage_is_taken_as_it_is_written(count, fraction, need):
    endpoints = [endpoint(0, f"192.0.2.{number}") for number in range(count)]
    row = pool(*endpoints, min_healthy={"ipv4": {"fraction": fraction}}, when_all_down="servfail")
    made = document([row], [], [name(0)])
    made["pools"][0]["policy"] = 0
    made["policies"] = [{"name": "p", "steps": [{"step": "take", "count": 32}], "file": "", "line": 0}]

    def asked(serving: int) -> tuple:
        return 0, A, "192.0.2.1", bytes(serving) + bytes([DOWN]) * (count - serving), b""

    enough, short = agree(made, asked(need), asked(need - 1))
    assert (enough[0], short[0]) == ("answer", "servfail")


def test_an_answer_has_64_endpoints_at_most():
    leaves = [pool(*(endpoint(0, f"192.0.{one}.{two}") for two in range(30))) for one in range(3)]
    made = document([*leaves, pool(members=(2, 0, 1))], [[]], [name(3, 0)])
    made["policies"] = [{"name": "p", "steps": [{"step": "take", "count": 32}], "file": "", "line": 0}]
    [(outcome, answer, ttl, scope)] = agree(made, (0, A, "192.0.2.1", bytes(90), b""))
    assert (outcome, answer, ttl, scope) == ("answer", [*range(60, 90), *range(30), *range(30, 34)], 60, 0)


def test_eight_pools_deep():
    pools = [pool(endpoint(0, "192.0.2.1"), endpoint(1, "192.0.2.2"))]
    pools += [pool(members=(depth,)) for depth in range(7)]
    made = document(pools, [[{"step": "take", "count": 1}]], [name(7, 0), name(0)])
    made["pools"][0]["policy"] = 0
    first, alone = agree(made, (0, A, "192.0.2.1", bytes(2), b""), (1, A, "192.0.2.1", bytes([DOWN, 0]), b""))
    assert (first[1], alone[1]) == ([0], [1])


def test_nine_pools_deep_is_refused():
    pools = [pool(endpoint(0, "192.0.2.1"))] + [pool(members=(depth,)) for depth in range(8)]
    with pytest.raises(ValueError, match="pool"):
        Steering.compile(json.dumps(document(pools, [[{"step": "take", "count": 1}]], [name(8, 0)])))


def test_pools_that_hold_each_other_are_refused():
    made = document([pool(members=(1,)), pool(members=(0,))], [[{"step": "shuffle"}]], [name(0, 0)])
    with pytest.raises(ValueError, match="pool"):
        Steering.compile(json.dumps(made))


def test_a_pool_in_two_places():
    leaf = pool(endpoint(0, "192.0.2.1"), endpoint(1, "192.0.2.2"))
    made = document([leaf, pool(members=(0,)), pool(members=(1, 0))], [[{"step": "shuffle"}]], [name(2, 0)])
    [decision] = agree(made, (0, A, "192.0.2.1", bytes([0, DOWN]), b""))
    assert decision[:2] == ("answer", [0])


@pytest.mark.parametrize(
    ("low", "high", "thousandths", "shed"),
    [
        *((low, 0.95, round(low * 1000), False) for low in (0.0, 0.001, 0.29, 0.57, 0.58, 0.7, 0.9)),
        *((0.0001, high, round(high * 1000), True) for high in (0.001, 0.29, 0.57, 0.58, 0.95, 1.1, 10.0)),
    ],
)
def test_the_watermarks_are_exact(low, high, thousandths, shed):
    two = pool(endpoint(0, "192.0.2.1"), endpoint(1, "192.0.2.2"))
    steps = [{"step": "shed", "low": low, "high": high}, {"step": "take", "count": 1}]
    made = document([two], [steps], [name(0, 0)], pops=(None, None))
    compiled = Steering.compile(json.dumps(made))
    loads = thousandths.to_bytes(2, "big") + b"\xff\xff"
    answers = {compiled.decide(0, A, "192.0.2.1", bytes(2), loads, seed)[1][0] for seed in range(200)}
    assert answers == {1 if shed else 0}
