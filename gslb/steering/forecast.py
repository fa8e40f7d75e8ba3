"""What a drain or a failure would do to the load of each POP: recent demand, decided anew."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gslb.steering.demand import Cell


NOBODY = ""
"""Stands for no POP: the zone's own records, no records, or a failure."""


@dataclass(frozen=True, slots=True)
class Change:
    """Queries a second before and after."""

    before: float
    after: float


@dataclass(frozen=True, slots=True)
class PopForecast:
    """The load of one POP. ``pop`` is empty for what no POP gets. ``countries``: the most changed first."""

    pop: str
    load: Change
    capacity: float | None
    countries: Mapping[str, Change]

    @property
    def is_overloaded(self) -> bool:
        """Whether it gets more than its declared capacity, and not less than before."""
        return self.capacity is not None and self.load.after > max(self.capacity, self.load.before)


def forecast(
    demand: Iterable[tuple[Cell, float]],
    before: Callable[[Cell], Mapping[str, float]],
    after: Callable[[Cell], Mapping[str, float]],
    capacities: Mapping[str, float | None],
) -> list[PopForecast]:
    """One row for each POP of ``capacities``, in their order, and one for what no POP gets, if there is any.

    ``demand`` is queries a second by cell. ``before`` and ``after`` say which share of a cell's answers goes
    to which POP; what the shares lack of 1 goes to nobody.
    """
    loads: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for cell, rate in demand:
        for side, decide in enumerate((before, after)):
            shares = decide(cell)
            for pop, share in shares.items():
                loads[pop, cell.country][side] += rate * share
            rest = 1 - sum(shares.values())
            if rest > 1e-9:
                loads[NOBODY, cell.country][side] += rate * rest
    by_pop: dict[str, dict[str, Change]] = defaultdict(dict)
    for (pop, country), (was, becomes) in loads.items():
        by_pop[pop][country] = Change(was, becomes)
    order = [*capacities, *([NOBODY] if NOBODY in by_pop else [])]
    return [_row(pop, by_pop.get(pop, {}), capacities.get(pop)) for pop in order]


def _row(pop: str, countries: Mapping[str, Change], capacity: float | None) -> PopForecast:
    load = Change(
        sum(change.before for change in countries.values()),
        sum(change.after for change in countries.values()),
    )
    ordered = sorted(countries.items(), key=lambda item: (-abs(item[1].after - item[1].before), item[0]))
    return PopForecast(pop, load, capacity, dict(ordered))
