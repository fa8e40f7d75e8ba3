"""What the API changed, as it was stored, made into what the next load of the site takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.config.rdata import present_type, read_rdata
from gslb.errors import StateError
from gslb.model.change import Overlay

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gslb.model.change import RRsetChange, StoredRRset
    from gslb.model.site import LatencyRow


def stored_overlay(
    rows: Iterable[StoredRRset], serials: Mapping[str, int], latency: Iterable[LatencyRow]
) -> Overlay:
    """What was stored, for the next load of the site. Raises StateError for a record that cannot be read."""
    changes: dict[str, list[RRsetChange]] = {}
    for row in rows:
        try:
            wires = [read_rdata(row.rtype, text, row.zone)[0] for text in row.records]
        except ValueError as error:
            what = f"{row.name} {present_type(row.rtype)} of zone {row.zone}"
            raise StateError(
                f"the state directory holds records of {what} that cannot be read: {error}: "
                "run the release that wrote them, or restore a backup"
            ) from error
        changes.setdefault(row.zone, []).append((row.name, row.rtype, row.ttl, wires))
    return Overlay({zone: tuple(rows) for zone, rows in changes.items()}, serials, tuple(latency))
