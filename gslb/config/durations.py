"""Durations as people write them: ``10s``, ``500ms``, ``2m``, ``1h30m``, ``1w``, or a number of seconds."""

from __future__ import annotations

import re

from gslb.config.wording import quote

_UNITS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_NUMBER = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)"
_DURATION = re.compile("".join(rf"(?:{_NUMBER}{unit}(?![a-z]))?" for unit in _UNITS))


def parse_duration(value: object) -> float:
    """Seconds. Takes ``1w2d3h4m5s6ms`` with any of its parts, in that order, or a number of seconds.

    Raises ValueError for anything else, negative numbers too.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if value < 0:
            raise ValueError(f"must not be negative, not {value}")
        return float(value)
    match = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
    if match is None:
        raise ValueError(f"must be a duration such as 10s, 500ms, 2m or 1h30m, not {quote(value)}")
    milliseconds = sum(
        float(number) * unit for number, unit in zip(match.groups(), _UNITS.values(), strict=True) if number
    )
    return milliseconds / 1000


def format_duration(seconds: float) -> str:
    """The shortest text from which ``parse_duration`` makes ``seconds``, to the millisecond."""
    rest = round(seconds * 1000)
    text = ""
    for unit, size in _UNITS.items():
        whole, rest = divmod(rest, size)
        if whole:
            text += f"{whole}{unit}"
    return text or "0s"
