"""What is known of one ALIAS target's addresses of one type."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gslb.aliases.schedule import stale_ttl
from gslb.model.alias import AliasState

if TYPE_CHECKING:
    import asyncio
    from datetime import datetime

    from gslb.model.site import ResolverSettings

NOT_YET = "not resolved yet"


@dataclass(frozen=True, slots=True)
class Known:
    """The last good answer. ``ttl`` is within floor and ceiling; ``expires`` is monotonic time."""

    ttl: int
    rdata: tuple[bytes, ...]
    expires: float


@dataclass(slots=True, eq=False)
class Lookup:
    """One name and type that is asked for again and again.

    ::

        unknown ──answer──► fresh ──expired──► stale ──too long──► unknown
                              ▲                  │
                              └─────answer───────┘
    """

    name: str
    rtype: int
    known: Known | None = None
    state: AliasState = AliasState.UNKNOWN
    failures: int = 0
    error: str = NOT_YET
    checked_at: datetime | None = None
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    def age(self, now: float, settings: ResolverSettings) -> None:
        """Bring ``state`` up to date; data that has been stale for too long is forgotten."""
        if self.known is not None and now >= self.known.expires + settings.stale:
            self.known = None
        if self.known is None:
            self.state = AliasState.UNKNOWN
        else:
            self.state = AliasState.STALE if now >= self.known.expires else AliasState.FRESH

    def answer(self, settings: ResolverSettings) -> tuple[int, list[bytes], bool] | None:
        """TTL, RDATA and whether it is stale; ``None`` while nothing is known."""
        if self.known is None:
            return None
        is_stale = self.state is AliasState.STALE
        ttl = stale_ttl(self.known.ttl, settings) if is_stale else self.known.ttl
        return ttl, list(self.known.rdata), is_stale
