from __future__ import annotations

import asyncio
from random import Random

import pytest
from structlog.testing import capture_logs

from gslb.health.checker import Checker
from gslb.health.endpoint import observed_of_all
from gslb.health.plan import NOBODY, PlanChange, change_of_plan, plan_watches
from gslb.health.slots import Slots
from gslb.model.finding import Place
from gslb.model.health import Observed
from gslb.model.site import Endpoint, Monitor, Pool, SteeringConfig
from tests.unit.fakes import FakeClock, FakeProber, example_site, settle

UP, DOWN, UNKNOWN = Observed.UP, Observed.DOWN, Observed.UNKNOWN


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def prober(clock):
    return FakeProber(clock)


@pytest.fixture
async def checker(clock, prober):
    checker = Checker(prober, clock, randomness=Random(1))
    yield checker
    await checker.stop()
    assert prober.closed


def flips_of(checker):
    flips = []
    checker.subscribe(lambda numbers, observed: flips.append((tuple(numbers), observed)))
    return flips


async def test_endpoints_rise_and_fall_and_subscribers_hear_of_each_flip_once(checker, clock, prober):
    flips = flips_of(checker)
    checker.reconfigure(checker.plan(example_site()))
    assert checker.observed() == [UNKNOWN] * 4
    prober.failing = {"192.0.2.2:80"}
    await clock.advance(11)
    assert flips == [((0,), UP), ((2,), UP)]
    await clock.advance(10)
    assert flips[2:] == [((1,), DOWN)]
    assert checker.observed() == [UP, DOWN, UP, UNKNOWN]
    await clock.advance(60)
    assert len(flips) == 3
    down, unmonitored = checker.health()[1], checker.health()[3]
    assert down.reason == "connection refused"
    assert down.since < down.deciding.checked_at
    assert unmonitored.reason == "the pool has no monitor"
    assert unmonitored.monitors == ()


async def test_a_dead_endpoint_is_down_within_interval_times_fall_plus_timeout(checker, clock, prober):
    site = example_site()
    checker.reconfigure(checker.plan(site))
    await clock.advance(35)
    prober.failing = {"192.0.2.1:80"}
    prober.takes = 2.0
    monitor = site.monitors[0]
    await clock.advance(monitor.interval * monitor.fall + monitor.timeout)
    assert checker.observed()[0] is DOWN


async def test_pools_that_share_monitor_and_target_share_the_probes(checker, clock, prober):
    endpoint = Endpoint(pop="fra", address="192.0.2.1", probe="[2001:db8::1]:8080")
    pools = tuple(Pool(name=name, monitors=("m",), endpoints=(endpoint,)) for name in ("a", "b"))
    monitor = Monitor(name="m", type="tcp", port=1, interval=10, rise=1, jitter=0)
    flips = flips_of(checker)
    checker.reconfigure(checker.plan(SteeringConfig(monitors=(monitor,), pools=pools)))
    await clock.advance(1)
    assert [target for _, target in prober.probed] == ["[2001:db8::1]:8080"]
    assert flips == [((0, 1), UP)]


async def test_reconfigure_keeps_what_stays_drops_what_left_and_starts_new_ones_unknown(
    checker, clock, prober
):
    site = example_site()
    checker.reconfigure(checker.plan(site))
    await clock.advance(11)
    since = checker.health()[1].since
    monitor = site.monitors[0].model_copy(update={"place": Place("moved.yaml", 7), "path": "/health"})
    pool = site.pools[0].model_copy(
        update={"endpoints": (Endpoint(pop="new", address="192.0.2.9"), site.pools[0].endpoints[1])}
    )
    checker.reconfigure(checker.plan(SteeringConfig(monitors=(monitor,), pools=(pool,))))
    assert checker.observed() == [UNKNOWN, UP]
    assert checker.health()[1].since == since
    prober.probed.clear()
    await clock.advance(20)
    assert {target for _, target in prober.probed} == {"192.0.2.9:80", "192.0.2.2:80"}


async def test_an_edit_that_only_moves_the_monitor_in_its_file_restarts_nothing(checker, clock, prober):
    site = example_site()
    checker.reconfigure(checker.plan(site))
    await clock.advance(5)
    moved = site.monitors[0].model_copy(update={"place": Place("moved.yaml", 7)})
    prober.probed.clear()
    checker.reconfigure(checker.plan(site.model_copy(update={"monitors": (moved,)})))
    await clock.advance(4)
    assert prober.probed == []


