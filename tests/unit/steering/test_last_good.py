"""Last-good marks: what served until a pool was not available any more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gslb.model.health import Observed, Verdict
from gslb.model.site import Count, DeclaredRRset, Endpoint, MinHealthy, Pool, SteeringConfig
from gslb.steering.last_good import SETTLE_SECONDS, LastGood
from gslb.steering.roster import Roster

UP, DOWN, DRAINED = Verdict.SERVING, Verdict.DOWN, Verdict.DRAINED
TXT = DeclaredRRset(rtype=16, rdata=(b"\2hi",))


def pool(name, *endpoints, **settings):
    return Pool(name=name, endpoints=endpoints, **settings)


def v4(number, **settings):
    return Endpoint(pop="fra", address=f"192.0.2.{number}", **settings)


def v6(number):
    return Endpoint(pop="fra", address=f"2001:db8::{number}")


class World:
    """Marks beside the verdicts they follow; an hour goes by between what is said, unless ``at_once``."""

    def __init__(self, *pools, seen=Observed.UP):
        self.config = SteeringConfig(pools=pools)
        self.verdicts = [UP] * sum(len(one.endpoints) for one in pools)
        self.observed = [seen] * len(self.verdicts)
        self.now = 0.0
        self.roster = Roster(self.config)
        self.marks = LastGood(self.roster)
        self.say()

    def say(self, *, at_once=False, **verdicts):
        self.now += 0.0 if at_once else 3_600.0
        expired = self.marks.expire(self.now)
        for number, verdict in verdicts.items():
            self.verdicts[int(number[1:])] = verdict
        touched = [int(number[1:]) for number in verdicts] or range(len(self.verdicts))
        for number in touched:
            if self.observed[number] is not Observed.UNKNOWN or self.verdicts[number] is DOWN:
                self.observed[number] = Observed.DOWN if self.verdicts[number] is DOWN else Observed.UP
        return expired | self.marks.update(touched, self.verdicts, self.observed, self.now)

    @property
    def marked(self):
        return {number for number in range(len(self.verdicts)) if self.marks[number]}


def test_marks_follow_what_serves_while_the_pool_is_available():
    world = World(pool("web", v4(1), v4(2), v4(3)))
    assert world.marked == {0, 1, 2}
    world.say(n0=DOWN)
    world.say(n2=UP)
    assert world.marked == {1, 2}
    world.say(n0=UP, n1=DRAINED)
    world.say(n2=UP)
    assert world.marked == {0, 2}


def test_what_stopped_a_moment_ago_is_marked_still():
    world = World(pool("web", v4(1), v4(2)))
    assert world.say(n0=DOWN) == set()
    world.now += SETTLE_SECONDS
    assert world.marks.expire(world.now) == set()
    world.now += 1
    assert world.marks.expire(world.now) == {0}
    assert world.marks.expire(world.now) == set()
    assert world.marked == {1}


def looks(world):
    """How many marks each second of an hour looks at, but for those that look at none."""
    looked = []
    mark = world.marks._mark
    world.marks._mark = lambda numbers, now: looked.append(len(numbers)) or mark(numbers, now)
    for _ in range(3_600):
        world.now += 1.0
        world.marks.expire(world.now)
    world.marks._mark = mark
    return looked


def test_an_outage_of_everything_has_no_mark_looked_at_again():
    world = World(pool("web", v4(1), v4(2)), pool("mail", v4(3)))
    world.say(n0=DOWN, n1=DOWN, n2=DOWN)
    assert looks(world) == []
    assert world.marked == {0, 1, 2}


def test_marks_are_looked_at_when_the_first_may_expire():
    world = World(pool("web", v4(1), v4(2), v4(3)))
    world.say(n0=DOWN)
    world.now += 10.0
    world.say(n1=DOWN, at_once=True)
    assert looks(world) == [2, 1]
    assert world.marked == {2}


def test_a_flip_looks_at_the_others_of_its_pool_only_when_that_is_lost_or_found():
    world = World(pool("web", v4(1), v4(2), v4(3), min_healthy=MinHealthy(ipv4=Count(count=2))))
    looked = []
    mark = world.marks._mark
    world.marks._mark = lambda numbers, now: looked.append(set(numbers)) or mark(numbers, now)
    for changes in ({"n0": DOWN}, {"n1": DOWN}, {"n2": DOWN}, {"n0": UP}, {"n1": UP}):
        world.say(at_once=True, **changes)
    assert looked == [{0}, {0, 1, 2}, {2}, {0}, {0, 1, 2}]


def test_marks_that_an_outage_held_expire_once_it_is_over():
    world = World(pool("web", v4(1), v4(2)))
    world.say(n0=DOWN, n1=DOWN)
    world.say(n1=UP, at_once=True)
    assert world.marked == {0, 1}
    assert looks(world) == [1]
    assert world.marked == {1}


def test_a_mark_that_one_type_holds_does_not_expire_by_another():
    both = Endpoint(pop="fra", address="192.0.2.1", records=(TXT,))
    world = World(pool("web", both, v4(2)))
    world.say(n0=DOWN)
    assert looks(world) == [], "there is no other TXT"
    assert world.marked == {0, 1}


def test_an_outage_that_is_seen_endpoint_by_endpoint_marks_all_that_served_before_it():
    world = World(pool("web", v4(1), v4(2), v4(3), v4(4)))
    world.say(n3=DOWN)
    world.say(n0=DOWN)
    world.say(n1=DOWN, at_once=True)
    world.say(n2=DOWN, at_once=True)
    assert world.marked == {0, 1, 2}
    world.say(n3=DOWN)
    assert world.marked == {0, 1, 2}, "for as long as it lasts"


def test_a_fall_that_nothing_told_of_between_takes_the_mark_of_what_was_down_long_before():
    world = World(pool("web", v4(1), v4(2)))
    world.say(n0=DOWN)
    world.now += 2 * SETTLE_SECONDS
    world.verdicts[1] = DOWN
    world.marks.update([1], world.verdicts, [Observed.DOWN] * 2, world.now)
    assert world.marked == {1}


def test_marks_stay_while_it_is_not():
    world = World(pool("web", v4(1), v4(2)))
    world.say(n0=DOWN)
    assert world.say(n1=DOWN) == {0}
    assert world.marked == {1}
    world.say(n1=DRAINED)
    assert world.marked == {1}
    assert world.say(n0=UP) == {0, 1}
    assert world.marked == {0}


def test_what_was_never_seen_up_is_not_marked_once_it_is_down():
    world = World(pool("web", v4(1), v4(2), v4(3)), seen=Observed.UNKNOWN)
    assert world.marked == {0, 1, 2}
    for number in ("n0", "n1", "n2"):
        world.say(at_once=True, **{number: DOWN})
    assert world.marked == set(), "a start in the midst of an outage: as serve_all"


def test_available_is_what_min_healthy_says():
    world = World(pool("web", v4(1), v4(2), v4(3), min_healthy=MinHealthy(ipv4=Count(count=2))))
    world.say(n0=DOWN)
    world.say(n1=DOWN)
    assert world.marked == {1, 2}


def test_address_families_are_judged_apart():
    world = World(pool("web", v4(1), v6(1), v6(2)))
    world.say(n0=DOWN)
    world.say(n1=DOWN)
    world.say(n2=UP)
    assert world.marked == {0, 2}


def test_an_endpoint_of_two_types_is_marked_with_either():
    both = Endpoint(pop="fra", address="192.0.2.1", records=(TXT,))
    world = World(pool("web", both, v4(2)))
    world.say(n0=DOWN)
    assert world.marked == {0, 1}, "by its TXT, of which there is nothing else"
    alone = World(pool("web", both, Endpoint(pop="fra", records=(TXT,))))
    alone.say(n0=DOWN)
    alone.say(n1=UP)
    assert alone.marked == {0, 1}, "by its address"


def test_pools_do_not_touch_each_other():
    world = World(pool("a", v4(1)), pool("b", v4(1), v4(2)))
    world.say(n0=DOWN)
    assert world.marked == {0, 1, 2}
    world.say(n1=DOWN)
    world.say(n2=UP)
    assert world.marked == {0, 2}


def test_marks_outlive_a_reload_by_what_the_endpoint_is():
    world = World(pool("web", v4(1), v4(2)), pool("old", v4(3)))
    world.say(n0=DOWN)
    world.say(n1=DOWN)
    moved = SteeringConfig(pools=(pool("new", v4(2)), pool("web", v4(3), v4(2), v4(1))))
    marks = world.marks.taken_over(Roster(moved).after(world.roster))
    marks.update(range(4), [DOWN] * 4, [Observed.DOWN] * 4, world.now + 3_600)
    assert [marks[number] for number in range(4)] == [False, False, True, False]


def test_a_mark_that_a_type_held_goes_with_it():
    both = Endpoint(pop="fra", address="192.0.2.1", records=(TXT,))
    world = World(pool("web", both, v4(2)))
    world.say(n0=DOWN)
    assert world.marked == {0, 1}
    succession = Roster(SteeringConfig(pools=(pool("web", v4(1), v4(2)),))).after(world.roster)
    assert succession.changed == {0}
    marks = world.marks.taken_over(succession)
    marks.update(succession.changed, [DOWN, UP], [Observed.DOWN, Observed.UP], world.now + 3_600)
    assert [marks[number] for number in range(2)] == [False, True]


def test_record_endpoints_that_are_alike_are_told_apart_by_their_order():
    alike = [Endpoint(pop="fra", records=(TXT,)) for _ in range(2)]
    world = World(pool("txt", *alike))
    world.say(n0=DOWN)
    world.say(n1=DOWN)
    marks = world.marks.taken_over(Roster(world.config).after(world.roster))
    marks.update(range(2), [DOWN] * 2, [Observed.DOWN] * 2, world.now)
    assert [marks[number] for number in range(2)] == [False, True]


@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(Verdict)), max_size=20),
)
def test_marks_are_the_serving_ones_of_the_moment_when_too_few_served(need, changes):
    """Where nothing happens within the time that an outage may take."""
    world = World(pool("web", v4(1), v4(2), v4(3), v4(4), min_healthy=MinHealthy(ipv4=Count(count=need))))
    serving = {0, 1, 2, 3}
    kept = None
    for number, verdict in changes:
        before = serving
        world.say(**{f"n{number}": verdict})
        serving = {one for one in range(4) if world.verdicts[one] is UP}
        if len(serving) >= need:
            kept = None
        elif kept is None:
            kept = before
        else:
            kept |= before  # what came back meanwhile served since
        recent = {number} & before
        assert world.marked == (serving | recent if kept is None else kept | serving)
