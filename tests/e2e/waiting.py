"""Waiting for a real process to react: looks again and again until a deadline, never sleeps for luck."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

PATIENCE = 20.0
"""Seconds for what has no bound of its own; only a failure takes so long."""


def eventually(look: Callable[[], Result], what: str, seconds: float = PATIENCE) -> Result:
    """The first true result of ``look``; an assertion that says ``what`` did not happen after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}; last seen: {seen!r}"
        time.sleep(0.02)