async def test_a_probe_without_a_result_moves_nothing_and_is_logged_once_a_minute(checker, clock, prober):
    flips = flips_of(checker)
    checker.reconfigure(checker.plan(example_site()))
    await clock.advance(11)
    prober.failing = {"192.0.2.1:80"}
    await clock.advance(10)
    before = checker.health()
    assert (before[0].observed, before[0].reason) == (UP, "connection refused")
    flips.clear()
    prober.without_result = True
    with capture_logs() as logs:
        await clock.advance(100)
        assert checker.health() == before
    errors = [line for line in logs if line["event"] == "probes without a result"]
    assert [(line["log_level"], line["count"]) for line in errors] == [("error", 1), ("error", 18)]
    assert {line["reason"] for line in errors} == {"too many open files"}
    counts = checker.statistics()["http"]
    assert (counts.without_result, counts.successes + counts.failures) == (30, sum(counts.buckets))
    assert flips == []
    prober.without_result = False
    await clock.advance(20)
    # One failure before and two after: the probes between neither count nor break the row.
    assert flips == [((0,), DOWN)]


async def test_each_reason_of_probes_without_a_result_is_logged_and_counted_by_itself(checker, clock, prober):
    checker.reconfigure(checker.plan(twice_monitored()))
    prober.reasons = {"web": "/x/states cannot be read", "ssh": "this server runs no commands"}
    with capture_logs() as logs:
        await clock.advance(75)
    errors = [line for line in logs if line["event"] == "probes without a result"]
    assert [(line["monitor"], line["reason"]) for line in errors] == [
        ("web", "/x/states cannot be read"),
        ("ssh", "this server runs no commands"),
    ] * 2
    # Each is probed every ten seconds, and counts by itself.
    assert [line["count"] for line in errors[:2]] == [1, 1]
    assert all(line["count"] in (6, 7) for line in errors[2:])
    assert checker.without_result() == [
        ("web", "/x/states cannot be read", (0,)),
        ("ssh", "this server runs no commands", (0,)),
        ("web", "/x/states cannot be read", (1,)),
    ]


async def test_what_has_a_result_is_not_without_one(checker, clock, prober):
    checker.reconfigure(checker.plan(twice_monitored()))
    assert {reason for _, reason, _ in checker.without_result()} == {"not probed yet"}
    await clock.advance(10)
    assert checker.without_result() == []


async def test_a_monitor_that_is_refused_is_warned_of_once_with_its_place(clock, prober):
    def site(*names):
        monitors = tuple(
            Monitor(name=name, type="command", command=("/bin/x",), interval=10, place=Place("m.yaml", line))
            for line, name in enumerate(names, 1)
        )
        endpoint = Endpoint(pop="fra", address="192.0.2.1")
        pool = Pool(name="a", monitors=tuple(n for n in names if n != "unused"), endpoints=(endpoint,))
        return SteeringConfig(monitors=monitors, pools=(pool,))

    checker = Checker(prober, clock, refusal=lambda one: "no commands" if one.type == "command" else "")
    with capture_logs() as logs:
        checker.reconfigure(checker.plan(site("first", "unused")))
        checker.reconfigure(checker.plan(site("first", "unused")))
        checker.reconfigure(checker.plan(site("first", "second", "unused")))
        checker.reconfigure(checker.plan(example_site()))
    expected = {"event": "monitor never probed", "log_level": "warning", "reason": "no commands"}
    assert logs == [
        {**expected, "monitor": "first", "place": "m.yaml:1"},
        {**expected, "monitor": "second", "place": "m.yaml:2"},
    ]
    with capture_logs() as logs:
        checker.reconfigure(checker.plan(site(*(f"m{number}" for number in range(30)))))
    assert len(logs) == 21
    assert (logs[-1]["event"], logs[-1]["count"]) == ("more monitors never probed", 10)
    await checker.stop()


async def test_without_any_result_yet_it_is_said_why(checker, clock, prober):
    checker.reconfigure(checker.plan(example_site()))
    assert checker.health()[0].reason == "not probed yet"
    prober.without_result = True
    await clock.advance(1)
    assert (checker.observed()[0], checker.health()[0].reason) == (UNKNOWN, "too many open files")
    assert checker.health()[0].deciding.checked_at is None


