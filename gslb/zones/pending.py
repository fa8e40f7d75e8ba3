"""Records whose type the native reader leaves to dnspython, turned to wire format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.config.rdata import read_rdata

if TYPE_CHECKING:
    from gslb._dataplane import ZoneText


def resolve_pending(zone: ZoneText) -> None:
    """Fill every pending record, or reject it with the reason. Never raises for what records say."""
    for index, rtype, text, origin in zone.pending():
        try:
            wire, _ = read_rdata(rtype, text, origin)
        except ValueError as error:
            zone.reject(index, str(error))
        else:
            zone.fill(index, wire)
