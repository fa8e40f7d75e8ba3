"""The RRsets of a zone, page by page."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from gslb.config.rdata import present_rdata, present_type
from gslb.model.report import RRsetReport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gslb._dataplane import Zone


def rrset_page(
    zone: Zone, offset: int, limit: int, name: str | None, rtype: int | None
) -> tuple[list[RRsetReport], int | None]:
    """At most ``limit`` RRsets of this name and type from ``offset`` on, and where the next page begins.

    ``name`` is absolute and lower case. Without one offsets count the RRsets of all types: what a page has
    looked through, the next one skips.
    """
    if name is None:
        rows, following = zone.rrsets(offset, limit, rtype)
    else:
        rows = list(islice(_at_name(zone, name, rtype), offset, offset + limit + 1))
        following = offset + limit if len(rows) > limit else None
    return [rrset_report(*row) for row in rows[:limit]], following


def rrset_report(name: str, rtype: int, ttl: int, rdata: list[bytes]) -> RRsetReport:
    """One RRset in presentation format."""
    return RRsetReport(
        name=name,
        type=present_type(rtype),
        ttl=ttl,
        records=[present_rdata(rtype, wire) for wire in rdata],
    )


_Row = tuple[str, int, int, list[bytes]]


def _at_name(zone: Zone, name: str, rtype: int | None) -> Iterator[_Row]:
    for candidate in range(1, 65536) if rtype is None else (rtype,):
        found = zone.rrset(name, candidate)
        if found is not None:
            yield (name, candidate, *found)
