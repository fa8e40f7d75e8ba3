"""When an ALIAS target is asked for again, and for how long an answer may be given on. Pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from gslb.model.site import ResolverSettings

FIRST_RETRY = 1.0
LAST_RETRY = 60.0
"""Seconds between tries of what cannot be resolved: they double from the first to the last."""
STALE_TTL = 30
"""Seconds that stale data may be kept by others (RFC 8767 section 4)."""


def bounded_ttl(ttl: int, settings: ResolverSettings) -> int:
    """The TTL between the floor and the ceiling."""
    return max(settings.min_ttl, min(ttl, settings.max_ttl))


def stale_ttl(ttl: int, settings: ResolverSettings) -> int:
    """The TTL of stale data that had ``ttl`` when it was fresh."""
    return max(settings.min_ttl, min(ttl, STALE_TTL))


def refresh_delay(ttl: int, randomness: random.Random) -> float:
    """Seconds from an answer to the next question: spread out, and before the answer has expired."""
    return ttl * randomness.uniform(0.75, 0.9)


def retry_delay(failures: int, randomness: random.Random) -> float:
    """Seconds from the last of ``failures`` in a row to the next try."""
    longest = min(FIRST_RETRY * 2.0 ** min(failures - 1, 16), LAST_RETRY)
    return longest * randomness.uniform(0.75, 1.0)
