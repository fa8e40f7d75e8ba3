"""Last-good marks: what served when a pool was last available."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gslb.model.health import Verdict
from gslb.model.site import Count, DeclaredRRset, Endpoint, MinHealthy, Pool, SteeringConfig
from gslb.steering.last_good import LastGood

UP, DOWN, DRAINED = Verdict.SERVING, Verdict.DOWN, Verdict.DRAINED
TXT = DeclaredRRset(rtype=16, rdata=(b"\2hi",))


def pool(name, *endpoints, **settings):
    return Pool(name=name, endpoints=endpoints, **settings)


def v4(number, **settings):
    return Endpoint(pop="fra", address=f"192.0.2.{number}", **settings)


def v6(number):
    return Endpoint(pop="fra", address=f"2001:db8::{number}")


class World:
    """Marks beside the verdicts they follow."""

    def __init__(self, *pools):
        self.config = SteeringConfig(pools=pools)
        self.verdicts = [UP] * sum(len(one.endpoints) for one in pools)
        self.marks = LastGood(self.config)
        self.say()

    def say(self, **verdicts):
        for number, verdict in verdicts.items():
            self.verdicts[int(number[1:])] = verdict
        touched = [int(number[1:]) for number in verdicts] or range(len(self.verdicts))
        return self.marks.update(touched, self.verdicts)

    @property
    def marked(self):
        return {number for number in range(len(self.verdicts)) if self.marks[number]}


def test_marks_follow_what_serves_while_the_pool_is_available():
    world = World(pool("web", v4(1), v4(2), v4(3)))
    assert world.marked == {0, 1, 2}
    assert world.say(n0=DOWN) == {0}
    assert world.marked == {1, 2}
    world.say(n0=UP, n1=DRAINED)
    assert world.marked == {0, 2}


def test_marks_stay_while_it_is_not():
    world = World(pool("web", v4(1), v4(2)))
    world.say(n0=DOWN)
    assert world.say(n1=DOWN) == set()
    assert world.marked == {1}
    world.say(n1=DRAINED)
    assert world.marked == {1}
    assert world.say(n0=UP) == {0, 1}
    assert world.marked == {0}


def test_available_is_what_min_healthy_says():
    world = World(pool("web", v4(1), v4(2), v4(3), min_healthy=MinHealthy(ipv4=Count(count=2))))
    world.say(n0=DOWN)
    world.say(n1=DOWN)
    assert world.marked == {1, 2}


def test_address_families_are_judged_apart():
    world = World(pool("web", v4(1), v6(1), v6(2)))
    world.say(n0=DOWN)
    world.say(n1=DOWN)
    assert world.marked == {0, 2}


def test_an_endpoint_of_two_types_is_marked_with_either():
    both = Endpoint(pop="fra", address="192.0.2.1", records=(TXT,))
    world = World(pool("web", both, v4(2)))
    world.say(n0=DOWN)
    assert world.marked == {1}
    alone = World(pool("web", both, Endpoint(pop="fra", records=(TXT,))))
    alone.say(n0=DOWN)
    assert alone.marked == {1}


def test_pools_do_not_touch_each_other():
    world = World(pool("a", v4(1)), pool("b", v4(1), v4(2)))
    world.say(n0=DOWN)
    assert world.marked == {0, 1, 2}
    world.say(n1=DOWN)
    assert world.marked == {0, 2}


def test_marks_outlive_a_reload_by_what_the_endpoint_is():
    world = World(pool("web", v4(1), v4(2)), pool("old", v4(3)))
    world.say(n0=DOWN)
    world.say(n1=DOWN)
    moved = SteeringConfig(pools=(pool("new", v4(2)), pool("web", v4(3), v4(2), v4(1))))
    marks = LastGood(moved, world.marks)
    assert [marks[number] for number in range(4)] == [False, False, True, False]


def test_record_endpoints_that_are_alike_are_told_apart_by_their_order():
    alike = [Endpoint(pop="fra", records=(TXT,)) for _ in range(2)]
    world = World(pool("txt", *alike))
    world.say(n0=DOWN)
    world.say(n1=DOWN)
    marks = LastGood(world.config, world.marks)
    assert [marks[number] for number in range(2)] == [False, True]


@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(Verdict)), max_size=20),
)
def test_marks_are_the_serving_ones_of_the_last_available_moment(need, changes):
    world = World(pool("web", v4(1), v4(2), v4(3), v4(4), min_healthy=MinHealthy(ipv4=Count(count=need))))
    expected = {0, 1, 2, 3}
    for number, verdict in changes:
        world.say(**{f"n{number}": verdict})
        serving = {one for one in range(4) if world.verdicts[one] is UP}
        expected = serving if len(serving) >= need else expected
        assert world.marked == expected
