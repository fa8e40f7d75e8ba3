"""Shares follow the weights exactly, and sticky clients move only when they must."""

from __future__ import annotations

import json
import math
import struct
from collections import Counter
from ipaddress import ip_address, ip_network
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.message
import pytest

from gslb._dataplane import Steering
from tests.engine import APEX, Engine
from tests.scenarios.examples import WANTED
from tests.scenarios.steering_documents import document, endpoint, name, pool
from tests.scenarios.steering_query import AAAA, DOWN, A

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ANSWERS = 1_000_000 if WANTED else 100_000
LEAST_CHANCE = 0.01
WEIGHTED = {"step": "weighted"}
STICKY = {"step": "sticky", "ipv4": 24, "ipv6": 56}


def chance(seen: Counter[Any], shares: dict[Any, float]) -> float:
    """The p-value of Pearson's chi squared: how often luck alone strays so far from the shares."""
    assert not {what for what, count in seen.items() if count and not shares.get(what)}
    total, whole = seen.total(), sum(shares.values())
    expected = {what: total * share / whole for what, share in shares.items() if share}
    if len(expected) == 1:
        return 1.0  # nothing to choose from
    half = sum((seen[what] - count) ** 2 / count for what, count in expected.items()) / 2
    return 1 - _gamma_share((len(expected) - 1) / 2, half)


def _gamma_share(a: float, x: float) -> float:
    """The regularized lower incomplete gamma function, by its series."""
    term = total = 1 / a
    n = a
    while term > total * 1e-15:
        n += 1
        term *= x / n
        total += term
    return total * math.exp(a * math.log(x) - x - math.lgamma(a)) if x else 0.0


def test_the_p_value():
    """Against a printed table: 13.277 has the chance 0.01 with 4 degrees of freedom, 3.841 0.05 with 1."""
    assert 1 - _gamma_share(2, 13.277 / 2) == pytest.approx(0.01, rel=1e-3)
    assert 1 - _gamma_share(0.5, 3.841 / 2) == pytest.approx(0.05, rel=1e-3)


def compiled(weights: Iterable[int], steps: list[dict], **rest: Any) -> Steering:
    """One pool whose endpoints, one a POP, have these weights."""
    endpoints = [endpoint(number, f"192.0.2.{number}", weight) for number, weight in enumerate(weights)]
    pops = (None,) * len(endpoints)
    return Steering.compile(
        json.dumps(document([pool(*endpoints)], [steps], [name(0, 0)], pops=pops, **rest))
    )


def drawn(
    steering: Steering, what: Callable[[list[int]], Any], verdicts: bytes, loads: bytes = b""
) -> Counter[Any]:
    """How often each thing is answered, over as many seeds as answers."""
    return Counter(
        what(steering.decide(0, A, "192.0.2.1", verdicts, loads, seed)[1]) for seed in range(ANSWERS)
    )


@pytest.mark.parametrize("weights", [(1, 2, 3, 4, 90), (100, 100, 100), (65_535, 1, 65_535, 0), (7, 0)])
def test_the_first_choice_follows_the_weights(weights):
    seen = drawn(compiled(weights, [WEIGHTED]), tuple, bytes(len(weights)))
    assert chance(seen, {(number,): weight for number, weight in enumerate(weights)}) > LEAST_CHANCE


def test_so_does_what_comes_after_it():
    weights = (1, 2, 5)
    seen = drawn(compiled(weights, [WEIGHTED, {"step": "take", "count": 3}]), tuple, bytes(3))
    shares = {
        order: weights[order[0]] / sum(weights) * weights[order[1]] / (sum(weights) - weights[order[0]])
        for order in permutations(range(3))
    }
    assert chance(seen, shares) > LEAST_CHANCE


def test_what_is_down_leaves_its_share_to_the_others_by_weight():
    seen = drawn(compiled((10, 20, 30, 40), [WEIGHTED]), tuple, bytes([0, 0, DOWN, 0]))
    assert chance(seen, {(0,): 10, (1,): 20, (3,): 40}) > LEAST_CHANCE


def test_weight_zero_is_answered_only_when_all_else_is_down():
    steering = compiled((0, 5, 0, 6), [WEIGHTED])
    assert set(drawn(steering, tuple, bytes(4))) == {(1,), (3,)}
    assert set(drawn(steering, tuple, bytes([0, DOWN, 0, DOWN]))) == {(0,), (2,)}


