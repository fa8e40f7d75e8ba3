"""When to probe. Pure: the caller brings the clock and the randomness.

Probes *start* one interval apart, however long each takes, and jitter only ever shortens an interval. So an
endpoint that stops answering is seen down within ``interval × fall + timeout``.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

    from gslb.model.site import Monitor

FIRST_SPACING = 0.02
"""Seconds between the first probes of two targets, when their interval leaves room for it."""

LEAST_PAUSE = 0.05
"""Seconds of rest after a probe that took longer than its interval."""


SLOTS_RESERVE = 1.25
"""Probes that may run at once, over those that run on average when every target hangs."""


def slots_needed(monitors: Iterable[tuple[Monitor, int]]) -> int:
    """How many probes must be able to run at once so that none waits; each monitor has so many targets."""
    return ceil(
        SLOTS_RESERVE * sum(count * monitor.timeout / monitor.interval for monitor, count in monitors)
    )


def first_delay(monitor: Monitor, position: int, count: int) -> float:
    """Seconds until the first probe of the target at ``position`` among ``count`` that start together.

    A few targets start at once, thousands are spread evenly over their interval.
    """
    return position * min(FIRST_SPACING, monitor.interval / max(count, 1))


def pause(monitor: Monitor, random: Random, elapsed: float) -> float:
    """Seconds to wait after a probe that began ``elapsed`` seconds ago."""
    interval = monitor.interval * (1.0 - monitor.jitter * random.random())
    return max(interval - elapsed, LEAST_PAUSE)
