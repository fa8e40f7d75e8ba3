"""Differences that are meant: each with what it is and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.differential.compare import Answer, Difference
    from tests.differential.queries import Case


@dataclass(frozen=True)
class Known:
    """One named difference. ``matches`` sees the query, the difference, our answer and the peers'."""

    name: str
    reason: str
    matches: Callable[[Case, Difference, Answer, dict[str, Answer]], bool]


KNOWN: tuple[Known, ...] = ()


def name_of(case: Case, difference: Difference, ours: Answer, peers: dict[str, Answer]) -> str | None:
    """The name of the first known difference that this is, or None."""
    for known in KNOWN:
        if known.matches(case, difference, ours, peers):
            return known.name
    return None
