"""Latency tables: CSV files with the header ``location,pop,ms``."""

from __future__ import annotations

import csv
from math import isfinite
from typing import TYPE_CHECKING

from gslb.config.files import UnreadableFileError, display_path, read_text
from gslb.config.locations import parse_location
from gslb.config.wording import quote
from gslb.model.finding import Place
from gslb.model.site import LatencyRow

if TYPE_CHECKING:
    from pathlib import Path

    from gslb.config.declared import Declared
    from gslb.config.report import Report
    from gslb.model.site import LocationKind

HEADER = ["location", "pop", "ms"]
MAXIMUM_OCTETS = 16 * 1024 * 1024
MAXIMUM_MILLISECONDS = 60_000.0


def read_latency_table(path: Path, named_at: Place, declared: Declared) -> None:
    """Add the rows of a table, which the site names at ``named_at``. Blank and ``#`` lines are skipped."""
    report = declared.report
    file = display_path(path)
    try:
        text = read_text(path, MAXIMUM_OCTETS)
    except UnreadableFileError as error:
        report.error("site-missing-latency-table", named_at, f"the latency table {file} {error}")
        declared.unread.add("latency")
        return
    header_seen = False
    reader = csv.reader(text.split("\n"))
    try:
        for cells in reader:
            place = Place(file, reader.line_num)
            stripped = [cell.strip() for cell in cells]
            if not any(stripped) or stripped[0].startswith("#"):
                continue
            if not header_seen:
                header_seen = True
                if stripped != HEADER:
                    message = f"the first line must be the header {','.join(HEADER)}"
                    report.error("site-latency-syntax", place, message)
                    declared.unread.add("latency")
                    return
                continue
            row = _read_row(stripped, place, declared)
            if row is None:
                declared.unread.add("latency")
            else:
                declared.latency.append(row)
    except csv.Error as error:
        report.error("site-latency-syntax", Place(file, reader.line_num), f"not CSV: {error}")
        declared.unread.add("latency")
        return
    if not header_seen:
        report.error("site-latency-syntax", Place(file), f"empty; begin with the header {','.join(HEADER)}")
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
    if len(cells) != len(HEADER):
        message = f"a row has {len(cells)} cells, not 3: {','.join(HEADER)}"
        report.error("site-latency-syntax", place, message)
        return None
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
