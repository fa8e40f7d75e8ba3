"""The health checker: one asyncio task per target, one set of results for all endpoints that share it.

::

    reconfigure ──► first delay ──► probe ──► thresholds ──► flipped? ──► endpoints flipped? ──► subscribers
                                      ▲           │                        (all monitors of each)
                                      └── pause ◄─┘
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import structlog

from gslb.health import schedule
from gslb.health.endpoint import EndpointHealth, MonitorHealth, observed_of_all
from gslb.health.no_results import NoResults
from gslb.health.plan import WatchPlan, change_of_plan, plan_watches
from gslb.health.slots import Slots
from gslb.health.statistics import ProbeStatistics
from gslb.health.thresholds import Thresholds, ThresholdState
from gslb.model.health import Observed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from gslb.health.plan import Monitored, PlanChange
    from gslb.health.probes import Prober, ProbeResult
    from gslb.model.clock import Clock
    from gslb.model.site import Monitor, SteeringConfig

log = structlog.get_logger(__name__)

LEAST_SLOTS = 64
MOST_SLOTS = 8_192
"""Probes in flight at once, whatever the site needs; the others wait their turn."""

LEAST_COMMANDS = 8
MOST_COMMANDS = 256
"""Commands that run at once, each a process of its own, beside the other probes."""

REFUSED_LOGGED = 20
"""Monitors that are refused of which a load of the site logs each; the others are counted."""


@dataclass(slots=True, eq=False)
class _Watch:
    """A target under watch, and what it decides of."""

    monitor: Monitor
    health: MonitorHealth
    state: ThresholdState = field(default_factory=ThresholdState)
    task: asyncio.Task[None] | None = None
    judged: list[_Judged] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Judged:
    """Endpoints that the same watches judge together."""

    watches: tuple[_Watch, ...]
    numbers: tuple[int, ...]
    observed: Observed
    since: datetime | None

    def health(self) -> EndpointHealth:
        return EndpointHealth(self.observed, self.since, tuple(watch.health for watch in self.watches))

    def judge(self, now: datetime) -> bool:
        """Take what the watches say now; whether that changed anything."""
        before = self.observed
        self.observed = observed_of_all([watch.state.observed for watch in self.watches])
        if self.observed is not before or self.since is None:
            self.since = now
        return self.observed is not before


class Checker:
    """Watches the endpoints of the present configuration.

    A target is the pair of a monitor and where to connect: pools that share both share its probes. An
    endpoint with several monitors is up when all of them say so, and down when one does. All methods belong
    to the event loop's thread; ``reconfigure`` needs the loop running.
    """

    def __init__(
        self,
        prober: Prober,
        clock: Clock,
        *,
        refusal: Callable[[Monitor], str] = lambda _: "",
        randomness: random.Random | None = None,
        least_slots: int = LEAST_SLOTS,
        most_slots: int = MOST_SLOTS,
    ) -> None:
        """``refusal`` says why probes of a monitor never have a result here, or nothing."""
        self._prober = prober
        self._clock = clock
        self._random = randomness or random.Random()
        self._least_slots = least_slots
        self._most_slots = most_slots
        self._slots = Slots(least_slots)
        self._command_slots = Slots(LEAST_COMMANDS)
        self._refusal = refusal
        self._refused: frozenset[str] = frozenset()
        self._no_results = NoResults()
        self._plan = WatchPlan()
        self._watches: list[_Watch] = []
        self._judged: list[_Judged] = []
        self._by_number: list[_Judged | None] = []
        self._statistics: dict[str, ProbeStatistics] = {}
        self._callbacks: list[Callable[[Sequence[int], Observed], None]] = []
        self._stopping: set[asyncio.Task[None]] = set()

    def subscribe(self, callback: Callable[[Sequence[int], Observed], None]) -> None:
        """Call ``callback(endpoint numbers, observed)`` at every flip, on the event loop."""
        self._callbacks.append(callback)

    def plan(self, config: SteeringConfig) -> PlanChange:
        """What to watch for ``config`` instead of what is watched now. May be called from any thread."""
        return change_of_plan(self._plan, plan_watches(config))

    def reconfigure(self, change: PlanChange) -> None:
        """Watch what is planned from now on; nothing else may have been taken over since ``plan`` said it.

        Targets that stay keep what is known of them, also when their monitor was edited: its new rule decides
        from the next result on. Targets that left are forgotten; new ones are unknown. Subscribers are not
        called: read ``observed`` afterwards.
        """
        self._plan = plan = change.plan
        for place in change.left_targets:
            self._cancel(self._watches[place])
        before: list[_Watch | None] = [*self._watches, None]
        self._watches, fresh = [], []
        for key, source in zip(plan.targets, change.targets, strict=True):
            watch = before[source]
            if watch is None:
                watch = _Watch(plan.monitors[key[0]], MonitorHealth(*key))
                fresh.append(watch)
            elif key[0] in change.edited:
                watch.monitor = plan.monitors[key[0]]
                watch.state = ThresholdState(watch.state.observed)
                self._cancel(watch)
                fresh.append(watch)
            self._watches.append(watch)
        for position, watch in enumerate(fresh):
            delay = schedule.first_delay(watch.monitor, position, len(fresh))
            watch.task = asyncio.create_task(self._keep_probing(watch, delay))
        self._judge_together(change)
        self._resize_slots()
        names = sorted(plan.counts)
        self._statistics = {name: self._statistics.get(name) or ProbeStatistics() for name in names}
        self._warn_of_refused(plan)

    def observed(self) -> list[Observed]:
        """What is observed of each endpoint, by number."""
        return [Observed.UNKNOWN if judged is None else judged.observed for judged in self._by_number]

    def health(self, numbers: Iterable[int] | None = None) -> dict[int, EndpointHealth]:
        """What is known of these endpoints, or of all, by number; of none that there is not."""
        known = range(len(self._by_number))
        wanted = known if numbers is None else [number for number in numbers if number in known]
        judged = ((number, self._by_number[number]) for number in wanted)
        return {number: EndpointHealth() if one is None else one.health() for number, one in judged}

    def monitored(self) -> Monitored:
        """What each monitor observes of each of its endpoints."""
        return self._plan.monitored([watch.health.observed for watch in self._watches])

    def without_result(self) -> list[tuple[str, str, tuple[int, ...]]]:
        """Monitors that observe nothing yet, why, and the numbers of the endpoints concerned."""
        return [
            (watch.monitor.name, watch.health.reason, judged.numbers)
            for judged in self._judged
            for watch in judged.watches
            if watch.health.observed is Observed.UNKNOWN
        ]

    def statistics(self) -> Mapping[str, ProbeStatistics]:
        """Counts per monitor since it appeared."""
        return self._statistics

    async def stop(self) -> None:
        """Stop all probing and release the prober."""
        for watch in self._watches:
            self._cancel(watch)
        self._plan = WatchPlan()
        self._watches, self._judged, self._by_number = [], [], []
        await asyncio.gather(*self._stopping, return_exceptions=True)
        await self._prober.close()

    def _judge_together(self, change: PlanChange) -> None:
        """Watches judge endpoints as planned from now on; those that did so before keep their time."""
        left = {self._judged[place] for place in change.left_juries}
        for watch in {watch for judged in left for watch in judged.watches}:
            watch.judged = [judged for judged in watch.judged if judged not in left]
        before: list[_Judged | None] = [*self._judged, None]
        self._judged = []
        plan = change.plan
        for jury, numbers, source in zip(plan.juries, plan.numbers, change.juries, strict=True):
            judged = before[source]
            if judged is None:
                watches = tuple(self._watches[place] for place in jury)
                observed = observed_of_all([watch.state.observed for watch in watches])
                judged = _Judged(watches, numbers, observed, _since(watches, observed))
                for watch in watches:
                    watch.judged.append(judged)
            judged.numbers = numbers
            self._judged.append(judged)
        by_place = [*self._judged, None]
        self._by_number = list(map(by_place.__getitem__, plan.jury_of))

    def _resize_slots(self) -> None:
        counts = [(self._plan.monitors[name], count) for name, count in self._plan.counts.items()]
        for slots, least, most in (
            (self._slots, self._least_slots, self._most_slots),
            (self._command_slots, LEAST_COMMANDS, MOST_COMMANDS),
        ):
            needed = schedule.slots_needed(one for one in counts if self._slots_of(one[0]) is slots)
            if needed > most:
                # Then hanging targets make others wait, and failures are seen late.
                log.warning("more probes than can run at once", needed=needed, limit=most)
            slots.resize(min(max(needed, least), most))

    def _warn_of_refused(self, plan: WatchPlan) -> None:
        """Of each once, while it is there."""
        refused = {
            name: reason for name in sorted(plan.counts) if (reason := self._refusal(plan.monitors[name]))
        }
        new = [name for name in refused if name not in self._refused]
        self._refused = frozenset(refused)
        for name in new[:REFUSED_LOGGED]:
            place = str(plan.places[name])
            log.warning("monitor never probed", monitor=name, place=place, reason=refused[name])
        if len(new) > REFUSED_LOGGED:
            log.warning("more monitors never probed", count=len(new) - REFUSED_LOGGED)

    def _slots_of(self, monitor: Monitor) -> Slots:
        return self._command_slots if monitor.type == "command" else self._slots

    def _cancel(self, watch: _Watch) -> None:
        if watch.task is not None:
            watch.task.cancel()
            self._stopping.add(watch.task)
            watch.task.add_done_callback(self._stopping.discard)
            watch.task = None

    async def _keep_probing(self, watch: _Watch, delay: float) -> None:
        await self._clock.sleep(delay)
        while True:
            started = self._clock.monotonic()
            async with self._slots_of(watch.monitor):
                result = await self._prober.probe(watch.monitor, watch.health.target)
            self._record(watch, result)
            elapsed = self._clock.monotonic() - started
            await self._clock.sleep(schedule.pause(watch.monitor, self._random, elapsed))

    def _record(self, watch: _Watch, result: ProbeResult) -> None:
        statistics = self._statistics.get(watch.monitor.name)
        if statistics is not None:
            statistics.add(result.success, result.seconds)
        if result.success is None:
            target = str(watch.health.target)
            self._no_results.note(watch.monitor.name, target, result.reason, self._clock.monotonic())
            if watch.health.checked_at is None:  # why nothing is known yet
                watch.health = replace(watch.health, reason=result.reason)
            return
        before = watch.state.observed
        watch.state = watch.state.after(result.success, Thresholds(watch.monitor.rise, watch.monitor.fall))
        now = self._clock.now()
        flipped = watch.state.observed is not before
        watch.health = replace(
            watch.health,
            observed=watch.state.observed,
            reason=result.reason,
            since=now if flipped or watch.health.since is None else watch.health.since,
            checked_at=now,
            seconds=result.seconds,
        )
        if flipped:
            log.info(
                "endpoint flipped",
                target=str(watch.health.target),
                monitor=watch.monitor.name,
                observed=str(watch.state.observed),
                before=str(before),
                reason=result.reason,
            )
        for judged in watch.judged:
            if judged.judge(now):
                for callback in self._callbacks:
                    callback(judged.numbers, judged.observed)


def _since(watches: Iterable[_Watch], observed: Observed) -> datetime | None:
    """Since when, as far as is known, these watches have together observed this."""
    times = [watch.health.since for watch in watches if watch.state.observed is observed]
    known = [time for time in times if time is not None]
    if observed is Observed.UP:
        return max(known, default=None)
    return min(known, default=None)