def twice_monitored(*, both=("web", "ssh"), alone=("web",)):
    """An endpoint that two monitors judge, and another pool with the same address and fewer monitors."""
    monitors = tuple(
        Monitor(name=name, type="tcp", port=port, interval=10, rise=1, fall=2, jitter=0)
        for name, port in (("web", 80), ("ssh", 22))
    )
    endpoint = Endpoint(pop="fra", address="192.0.2.1")
    pools = (
        Pool(name="a", monitors=both, endpoints=(endpoint,)),
        Pool(name="b", monitors=alone, endpoints=(endpoint,)),
    )
    return SteeringConfig(monitors=monitors, pools=pools)


async def test_an_endpoint_with_several_monitors_is_up_only_if_all_say_so(checker, clock, prober):
    flips = flips_of(checker)
    checker.reconfigure(checker.plan(twice_monitored()))
    await clock.advance(5)
    assert sorted(target for _, target in prober.probed) == ["192.0.2.1:22", "192.0.2.1:80"]
    assert flips == [((1,), UP), ((0,), UP)]
    prober.failing = {"192.0.2.1:22"}
    await clock.advance(20)
    assert flips[2:] == [((0,), DOWN)]
    assert checker.observed() == [DOWN, UP]
    failed = checker.health()[0]
    assert [(one.monitor, one.observed) for one in failed.monitors] == [("web", UP), ("ssh", DOWN)]
    assert (failed.deciding.monitor, failed.reason) == ("ssh", "connection refused")
    since = failed.since
    prober.failing = {"192.0.2.1:22", "192.0.2.1:80"}
    await clock.advance(20)
    # The endpoint was down already: only the pool that the other monitor judges alone hears of it.
    assert flips[3:] == [((1,), DOWN)]
    prober.failing = {"192.0.2.1:80"}
    await clock.advance(10)
    assert flips[4:] == []
    assert (checker.health()[0].deciding.monitor, checker.health()[0].since) == ("web", since)
    prober.failing = set()
    await clock.advance(10)
    assert sorted(flips[4:]) == [((0,), UP), ((1,), UP)]


async def test_a_monitor_that_is_added_makes_an_endpoint_unknown_until_it_knows(checker, clock, prober):
    checker.reconfigure(checker.plan(twice_monitored(both=("web",))))
    await clock.advance(5)
    since = checker.health()[0].since
    checker.reconfigure(checker.plan(twice_monitored()))
    assert checker.observed() == [UNKNOWN, UP]
    assert checker.health()[0].deciding.monitor == "ssh"
    assert checker.health()[1].since == since
    await clock.advance(5)
    assert checker.observed() == [UP, UP]
    checker.reconfigure(checker.plan(twice_monitored(both=("web",))))
    assert checker.health()[0].since == since
    assert set(checker.statistics()) == {"web"}


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([UP], UP),
        ([UP, UP], UP),
        ([UP, UNKNOWN], UNKNOWN),
        ([UNKNOWN, DOWN], DOWN),
        ([DOWN, UP, UNKNOWN], DOWN),
        ([DOWN, DOWN], DOWN),
    ],
)
def test_the_worst_of_all_states_counts(states, expected):
    assert observed_of_all(states) is expected


def many(count, **settings):
    monitor = Monitor(name="m", type="tcp", port=1, jitter=0, **settings)
    endpoints = tuple(Endpoint(pop="fra", address=f"10.0.{n // 250}.{n % 250}") for n in range(count))
    return SteeringConfig(monitors=(monitor,), pools=(Pool(name="p", monitors=("m",), endpoints=endpoints),))


async def test_every_target_of_a_large_site_may_hang_and_is_seen_down_in_time(clock):
    prober = FakeProber(clock, takes=1.9)
    checker = Checker(prober, clock, randomness=Random(1))
    site = many(400, interval=2, timeout=1.9, fall=2, rise=1)
    checker.reconfigure(checker.plan(site))
    await clock.advance(6)
    assert set(checker.observed()) == {UP}
    assert prober.most_in_flight > 256
    prober.failing = {f"{endpoint.address}:1" for endpoint in site.pools[0].endpoints}
    await clock.advance(2 * 2 + 1.9)
    assert set(checker.observed()) == {DOWN}
    await checker.stop()


async def test_a_site_that_needs_more_probes_than_can_run_is_warned_of(clock):
    checker = Checker(FakeProber(clock), clock, randomness=Random(1), least_slots=1, most_slots=10)
    with capture_logs() as logs:
        checker.reconfigure(checker.plan(many(8, interval=2, timeout=2)))
        assert logs == []
        checker.reconfigure(checker.plan(many(9, interval=2, timeout=2)))
    assert logs == [
        {"event": "more probes than can run at once", "needed": 12, "limit": 10, "log_level": "warning"}
    ]
    await checker.stop()


