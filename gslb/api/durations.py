"""Durations as operators write them."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(?:[0-9]{1,9}[smhdw]){1,5}")
_PART = re.compile(r"([0-9]+)([smhdw])")
LONGEST_SECONDS = 3_650 * 86_400


def read_duration(text: str) -> timedelta:
    """A duration such as ``90s``, ``2h`` or ``1d12h``, up to ten years. Raises ValueError."""
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration: write 30m, 2h or 1d12h")
    seconds = sum(int(count) * _UNITS[unit] for count, unit in _PART.findall(text))
    if not 0 < seconds <= LONGEST_SECONDS:
        raise ValueError(f"{text!r} is not between a second and ten years")
    return timedelta(seconds=seconds)
