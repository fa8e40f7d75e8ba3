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
from gslb.health.probes import ProbeResult, ProbeTarget, probe_target
from gslb.health.slots import Slots
from gslb.health.statistics import ProbeStatistics
from gslb.health.thresholds import Thresholds, ThresholdState
from gslb.model.finding import NOWHERE
from gslb.model.health import Observed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from gslb.health.probes import Prober
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

Key = tuple[str, ProbeTarget]
"""A monitor's name and where it probes."""


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
        self._watches: dict[Key, _Watch] = {}
        self._judged: dict[tuple[Key, ...], _Judged] = {}
        self._by_number: list[_Judged | None] = []
        self._statistics: dict[str, ProbeStatistics] = {}
        self._callbacks: list[Callable[[Sequence[int], Observed], None]] = []
        self._stopping: set[asyncio.Task[None]] = set()

    def subscribe(self, callback: Callable[[Sequence[int], Observed], None]) -> None:
        """Call ``callback(endpoint numbers, observed)`` at every flip, on the event loop."""
        self._callbacks.append(callback)

    def reconfigure(self, config: SteeringConfig) -> None:
        """Watch the endpoints of ``config`` from now on.

        Targets that stay keep what is known of them, also when their monitor was edited: its new rule decides
        from the next result on. Targets that left are forgotten; new ones are unknown. Subscribers are not
        called: read ``observed`` afterwards.
        """
        monitors = {monitor.name: monitor for monitor in config.monitors}
        wanted: dict[tuple[Key, ...], list[int]] = {}
        by_number: list[tuple[Key, ...]] = []
        for pool in config.pools:
            own = [monitors[name] for name in pool.monitors if name in monitors]
            for endpoint in pool.endpoints:
                keys = tuple((monitor.name, probe_target(endpoint, monitor)) for monitor in own)
                wanted.setdefault(keys, []).append(len(by_number))
                by_number.append(keys)
        targets = dict.fromkeys(key for keys in wanted for key in keys)
        for key in self._watches.keys() - targets.keys():
            self._cancel(self._watches.pop(key))
        fresh = []
        for key in targets:
            monitor = monitors[key[0]].model_copy(update={"place": NOWHERE})
            watch = self._watches.get(key)
            if watch is None:
                watch = self._watches[key] = _Watch(monitor, MonitorHealth(*key))
                fresh.append(watch)
            elif watch.monitor != monitor:
                watch.monitor = monitor
                watch.state = ThresholdState(watch.state.observed)
                self._cancel(watch)
                fresh.append(watch)
        for position, watch in enumerate(fresh):
            delay = schedule.first_delay(watch.monitor, position, len(fresh))
            watch.task = asyncio.create_task(self._keep_probing(watch, delay))
        self._judge_together({keys: tuple(numbers) for keys, numbers in wanted.items() if keys})
        self._by_number = [self._judged.get(keys) for keys in by_number]
        self._resize_slots()
        names = {name for name, _ in targets}
        self._statistics = {name: self._statistics.get(name) or ProbeStatistics() for name in sorted(names)}
        self._warn_of_refused([monitors[name] for name in sorted(names)])

    def observed(self) -> list[Observed]:
        """What is observed of each endpoint, by number."""
        return [Observed.UNKNOWN if judged is None else judged.observed for judged in self._by_number]

    def health(self, numbers: Iterable[int] | None = None) -> dict[int, EndpointHealth]:
        """What is known of these endpoints, or of all, by number; of none that there is not."""
        known = range(len(self._by_number))
        wanted = known if numbers is None else [number for number in numbers if number in known]
        judged = ((number, self._by_number[number]) for number in wanted)
        return {number: EndpointHealth() if one is None else one.health() for number, one in judged}

    def monitored(self) -> list[tuple[str, Observed, tuple[int, ...]]]:
        """What each monitor observes, and the numbers of the endpoints that it observes it of."""
        return [
            (watch.monitor.name, watch.health.observed, judged.numbers)
            for judged in self._judged.values()
            for watch in judged.watches
        ]

    def without_result(self) -> list[tuple[str, str, tuple[int, ...]]]:
        """Monitors that observe nothing yet, why, and the numbers of the endpoints concerned."""
        return [
            (watch.monitor.name, watch.health.reason, judged.numbers)
            for judged in self._judged.values()
            for watch in judged.watches
            if watch.health.observed is Observed.UNKNOWN
        ]

    def statistics(self) -> Mapping[str, ProbeStatistics]:
        """Counts per monitor since it appeared."""
        return self._statistics

    async def stop(self) -> None:
        """Stop all probing and release the prober."""
        for watch in self._watches.values():
            self._cancel(watch)
        self._watches.clear()
        self._judged.clear()
        self._by_number = []
        await asyncio.gather(*self._stopping, return_exceptions=True)
        await self._prober.close()

    def _judge_together(self, wanted: Mapping[tuple[Key, ...], tuple[int, ...]]) -> None:
        """These watches judge these endpoints from now on; what they judged before keeps its time."""
        before, self._judged = self._judged, {}
        for watch in self._watches.values():
            watch.judged = []
        for keys, numbers in wanted.items():
            watches = tuple(self._watches[key] for key in keys)
            observed = observed_of_all([watch.state.observed for watch in watches])
            since = _since(watches, observed)
            if keys in before and before[keys].observed is observed:
                since = before[keys].since
            judged = self._judged[keys] = _Judged(watches, numbers, observed, since)
            for watch in watches:
                watch.judged.append(judged)

    def _resize_slots(self) -> None:
        monitors = [watch.monitor for watch in self._watches.values()]
        for slots, least, most in (
            (self._slots, self._least_slots, self._most_slots),
            (self._command_slots, LEAST_COMMANDS, MOST_COMMANDS),
        ):
            needed = schedule.slots_needed(one for one in monitors if self._slots_of(one) is slots)
            if needed > most:
                # Then hanging targets make others wait, and failures are seen late.
                log.warning("more probes than can run at once", needed=needed, limit=most)
            slots.resize(min(max(needed, least), most))

    def _warn_of_refused(self, monitors: Iterable[Monitor]) -> None:
        """Of each once, while it is there."""
        refused = {monitor.name: reason for monitor in monitors if (reason := self._refusal(monitor))}
        places = {monitor.name: str(monitor.place) for monitor in monitors}
        new = [name for name in refused if name not in self._refused]
        self._refused = frozenset(refused)
        for name in new[:REFUSED_LOGGED]:
            log.warning("monitor never probed", monitor=name, place=places[name], reason=refused[name])
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