async def test_commands_have_a_bound_of_their_own(clock, monkeypatch):
    monkeypatch.setattr("gslb.health.checker.MOST_COMMANDS", 2)
    monkeypatch.setattr("gslb.health.checker.LEAST_COMMANDS", 1)
    prober = FakeProber(clock, takes=1.9)
    checker = Checker(prober, clock, randomness=Random(1), least_slots=1)
    site = many(4, interval=2, timeout=1.9)
    command = Monitor(name="c", type="command", command=("/bin/true",), interval=2, timeout=1.9, jitter=0)
    pool = site.pools[0].model_copy(update={"monitors": ("m", "c")})
    with capture_logs() as logs:
        checker.reconfigure(
            checker.plan(site.model_copy(update={"monitors": (*site.monitors, command), "pools": (pool,)}))
        )
    assert [(line["needed"], line["limit"]) for line in logs] == [(5, 2)]
    await clock.advance(1.5)
    assert sorted(target for _, target in prober.probed if ":" in target) == [
        f"10.0.0.{n}:1" for n in range(4)
    ]
    assert sum(":" not in target for _, target in prober.probed) == 2
    await checker.stop()


async def test_slots_grow_at_once_and_shrink_as_they_are_given_back():
    slots = Slots(1)
    release = asyncio.Event()
    held = 0

    async def hold():
        nonlocal held
        async with slots:
            held += 1
            await release.wait()
            held -= 1

    tasks = [asyncio.create_task(hold()) for _ in range(6)]
    await settle()
    assert held == 1
    slots.resize(4)
    await settle()
    assert held == 4
    slots.resize(2)
    tasks[0].cancel()
    await settle()
    assert (held, slots.count) == (4, 2)
    release.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    release.clear()
    tasks = [asyncio.create_task(hold()) for _ in range(6)]
    held = 0
    await settle()
    assert held == 2
    release.set()
    await asyncio.gather(*tasks)


async def test_probes_in_flight_are_bounded(clock):
    prober = FakeProber(clock, takes=5)
    checker = Checker(prober, clock, randomness=Random(1), least_slots=2, most_slots=2)
    checker.reconfigure(checker.plan(example_site()))
    await clock.advance(30)
    assert prober.most_in_flight == 2
    await checker.stop()


async def test_statistics_count_probes_by_monitor_and_forget_monitors_that_left(checker, clock, prober):
    prober.failing = {"192.0.2.2:80"}
    checker.reconfigure(checker.plan(example_site()))
    await clock.advance(1)
    counts = checker.statistics()["http"]
    assert (counts.successes, counts.failures, sum(counts.buckets)) == (2, 1, 3)
    checker.reconfigure(checker.plan(SteeringConfig()))
    assert checker.statistics() == {}
    assert checker.observed() == []


def test_a_plan_says_where_what_stays_was_before():
    site = twice_monitored()
    before = plan_watches(site)
    assert change_of_plan(before, before) == PlanChange(
        before, range_of(before.targets), range_of(before.juries), [], [], frozenset()
    )
    turned = site.model_copy(update={"pools": tuple(reversed(site.pools))})
    change = change_of_plan(before, plan_watches(turned))
    assert [before.targets[place] for place in change.targets] == change.plan.targets
    assert sorted(change.juries) == range_of(before.juries)
    assert (change.left_targets, change.left_juries) == ([], [])
    for number, jury in enumerate(change.plan.jury_of):
        assert jury == NOBODY or number in change.plan.numbers[jury]
    left = change_of_plan(before, plan_watches(SteeringConfig()))
    assert (left.left_targets, left.left_juries) == (range_of(before.targets), range_of(before.juries))
    new = change_of_plan(plan_watches(SteeringConfig()), before)
    assert set(new.targets) | set(new.juries) == {NOBODY}


def range_of(rows):
    return list(range(len(rows)))


async def test_a_reload_of_the_same_site_judges_nothing_anew(checker, clock, prober, monkeypatch):
    checker.reconfigure(checker.plan(many(100, interval=10)))
    await clock.advance(10)
    seen = checker.observed()
    judged, started = [], []
    monkeypatch.setattr("gslb.health.checker.observed_of_all", judged.append)
    monkeypatch.setattr(asyncio, "create_task", started.append)
    change = checker.plan(many(100, interval=10))
    monkeypatch.setattr("gslb.health.checker.plan_watches", None)
    checker.reconfigure(change)
    assert (judged, started, checker.observed()) == ([], [], seen)
