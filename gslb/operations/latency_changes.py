"""The latency table: requests that change it, read and checked before anything happens, and its report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gslb.config.locations import format_location, parse_location
from gslb.config.wording import quote
from gslb.model.report import LatencyEntry
from gslb.model.site import LatencyRow, Percent
from gslb.operations.problems import Problems

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from gslb.model.site import LocationKind, Milliseconds

LATENCY_ROWS_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class RequestedLatency:
    """A latency row as a request has it; no ``milliseconds`` gives the row back to the site's files."""

    location: str
    pop: str
    milliseconds: float | None


def read_latency(
    requested: Sequence[RequestedLatency], pops: Iterable[str]
) -> tuple[list[LatencyRow], list[tuple[LocationKind, str, str]]]:
    """Check latency rows: those to set, and the (kind, value, POP) of those to forget.

    Raises InvalidChangeError with every problem.
    """
    problems = Problems()
    if not 1 <= len(requested) <= LATENCY_ROWS_LIMIT:
        problems.add("/rows", f"holds {len(requested)} rows; a request has 1 to {LATENCY_ROWS_LIMIT}")
        problems.raise_any()
    known = set(pops)
    rows: list[LatencyRow] = []
    removed: list[tuple[LocationKind, str, str]] = []
    seen: dict[tuple[LocationKind, str, str], int] = {}
    for index, row in enumerate(requested):
        if row.pop not in known:
            problems.add(f"/rows/{index}/pop", f"no POP is named {quote(row.pop)}")
        is_measured = row.milliseconds is None or 0 <= row.milliseconds <= 60_000
        if not is_measured:
            problems.add(f"/rows/{index}/ms", f"is {row.milliseconds}; milliseconds are 0 to 60000")
        try:
            key = (*parse_location(row.location), row.pop)
        except ValueError as error:
            problems.add(f"/rows/{index}/location", str(error))
            continue
        if key in seen:
            problems.add(f"/rows/{index}", f"is about the same location and POP as /rows/{seen[key]}")
        seen.setdefault(key, index)
        if row.milliseconds is None:
            removed.append(key)
        elif is_measured:
            rows.append(LatencyRow(kind=key[0], value=key[1], pop=row.pop, milliseconds=row.milliseconds))
    problems.raise_any()
    return rows, removed


def without_small_changes(
    rows: Iterable[LatencyRow], in_effect: Iterable[LatencyRow], hysteresis: Milliseconds | Percent | None
) -> list[LatencyRow]:
    """The rows that differ by more than the hysteresis from those in effect, or that are new."""
    if hysteresis is None:
        return list(rows)
    before = {(row.kind, row.value, row.pop): row.milliseconds for row in in_effect}
    changed = []
    for row in rows:
        old = before.get((row.kind, row.value, row.pop))
        if old is None or abs(row.milliseconds - old) > _allowed(hysteresis, old):
            changed.append(row)
    return changed


def _allowed(hysteresis: Milliseconds | Percent, milliseconds: float) -> float:
    if isinstance(hysteresis, Percent):
        return milliseconds * hysteresis.percent / 100
    return hysteresis.milliseconds


def latency_entries(
    rows: Iterable[LatencyRow], of_api: Container[tuple[LocationKind, str, str]]
) -> list[LatencyEntry]:
    """The rows in force as they are reported; ``of_api`` has those that the API set."""
    return [
        LatencyEntry(
            location=format_location(row.kind, row.value),
            pop=row.pop,
            ms=row.milliseconds,
            source="api" if (row.kind, row.value, row.pop) in of_api else "site",
        )
        for row in rows
    ]