def test_member_pools_are_chosen_by_their_weights():
    leaves = [pool(endpoint(number, f"192.0.2.{number}")) for number in range(3)]
    made = document([*leaves, pool(members=((0, 10), (1, 20), (2, 70)))], [[WEIGHTED]], [name(3, 0)])
    seen = drawn(Steering.compile(json.dumps(made)), tuple, bytes(3))
    assert chance(seen, {(0,): 10, (1,): 20, (2,): 70}) > LEAST_CHANCE


def test_shuffle_is_uniform():
    seen = drawn(compiled((1, 1000, 0), [{"step": "shuffle"}]), tuple, bytes(3))
    assert chance(seen, dict.fromkeys(permutations(range(3)), 1)) > LEAST_CHANCE


@pytest.mark.parametrize(("thousandths", "shed"), [(701, 0.004), (800, 0.4), (875, 0.7), (949, 0.996)])
def test_shed_sheds_its_share(thousandths, shed):
    steps = [{"step": "shed", "low": 0.7, "high": 0.95}, {"step": "take", "count": 1}]
    seen = drawn(compiled((1, 1), steps), tuple, bytes(2), thousandths.to_bytes(2, "big") + b"\xff\xff")
    assert chance(seen, {(0,): 1 - shed, (1,): shed}) > LEAST_CHANCE


def test_two_pops_are_shed_independently():
    steps = [{"step": "shed", "low": 0.0, "high": 1.0}, {"step": "take", "count": 2}]
    loads = b"".join(load.to_bytes(2, "big") for load in (500, 250))
    seen = drawn(compiled((1, 1), steps), tuple, bytes(2), loads)
    # The second comes first only when the first is shed and it is not.
    assert chance(seen, {(0, 1): 0.5 + 0.5 * 0.25, (1, 0): 0.5 * 0.75}) > LEAST_CHANCE


def test_answers_on_the_wire_follow_the_weights(tmp_path: Path):
    weights = (5, 15, 80)
    endpoints = [endpoint(number, f"192.0.2.{number}", weight) for number, weight in enumerate(weights)]
    made = document([pool(*endpoints)], [[WEIGHTED]], [name(0, 0, name="www.example.com.")])
    engine = Engine(tmp_path, {"example.com.": APEX}, made)
    query = dns.message.make_query("www.example.com.", "A", use_edns=-1).to_wire()
    # The address is what such an answer ends with.
    seen = Counter(engine.raw(query)[-1] for _ in range(ANSWERS))
    assert chance(seen, dict(enumerate(weights))) > LEAST_CHANCE


CLIENTS = [f"10.{number >> 8}.{number & 255}.{number % 200}" for number in range(20_000)]


def held(steering: Steering, verdicts: bytes) -> dict[str, int]:
    """The endpoint that each client has."""
    return {client: steering.decide(0, A, client, verdicts)[1][0] for client in CLIENTS}


