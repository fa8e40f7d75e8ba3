"""Why monitors know nothing of endpoints, by POP. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from gslb.model.report import WithoutResultReport

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

REASONS_LIMIT = 3
"""Reasons reported of one POP."""


def without_result_by_pop(
    pops: Sequence[str], rows: Iterable[tuple[str, str, Sequence[int]]]
) -> dict[str, list[WithoutResultReport]]:
    """The reasons of the most endpoints of each POP, first those.

    ``pops`` has one for each endpoint, ``rows`` are as the checker tells them.
    """
    counts = defaultdict[str, Counter[tuple[str, str]]](Counter)
    for monitor, reason, numbers in rows:
        for number in numbers:
            counts[pops[number]][monitor, reason] += 1
    return {
        pop: [
            WithoutResultReport(monitor=monitor, reason=reason, endpoints=count)
            for (monitor, reason), count in sorted(of.items(), key=lambda one: (-one[1], one[0]))[
                :REASONS_LIMIT
            ]
        ]
        for pop, of in counts.items()
    }
