"""Recent demand: what the data plane counts, read again and again, and reports of it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from heapq import nlargest
from typing import TYPE_CHECKING

import structlog

from gslb.config.rdata import present_type
from gslb.config.wording import unknown_name
from gslb.errors import NotFoundError
from gslb.model.demand_report import DemandBasis, DemandPage, DemandRow
from gslb.steering.demand import Demand

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from gslb.model.clock import Clock
    from gslb.model.site import SteeringConfig
    from gslb.publish import Publisher
    from gslb.steering.demand import Cell

log = structlog.get_logger(__name__)

READ_SECONDS = 5.0
"""How often counts are read."""

GAUGES_LIMIT = 1_000
"""Pairs of name and country that have a metric of their own."""

OTHER = ("other", "other")
"""The name and the country in metrics of all others together: no name is written without a dot at its end."""


class DemandMeter:
    """Recent demand. Belongs to the event loop's thread; counts are read in another, one reading at a time.

    ::

        made ──start()──► reading ──stop()──► stopped
    """

    def __init__(self, publisher: Publisher, clock: Clock) -> None:
        self._publisher = publisher
        self._clock = clock
        self._demand = Demand()
        self._rates: Sequence[tuple[Cell, float]] = ()
        self._gauges: Mapping[tuple[str, str], float] = {}
        self._seconds = 0.0
        self._reading = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Read from now on. What was counted before is not of a known time, and is left out of account."""
        self._publisher.demand()
        self._demand.start(self._clock.monotonic())
        self._task = asyncio.create_task(self._read_again_and_again())

    async def stop(self) -> None:
        """Read no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def read(self) -> None:
        """Read what was counted since the last time."""
        async with self._reading:
            # Some hundred thousand cells take a while: not on the event loop.
            self._rates, self._gauges, self._seconds = await asyncio.to_thread(self._read)

    def rates(self) -> Sequence[tuple[Cell, float]]:
        """Queries a second by cell when they were last read, the most first."""
        return self._rates

    def gauges(self) -> Mapping[tuple[str, str], float]:
        """Queries a second by (name, country): the greatest, and ``OTHER`` for the rest if there is any."""
        return self._gauges

    def basis(self, rates: Sequence[tuple[Cell, float]]) -> DemandBasis:
        """What figures of these cells rest on."""
        return DemandBasis(
            queries_per_second=round(sum(rate for _, rate in rates), 6),
            cells=len(rates),
            seconds=round(self._seconds, 3),
            half_life=self._demand.half_life,
        )

    async def _read_again_and_again(self) -> None:
        while True:
            await self._clock.sleep(READ_SECONDS)
            try:
                await self.read()
            except Exception:  # a bug, which must not end the reading
                log.exception("demand is not read")

    def _read(self) -> tuple[Sequence[tuple[Cell, float]], Mapping[tuple[str, str], float], float]:
        # The time is taken after the counts: a query in between counts as later, never as faster.
        counts = self._publisher.demand()
        self._demand.add(counts, self._clock.monotonic())
        rates = self._demand.rates()
        return rates, _gauges(rates), self._demand.seconds


def _gauges(rates: Sequence[tuple[Cell, float]]) -> dict[tuple[str, str], float]:
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for cell, rate in rates:
        sums[cell.name, cell.country] += rate
    greatest = dict(nlargest(GAUGES_LIMIT, sums.items(), key=lambda item: item[1]))
    if len(sums) > len(greatest):
        greatest[OTHER] = sum(rate for key, rate in sums.items() if key not in greatest)
    return greatest


def demand_page(
    meter: DemandMeter,
    config: SteeringConfig,
    *,
    generation: int,
    by: Collection[str],
    name: str | None,
    offset: int,
    limit: int,
) -> DemandPage:
    """Recent demand divided ``by`` some of name, type and country, of one ``name`` if given.

    Shares are of all that is asked for, whatever the name. Blocks for a while. Raises NotFoundError for a
    ``name`` that ``config`` does not steer and that nobody asked for lately.
    """
    rates = meter.rates()
    whole = sum(rate for _, rate in rates)
    sums: dict[tuple[str | None, int | None, str | None], float] = defaultdict(float)
    for cell, rate in rates:
        if name is None or cell.name == name:
            key = (
                cell.name if "name" in by else None,
                cell.rtype if "type" in by else None,
                cell.country if "country" in by else None,
            )
            sums[key] += rate
    if name is not None and not sums:
        steered = {one.name for one in config.names}
        if name not in steered:
            raise NotFoundError(unknown_name("steered name", name, steered))
    ordered = sorted(sums.items(), key=lambda item: (-item[1], [str(part) for part in item[0]]))
    page = ordered[offset : offset + limit]
    end = offset + len(page)
    return DemandPage(
        generation=generation,
        demand=meter.basis(rates),
        total=len(ordered),
        rows=[
            DemandRow(
                name=of_name,
                type=None if rtype is None else present_type(rtype),
                country=country,
                queries_per_second=round(rate, 6),
                share=round(rate / whole, 6),
            )
            for (of_name, rtype, country), rate in page
        ],
        offset=offset,
        next_offset=end if end < len(ordered) else None,
    )
