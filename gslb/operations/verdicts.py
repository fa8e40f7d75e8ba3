"""What is published beside zones and policies, and changes often: verdicts, last-good marks and loads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from gslb.operations.loads import load_reports
from gslb.steering.loads import LoadTable
from gslb.steering.verdict import VerdictTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gslb.model.clock import Clock
    from gslb.model.health import Observed
    from gslb.model.report import LoadReport
    from gslb.model.site import SteeringConfig
    from gslb.publish import Publisher
    from gslb.steering.roster import Succession

log = structlog.get_logger(__name__)


class Verdicts:
    """The verdict and load tables of the published steering, and what was last published of them.

    Belongs to the event loop's thread. ``drained`` says which POPs are drained at the moment.
    """

    def __init__(self, publisher: Publisher, clock: Clock, drained: Callable[[], Iterable[str]]) -> None:
        self._publisher = publisher
        self._clock = clock
        self._drained = drained
        self._loads = LoadTable()
        self._pops: list[str] = []
        self._is_due = False
        self.table = VerdictTable(publisher.steering, monotonic=clock.monotonic)
        self._published = (b"", b"")

    @property
    def published(self) -> tuple[bytes, bytes]:
        """Verdicts and loads as they were last published."""
        return self._published

    def to_publish(self) -> tuple[bytes, bytes]:
        """Verdicts and loads as they are at this moment, which the caller publishes."""
        self.table.set_drained(self._drained())
        loads = self._loads.to_bytes(self._pops, self._clock.monotonic())
        self._published = self.table.to_bytes(), loads
        return self._published

    def take_over(
        self, steering: SteeringConfig, succession: Succession, observed: Sequence[Observed]
    ) -> tuple[bytes, bytes]:
        """Make the tables those of another steering, which the caller publishes with what is returned.

        ``succession`` is of its roster after that of ``table``. Marks of endpoints and loads of POPs that
        stay are kept.
        """
        self.table = self.table.taken_over(succession, observed, self._drained())
        self._pops = [pop.name for pop in steering.pops]
        self._loads.reconfigure(steering.load, self._pops, self._clock.monotonic())
        return self.to_publish()

    def loads_after(self, seconds: float) -> dict[str, float]:
        """The loads in effect that are not too old in so many seconds, by POP."""
        return self._loads.values(self._clock.monotonic() + seconds)

    def publish(self) -> int:
        """Publish what changed, if anything did; return the generation."""
        self._is_due = False
        before = self._published
        verdicts, loads = self.to_publish()
        if (verdicts, loads) == before:
            return self._publisher.generation
        return self._publisher.publish_verdicts(verdicts, loads)

    def observe(self, numbers: Sequence[int], observed: Observed) -> None:
        """Probes now say this of these endpoints, which is published in this turn of the event loop."""
        self.table.observe(numbers, observed)
        if not self._is_due:  # probes that end in the same turn of the loop share one publish
            self._is_due = True
            asyncio.get_running_loop().call_soon(self.publish)

    def report_loads(self, loads: Mapping[str, float | None]) -> int:
        """These POPs have these loads now, ``None`` for unknown; return the generation."""
        now = self._clock.monotonic()
        for pop, load in loads.items():
            self._loads.report(pop, load, now)
        return self.publish()

    def expire(self) -> None:
        """Publish that loads are unknown which were not reported for too long, and that marks are gone."""
        expired = self._loads.expire(self._clock.monotonic())
        if expired:
            log.warning("loads not reported any more", pops=sorted(expired), max_age=self._loads.max_age)
        if self.table.expire_marks() or expired:
            self.publish()

    def load_reports(self) -> dict[str, LoadReport]:
        """The loads that are known, by POP."""
        return load_reports(self._loads, self._clock.monotonic(), self._clock.now())
