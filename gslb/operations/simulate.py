"""Forecasts: recent demand decided anew, for simulations and the warnings of a drain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.model.demand_report import CountryForecast, PopForecastReport, SimulationReport
from gslb.operations.reports import suppositions_report
from gslb.steering.forecast import NOBODY, forecast

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gslb.model.site import SteeringConfig
    from gslb.operations.demand import DemandMeter
    from gslb.operations.what_if import Supposed
    from gslb.steering.decider import Decider
    from gslb.steering.demand import Cell
    from gslb.steering.forecast import PopForecast

Octets = tuple[bytes, bytes]
"""Verdicts and loads, as ``Publisher.publish_verdicts`` takes them."""

CELLS_LIMIT = 50_000
"""Cells that a simulation decides for, those with the most demand."""

WARNING_CELLS = 5_000
"""Cells that the warnings of a drain rest on."""


def simulate(
    meter: DemandMeter,
    decider: Decider,
    config: SteeringConfig,
    *,
    before: Octets,
    supposed: Supposed,
    countries: int,
    now: datetime,
    generation: int,
) -> SimulationReport:
    """What each POP would get, with at most ``countries`` rows each. Takes up to seconds; any thread."""
    everything = meter.rates()
    rates = _decidable(everything, decider, CELLS_LIMIT)
    rows = _forecast(rates, decider, config, before, supposed.octets)
    whole, basis = sum(rate for _, rate in everything), meter.basis(rates)
    left_out = 1 - sum(rate for _, rate in rates) / whole if whole else 0.0
    reports = [_report(row, countries) for row in rows]
    return SimulationReport(
        generation=generation,
        at=supposed.suppositions.at or now,
        supposing=suppositions_report(supposed.suppositions),
        demand=basis,
        left_out=round(max(0.0, left_out), 6),
        pops=[row for row in reports if row.pop != NOBODY],
        nobody=next((row for row in reports if row.pop == NOBODY), None),
    )


def overload_warnings(
    meter: DemandMeter, decider: Decider, config: SteeringConfig, before: Octets, after: Octets
) -> list[str]:
    """The POPs that get more than their capacity after a change and not before. Any thread."""
    if all(pop.capacity is None for pop in config.pops):
        return []
    rates = _decidable(meter.rates(), decider, WARNING_CELLS)
    return [
        f"POP {row.pop} gets about {row.load.after:,.0f} queries a second by recent demand, "
        f"above its capacity of {row.capacity:,.0f} (before: {row.load.before:,.0f})"
        for row in _forecast(rates, decider, config, before, after)
        if row.is_overloaded and row.capacity is not None
    ]


def _decidable(
    rates: Sequence[tuple[Cell, float]], decider: Decider, limit: int
) -> Sequence[tuple[Cell, float]]:
    return [(cell, rate) for cell, rate in rates if decider.knows(cell)][:limit]


def _forecast(
    rates: Sequence[tuple[Cell, float]],
    decider: Decider,
    config: SteeringConfig,
    before: Octets,
    after: Octets,
) -> list[PopForecast]:
    cells = [cell for cell, _ in rates]
    sides = [dict(zip(cells, decider.shares(cells, *octets), strict=True)) for octets in (before, after)]
    capacities = {pop.name: pop.capacity for pop in config.pops}
    return forecast(rates, sides[0].__getitem__, sides[1].__getitem__, capacities)


def _report(row: PopForecast, countries: int) -> PopForecastReport:
    return PopForecastReport(
        pop=row.pop,
        capacity=row.capacity,
        before=round(row.load.before, 3),
        after=round(row.load.after, 3),
        overloaded=row.is_overloaded,
        countries=[
            CountryForecast(country=country, before=round(change.before, 3), after=round(change.after, 3))
            for country, change in list(row.countries.items())[:countries]
        ],
    )
