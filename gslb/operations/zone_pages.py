"""The RRsets of a zone, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.config.rdata import present_rdata, present_type
from gslb.model.report import RRsetReport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gslb._dataplane import Zone

SCAN_STEP = 1_000
"""RRsets read from a zone at a time when a filter has to look at all of them."""


def rrset_page(
    zone: Zone, offset: int, limit: int, name: str | None, rtype: int | None
) -> tuple[list[RRsetReport], bool]:
    """At most ``limit`` RRsets from ``offset`` on that have this name and type, and whether there are more.

    ``name`` is absolute and lower case. A filter by type alone looks through the whole zone.
    """
    rows = list(_take(_select(zone, offset, limit, name, rtype), limit + 1))
    return [rrset_report(*row) for row in rows[:limit]], len(rows) > limit


def rrset_report(name: str, rtype: int, ttl: int, rdata: list[bytes]) -> RRsetReport:
    """One RRset in presentation format."""
    return RRsetReport(
        name=name,
        type=present_type(rtype),
        ttl=ttl,
        records=[present_rdata(rtype, wire) for wire in rdata],
    )


_Row = tuple[str, int, int, list[bytes]]


def _select(zone: Zone, offset: int, limit: int, name: str | None, rtype: int | None) -> Iterator[_Row]:
    if name is None and rtype is None:
        yield from zone.rrsets(offset, limit + 1)
        return
    matching = _scan(zone, rtype) if name is None else _at_name(zone, name, rtype)
    for position, row in enumerate(matching):
        if position >= offset:
            yield row


def _scan(zone: Zone, rtype: int | None) -> Iterator[_Row]:
    at = 0
    while rows := zone.rrsets(at, SCAN_STEP):
        yield from (row for row in rows if row[1] == rtype)
        at += len(rows)


def _at_name(zone: Zone, name: str, rtype: int | None) -> Iterator[_Row]:
    for candidate in range(1, 65536) if rtype is None else (rtype,):
        found = zone.rrset(name, candidate)
        if found is not None:
            yield (name, candidate, *found)


def _take(rows: Iterator[_Row], count: int) -> Iterator[_Row]:
    for _, row in zip(range(count), rows, strict=False):
        yield row
