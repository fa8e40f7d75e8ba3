"""Readers of numbers with a unit: percentages, milliseconds, kilometres.

Each raises ValueError whose text continues the name of the setting, as in ``values.py``.
"""

from __future__ import annotations

import re

from gslb.config.durations import parse_duration
from gslb.config.wording import quote
from gslb.model.site import Count, Fraction, Milliseconds, Percent

MAXIMUM_NEED = 65_535
MAXIMUM_DIFFERENCE = 60_000
"""Milliseconds: the greatest that a latency table holds."""
MAXIMUM_DIFFERENCE_PERCENT = 1_000
MAXIMUM_BIAS = 20_000
"""Kilometres: half of the way around the earth."""

_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
_PERCENT = re.compile(rf"({_NUMBER}) ?%")
_KILOMETRES = re.compile(rf"([-+]?{_NUMBER}) ?km")


def need(value: object) -> Count | Fraction:
    """How many must serve: a whole number, or a percentage of what there is."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAXIMUM_NEED:
        return Count(count=value)
    percent = _percent(value)
    if percent is not None and 0 < percent <= 100:
        return Fraction(fraction=percent / 100)
    raise ValueError(
        f"must be a whole number from 1 to {MAXIMUM_NEED}, or more than 0% to 100%, not {quote(value)}"
    )


def difference(value: object) -> Milliseconds | Percent:
    """How far two latencies may lie apart: a duration with its unit, or a percentage."""
    percent = _percent(value)
    if percent is not None and percent <= MAXIMUM_DIFFERENCE_PERCENT:
        return Percent(percent=percent)
    if isinstance(value, str) and percent is None:
        try:
            milliseconds = parse_duration(value) * 1000
        except ValueError:
            milliseconds = -1.0
        if 0 <= milliseconds <= MAXIMUM_DIFFERENCE:
            return Milliseconds(milliseconds=round(milliseconds, 6))
    raise ValueError(
        f"must be a duration such as 5ms, at most 1m, or a percentage such as 10%, at most "
        f"{MAXIMUM_DIFFERENCE_PERCENT}%, not {quote(value)}"
    )


def kilometres(value: object) -> float:
    """A distance that is added to another: a number of kilometres, with or without the unit."""
    found: float | None = None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        found = float(value)
    elif isinstance(value, str) and (match := _KILOMETRES.fullmatch(value)):
        found = float(match[1])
    if found is None or not -MAXIMUM_BIAS <= found <= MAXIMUM_BIAS:
        raise ValueError(
            f"must be kilometres from -{MAXIMUM_BIAS} to {MAXIMUM_BIAS}, such as -500km, not {quote(value)}"
        )
    return found


def _percent(value: object) -> float | None:
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    return float(match[1]) if match else None