@pytest.mark.parametrize("count", [2, 3, 5, 10, 20])
def test_one_that_leaves_moves_its_own_clients_only_and_they_come_back(count):
    steering = compiled([100] * count, [STICKY])
    before = held(steering, bytes(count))
    for gone in range(0, count, max(1, count // 3)):
        verdicts = bytes(DOWN if number == gone else 0 for number in range(count))
        after = held(steering, verdicts)
        moved = {client for client in CLIENTS if after[client] != before[client]}
        assert moved == {client for client in CLIENTS if before[client] == gone}
        assert len(moved) <= (1 / count + 0.01) * len(CLIENTS)
        # Where they went they are shared out alike.
        spread = Counter(after[client] for client in moved)
        assert chance(spread, {number: 1 for number in range(count) if number != gone}) > LEAST_CHANCE / 10
    assert held(steering, bytes(count)) == before


def test_sticky_shares_follow_the_weights():
    weights = (1, 2, 0, 30, 67)
    seen = Counter(held(compiled(weights, [STICKY]), bytes(5)).values())
    assert chance(seen, dict(enumerate(weights))) > LEAST_CHANCE


def test_a_client_keeps_its_place_within_its_prefix_and_whatever_the_seed():
    steering = compiled([100] * 8, [STICKY])
    for network in ("192.0.2.0/24", "203.0.113.0/24", "10.20.30.0/24"):
        answers = {
            tuple(steering.decide(0, A, str(client), bytes(8), b"", seed)[1])
            for seed, client in enumerate(ip_network(network))
        }
        assert len(answers) == 1


def rendezvous(labels: list[tuple[bytes, int]], client: str, bits: int) -> list[int]:
    """The order that the formula of the specification gives: weighted rendezvous hashing, word for word."""
    network = ip_network(f"{client}/{bits}", strict=False)

    def fnv(octets: bytes) -> int:
        state = 14695981039346656037
        for octet in octets:
            state = ((state ^ octet) * 1099511628211) & 0xFFFFFFFFFFFFFFFF
        return state

    def place(labelled: tuple[bytes, int]) -> tuple[int, float]:
        label, weight = labelled
        x = fnv(label) ^ fnv(struct.pack("B", network.version) + network.network_address.packed)
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        x ^= x >> 31
        minus_log = -math.log(((x >> 11) + 0.5) * 2.0**-53)
        return (0, minus_log / weight) if weight else (1, minus_log)

    return sorted(range(len(labels)), key=lambda number: place(labels[number]))


SOME = (
    "10.1.2.3",
    "192.0.2.255",
    "0.0.0.0",
    "255.255.255.255",
    "2001:db8::1",
    "2001:db8:0:1ff::",
    "::1",
    "ffff::",
)


def bits_of(client: str) -> int:
    return 24 if ip_address(client).version == 4 else 56


@pytest.mark.parametrize("client", SOME)
def test_endpoints_stand_exactly_where_the_formula_puts_them(client):
    weights = (100, 100, 0, 1, 65_535, 0, 33)
    steering = compiled(weights, [STICKY, {"step": "take", "count": 32}])
    labels = [
        (b"abcdefg"[n : n + 1] + b"\0" + f"192.0.2.{n}".encode(), weight) for n, weight in enumerate(weights)
    ]
    decided = steering.decide(0, A, client, bytes(7))
    assert decided == ("answer", rendezvous(labels, client, bits_of(client)), 60, bits_of(client))


@pytest.mark.parametrize("client", SOME)
def test_so_do_names_ipv6_addresses_and_member_pools(client):
    leaves = [
        pool(endpoint(0, cname="one.cdn.example."), endpoint(1, cname="two.cdn.example."), policy=0),
        pool(endpoint(0, "2001:DB8:0:0::00ff"), endpoint(1, "2001:db8::1:0:0:1"), policy=0),
        *(pool(endpoint(number, f"2001:db8::{number}")) for number in range(3)),
    ]
    parent = pool(members=((2, 10), (3, 20), (4, 0)))
    steps = [STICKY, {"step": "take", "count": 32}]
    made = document([*leaves, parent], [steps], [name(0), name(1), name(5, 0)])
    steering = Steering.compile(json.dumps(made))
    labels = [
        [(b"a\0one.cdn.example.", 100), (b"b\0two.cdn.example.", 100)],
        [(b"a\0" + b"2001:db8::ff", 100), (b"b\0" + b"2001:db8::1:0:0:1", 100)],
        [(b"pool:pool2", 10), (b"pool:pool3", 20), (b"pool:pool4", 0)],
    ]
    for number, (first, rows) in enumerate(zip((0, 2, 4), labels, strict=True)):
        order = [first + place for place in rendezvous(rows, client, bits_of(client))]
        assert steering.decide(number, AAAA, client, bytes(7))[:2] == ("answer", order)


@pytest.mark.parametrize("client", SOME)
def test_under_same_pop_pops_stand_by_their_names_and_whole_weights(client):
    endpoints = [
        *(endpoint(0, "192.0.2.1", 10), endpoint(1, "192.0.2.2", 0), endpoint(2, "192.0.2.3", 0)),
        *(endpoint(0, "2001:db8::1", 20), endpoint(1, "2001:db8::2", 200), endpoint(2, "2001:db8::3", 0)),
    ]
    made = document(
        [pool(*endpoints)], [[{"step": "same_pop"}, STICKY, {"step": "take", "count": 9}]], [name(0, 0)]
    )
    steering = Steering.compile(json.dumps(made))
    order = rendezvous([(b"a", 30), (b"b", 200), (b"c", 0)], client, bits_of(client))
    assert steering.decide(0, A, client, bytes(6))[1] == order
    assert steering.decide(0, AAAA, client, bytes(6))[1] == [number + 3 for number in order]
