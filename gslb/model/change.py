"""Changes to zones and latency that were made through the API and outlive a restart."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gslb.model.site import LatencyRow

RRsetChange = tuple[str, int, int, list[bytes]]
"""(owner name, type number, TTL in seconds, RDATA in wire format); no RDATA removes the RRset.

The name is absolute, lower case, in presentation format with a final dot, as the native boundary wants it.
"""


RRsetKey = tuple[str, str, int]
"""(zone, owner name, type number) of an RRset that the API set or removed."""


@dataclass(frozen=True, slots=True)
class StoredRRset:
    """An RRset as the API last set it. ``records`` are RDATA in presentation format; none means removed.

    ``zone`` and ``name`` are absolute, lower case, with a final dot; ``rtype`` is the type's number.
    """

    zone: str
    name: str
    rtype: int
    ttl: int
    records: tuple[str, ...]
    author: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """One line of the change log: who did what, when. ``detail`` depends on ``kind``."""

    number: int
    at: datetime
    author: str
    kind: str
    detail: dict[str, object]


@dataclass(frozen=True, slots=True)
class Overlay:
    """What the API changed, to be laid over what the site directory says whenever that is loaded.

    ``rrsets`` holds each zone's changes, ``serials`` the last serial handed out for a zone that was changed:
    the loaded zone's serial must not fall behind it (RFC 1982). ``latency`` rows replace the site's rows of
    the same location and POP.
    """

    rrsets: Mapping[str, tuple[RRsetChange, ...]] = field(default_factory=dict)
    serials: Mapping[str, int] = field(default_factory=dict)
    latency: tuple[LatencyRow, ...] = ()
