"""Latency tables: CSV files with the header ``location,pop,ms``."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from gslb.config.locations import parse_location
from gslb.config.tables import TableForm, read_table
from gslb.config.wording import quote
from gslb.model.site import LatencyRow

if TYPE_CHECKING:
    from pathlib import Path

    from gslb.config.declared import Declared
    from gslb.config.report import Report
    from gslb.model.finding import Place
    from gslb.model.site import LocationKind

FORM = TableForm(
    "latency table", ("location", "pop", "ms"), "site-missing-latency-table", "site-latency-syntax"
)
MAXIMUM_MILLISECONDS = 60_000.0


def read_latency_table(path: Path, named_at: Place, declared: Declared) -> None:
    """Add the rows of a table, which the site names at ``named_at``."""

    def read_row(cells: list[str], place: Place) -> bool:
        row = _read_row(cells, place, declared)
        if row is not None:
            declared.latency.append(row)
        return row is not None

    if not read_table(path, FORM, named_at, declared.report, read_row):
        declared.unread.add("latency")


def report_duplicate_rows(rows: list[LatencyRow], report: Report) -> None:
    """Note every location and POP measured twice."""
    seen: dict[tuple[LocationKind, str, str], Place] = {}
    for row in rows:
        first = seen.setdefault((row.kind, row.value, row.pop), row.place)
        if first is not row.place:
            message = f"this location and POP {quote(row.pop)} already have a measurement at {first}"
            report.error("site-duplicate-latency", row.place, message)


def _read_row(cells: list[str], place: Place, declared: Declared) -> LatencyRow | None:
    """A row, or ``None`` after noting every error in it."""
    report = declared.report
    location, pop, milliseconds = cells
    declared.refer("pop", pop, place, "the latency table")
    parsed: tuple[LocationKind, str] | None = None
    try:
        parsed = parse_location(location)
    except ValueError as error:
        report.error("site-invalid-location", place, str(error))
    try:
        measured = float(milliseconds)
    except ValueError:
        measured = -1.0
    if not isfinite(measured) or not 0 <= measured <= MAXIMUM_MILLISECONDS:
        message = f"ms must be a number from 0 to {MAXIMUM_MILLISECONDS:g}, not {quote(milliseconds)}"
        report.error("site-latency-syntax", place, message)
        return None
    if parsed is None:
        return None
    kind, value = parsed
    return LatencyRow(kind=kind, value=value, pop=pop, milliseconds=measured, place=place)
