"""Observed health, operator intent, and the verdict that merges them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

ITEM = "%%ITEM%%"
"""What stands in a monitor's command for the address or name that is probed."""


class Observed(StrEnum):
    """What probes say of an endpoint."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"

    __hash__ = str.__hash__  # an enumeration's own is Python, and tables of many thousands are counted


class Verdict(IntEnum):
    """Whether an endpoint may be handed out. The numbers cross the native boundary."""

    SERVING = 0
    DOWN = 1
    DRAINED = 2

    __hash__ = int.__hash__  # as above


@dataclass(frozen=True, slots=True)
class Drain:
    """An operator's intent that a POP serve nobody. Times are aware UTC; no expiry means until undrained."""

    pop: str
    reason: str
    author: str
    created_at: datetime
    expires_at: datetime | None = None

    def is_active(self, now: datetime) -> bool:
        """Whether the drain still holds at ``now``."""
        return self.expires_at is None or now < self.expires_at
