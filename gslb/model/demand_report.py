"""Reports of demand, and of what it would come to for each POP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from gslb.model.report import Report, SuppositionsReport


class DemandBasis(Report):
    """What rates rest on: queries a second of so many cells of clients, counted for so many seconds.

    A query counts half after ``half_life`` seconds.
    """

    queries_per_second: float
    cells: int
    seconds: float
    half_life: float


class DemandRow(Report):
    """Recent queries for steered names; what the rows are not divided by is null."""

    name: str | None
    type: str | None
    country: Annotated[
        str | None, Field(description="ISO 3166-1 code; empty where the geo databases know none.")
    ]
    queries_per_second: float
    share: Annotated[float, Field(description="Of all that was asked for, 0 to 1.")]


class DemandPage(Report):
    """Some of the rows, the most asked for first. ``total`` counts the rows there are."""

    generation: int
    demand: DemandBasis
    total: int
    rows: list[DemandRow]
    offset: int
    next_offset: int | None


class CountryForecast(Report):
    """Queries a second from one country, before and after."""

    country: str
    before: float
    after: float


class PopForecastReport(Report):
    """Queries a second that a POP gets, before and after; ``countries`` are those that change most."""

    pop: str
    capacity: float | None
    before: float
    after: float
    overloaded: Annotated[
        bool, Field(description="Whether it gets more than its capacity, and more than before.")
    ]
    countries: list[CountryForecast]


class SimulationReport(Report):
    """What recent demand would come to under suppositions. ``nobody`` is what no POP gets, if any.

    ``left_out`` is the share of recent demand that is not in the figures: of names that are not steered any
    more, and of the least asked for cells when there are more than 50,000.
    """

    generation: int
    at: datetime
    supposing: SuppositionsReport
    demand: DemandBasis
    left_out: float
    pops: list[PopForecastReport]
    nobody: PopForecastReport | None
