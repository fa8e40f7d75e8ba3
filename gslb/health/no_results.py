"""Probes without a result in the log: each reason at most once a minute, with its own count."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)

LOG_SECONDS = 60.0
"""At least so long between two messages for one reason."""

MOST_REASONS = 32
"""Reasons that are told apart; of a site with a reason for each of its targets the others share messages."""


@dataclass(slots=True)
class _Noted:
    """``unlogged`` is how often since the last message; times are monotonic seconds."""

    unlogged: int = 0
    logged_at: float = float("-inf")
    noted_at: float = float("-inf")


class NoResults:
    """Counts probes without a result by monitor and reason, and logs them now and then."""

    def __init__(self) -> None:
        self._noted: dict[tuple[str, str], _Noted] = {}
        self._others = _Noted()

    def note(self, monitor: str, target: str, reason: str, now: float) -> None:
        """A probe of ``target`` had no result at ``now``, in monotonic seconds."""
        noted = self._noted_of((monitor, reason), now)
        noted.noted_at = now
        noted.unlogged += 1
        if now - noted.logged_at < LOG_SECONDS:
            return
        event = "probes without a result"
        if noted is self._others:
            event += ", for more reasons than are told apart"
        log.error(event, target=target, monitor=monitor, reason=reason, count=noted.unlogged)
        noted.logged_at = now
        noted.unlogged = 0

    def _noted_of(self, key: tuple[str, str], now: float) -> _Noted:
        known = self._noted.get(key)
        if known is not None:
            return known
        if len(self._noted) >= MOST_REASONS:
            longest = min(self._noted, key=lambda one: self._noted[one].noted_at)
            # A reason that was just met keeps its place: room for each new one would be a message for each.
            if now - self._noted[longest].noted_at < LOG_SECONDS:
                return self._others
            del self._noted[longest]
        return self._noted.setdefault(key, _Noted())
