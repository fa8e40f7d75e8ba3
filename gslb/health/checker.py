"""The health checker: one asyncio task per target, one set of results for all endpoints that share it.

::

    reconfigure ──► first delay ──► probe ──► thresholds ──► flipped? ──► subscribers
                                      ▲           │
                                      └── pause ◄─┘
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import structlog

from gslb.health import schedule
from gslb.health.probes import ProbeResult, ProbeTarget, probe_target
from gslb.health.slots import Slots
from gslb.health.statistics import ProbeStatistics
from gslb.health.thresholds import Thresholds, ThresholdState
from gslb.model.finding import NOWHERE
from gslb.model.health import Observed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from gslb.health.probes import Prober
    from gslb.model.clock import Clock
    from gslb.model.site import Monitor, SteeringConfig

log = structlog.get_logger(__name__)

LEAST_SLOTS = 64
MOST_SLOTS = 8_192
"""Probes in flight at once, whatever the site needs; the others wait their turn."""

NO_RESULT_LOG_SECONDS = 60.0
"""At least so long between two messages about probes without a result."""


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """What is known of one endpoint. Times are aware UTC, ``seconds`` is the last probe's duration.

    ``since`` is when ``observed`` last changed; an endpoint never probed has no times.
    """

    observed: Observed = Observed.UNKNOWN
    reason: str = "not probed yet"
    since: datetime | None = None
    checked_at: datetime | None = None
    seconds: float | None = None
    target: ProbeTarget | None = None


UNMONITORED = EndpointHealth(reason="the pool has no monitor")


@dataclass(slots=True, eq=False)
class _Watch:
    """A target under watch and the endpoints that share it."""

    monitor: Monitor
    target: ProbeTarget
    numbers: tuple[int, ...]
    health: EndpointHealth
    state: ThresholdState = field(default_factory=ThresholdState)
    task: asyncio.Task[None] | None = None


class Checker:
    """Watches the endpoints of the present configuration.

    A target is the pair of a monitor and where to connect: pools that share both share its probes. All
    methods belong to the event loop's thread; ``reconfigure`` needs the loop running.
    """

    def __init__(
        self,
        prober: Prober,
        clock: Clock,
        *,
        randomness: random.Random | None = None,
        least_slots: int = LEAST_SLOTS,
        most_slots: int = MOST_SLOTS,
    ) -> None:
        self._prober = prober
        self._clock = clock
        self._random = randomness or random.Random()
        self._least_slots = least_slots
        self._most_slots = most_slots
        self._slots = Slots(least_slots)
        self._unlogged = 0
        self._logged_at: float | None = None
        self._watches: dict[tuple[str, ProbeTarget], _Watch] = {}
        self._by_number: list[_Watch | None] = []
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
        wanted: dict[tuple[str, ProbeTarget], list[int]] = {}
        keys: list[tuple[str, ProbeTarget] | None] = []
        for pool in config.pools:
            monitor = monitors.get(pool.monitor)
            for endpoint in pool.endpoints:
                key = None if monitor is None else (monitor.name, probe_target(endpoint, monitor))
                if key is not None:
                    wanted.setdefault(key, []).append(len(keys))
                keys.append(key)
        for key in self._watches.keys() - wanted.keys():
            self._cancel(self._watches.pop(key))
        fresh = []
        for key, numbers in wanted.items():
            monitor = monitors[key[0]].model_copy(update={"place": NOWHERE})
            watch = self._watches.get(key)
            if watch is None:
                watch = _Watch(monitor, key[1], tuple(numbers), EndpointHealth(target=key[1]))
                self._watches[key] = watch
                fresh.append(watch)
            else:
                watch.numbers = tuple(numbers)
                if watch.monitor != monitor:
                    watch.monitor = monitor
                    watch.state = ThresholdState(watch.state.observed)
                    self._cancel(watch)
                    fresh.append(watch)
        for position, watch in enumerate(fresh):
            delay = schedule.first_delay(watch.monitor, position, len(fresh))
            watch.task = asyncio.create_task(self._keep_probing(watch, delay))
        self._by_number = [None if key is None else self._watches[key] for key in keys]
        self._resize_slots()
        names = {key[0] for key in wanted}
        self._statistics = {name: self._statistics.get(name) or ProbeStatistics() for name in sorted(names)}

    def observed(self) -> list[Observed]:
        """What is observed of each endpoint, by number."""
        return [Observed.UNKNOWN if watch is None else watch.state.observed for watch in self._by_number]

    def health(self) -> list[EndpointHealth]:
        """What is known of each endpoint, by number."""
        return [UNMONITORED if watch is None else watch.health for watch in self._by_number]

    def statistics(self) -> Mapping[str, ProbeStatistics]:
        """Counts per monitor since it appeared."""
        return self._statistics

    async def stop(self) -> None:
        """Stop all probing and release the prober."""
        for watch in self._watches.values():
            self._cancel(watch)
        self._watches.clear()
        self._by_number = []
        await asyncio.gather(*self._stopping, return_exceptions=True)
        await self._prober.close()

    def _resize_slots(self) -> None:
        needed = schedule.slots_needed(watch.monitor for watch in self._watches.values())
        if needed > self._most_slots:
            # Then hanging targets make others wait, and failures are seen late.
            log.warning("more probes than can run at once", needed=needed, limit=self._most_slots)
        self._slots.resize(min(max(needed, self._least_slots), self._most_slots))

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
            async with self._slots:
                result = await self._prober.probe(watch.monitor, watch.target)
            self._record(watch, result)
            elapsed = self._clock.monotonic() - started
            await self._clock.sleep(schedule.pause(watch.monitor, self._random, elapsed))

    def _record(self, watch: _Watch, result: ProbeResult) -> None:
        statistics = self._statistics.get(watch.monitor.name)
        if statistics is not None:
            statistics.add(result.success, result.seconds)
        if result.success is None:
            self._note_no_result(watch, result.reason)
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
                target=str(watch.target),
                monitor=watch.monitor.name,
                observed=str(watch.state.observed),
                before=str(before),
                reason=result.reason,
            )
            for callback in self._callbacks:
                callback(watch.numbers, watch.state.observed)

    def _note_no_result(self, watch: _Watch, reason: str) -> None:
        """Log it, but not for each of thousands of targets that all fail for the same reason."""
        self._unlogged += 1
        now = self._clock.monotonic()
        if self._logged_at is not None and now - self._logged_at < NO_RESULT_LOG_SECONDS:
            return
        log.error(
            "probes without a result",
            target=str(watch.target),
            monitor=watch.monitor.name,
            reason=reason,
            count=self._unlogged,
        )
        self._logged_at = now
        self._unlogged = 0
