"""Which pools are available."""

from __future__ import annotations

import pytest

from gslb.model.health import Verdict
from gslb.model.pool_graph import PoolGraph
from gslb.model.site import Count, Endpoint, Fraction, Member, MinHealthy, Pool
from gslb.steering.availability import available_pools, enough

UP, DOWN, DRAINED = Verdict.SERVING, Verdict.DOWN, Verdict.DRAINED
A, AAAA = 1, 28


@pytest.mark.parametrize(
    ("need", "there", "expected"),
    [
        (None, 5, 1),
        (Count(count=2), 5, 2),
        (Count(count=2), 0, 2),
        (Fraction(fraction=0.5), 5, 3),
        (Fraction(fraction=0.5), 4, 2),
        (Fraction(fraction=0.07), 100, 7),
        (Fraction(fraction=0.01), 3, 1),
        (Fraction(fraction=1), 3, 3),
        (Fraction(fraction=0.5), 0, 1),
    ],
)
def test_how_many_are_enough(need, there, expected):
    assert enough(need, there) == expected


def endpoints(*addresses):
    return tuple(Endpoint(pop="fra", address=address) for address in addresses)


WORLD = (
    Pool(name="world", members=(Member(pool="eu"), Member(pool="us"))),
    Pool(
        name="eu",
        endpoints=endpoints("192.0.2.1", "192.0.2.2", "2001:db8::1"),
        min_healthy=MinHealthy(ipv4=Count(count=2)),
    ),
    Pool(name="us", endpoints=endpoints("198.51.100.1")),
)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((UP, UP, UP, UP), {("world", A), ("world", AAAA), ("eu", A), ("eu", AAAA), ("us", A)}),
        ((DOWN, UP, UP, UP), {("world", A), ("world", AAAA), ("eu", AAAA), ("us", A)}),
        ((DRAINED, UP, DOWN, DOWN), set()),
        ((UP, UP, DRAINED, DOWN), {("world", A), ("eu", A)}),
    ],
)
def test_pools_of_pools_count_members(verdicts, expected):
    assert available_pools(PoolGraph(WORLD), verdicts) == expected


@pytest.mark.parametrize(
    ("us", "is_available"), [(UP, True), (DOWN, False), (DRAINED, True)], ids=["up", "down", "drained"]
)
def test_a_share_is_of_the_members_that_are_not_drained(us, is_available):
    needy = WORLD[0].model_copy(update={"min_healthy": MinHealthy(ipv4=Fraction(fraction=0.8))})
    found = available_pools(PoolGraph((needy, *WORLD[1:])), (UP, UP, UP, us))
    assert (("world", A) in found) is is_available
