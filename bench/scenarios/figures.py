"""Figures out of measurements: percentiles, histograms of the generator, medians. Pure."""

from __future__ import annotations

import json
import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Histogram = Mapping[float, int]
"""How many answers took how many microseconds."""


def percentile(values: Sequence[float], share: float) -> float:
    """The least of ``values`` that at least this ``share`` (0 to 1) of them do not exceed; nearest rank.

    Raises ValueError without values, and for a share that is none.
    """
    if not values or not 0 <= share <= 1:
        raise ValueError("a percentile needs values, and a share from 0 to 1")
    rank = max(1, math.ceil(share * len(values)))
    return sorted(values)[rank - 1]


def histogram_percentile(histogram: Histogram, share: float) -> float:
    """As ``percentile``, of a histogram. Raises ValueError when it is empty."""
    total = sum(histogram.values())
    if not total or not 0 <= share <= 1:
        raise ValueError("a percentile needs values, and a share from 0 to 1")
    rank, counted = max(1, math.ceil(share * total)), 0
    for value in sorted(histogram):
        counted += histogram[value]
        if counted >= rank:
            return value
    raise AssertionError("the counts of a histogram are positive")


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """All of them in one."""
    found: Counter[float] = Counter()
    for histogram in histograms:
        found.update(histogram)
    return found


def summary(values: Sequence[float], digits: int = 3) -> dict[str, float | int]:
    """Count, median, 99th percentile and maximum, for a report."""
    return {
        "count": len(values),
        "p50": round(percentile(values, 0.5), digits),
        "p99": round(percentile(values, 0.99), digits),
        "max": round(max(values), digits),
    }


def median_of(runs: Sequence[Mapping[str, Any]], key: str) -> float:
    """The median of a figure over the runs that have it."""
    return statistics.median(run[key] for run in runs if run.get(key) is not None)


def change_percent(before: float, after: float) -> float:
    """By how much ``after`` is more than ``before``, in percent of that."""
    return 100.0 * (after / before - 1.0)


@dataclass(frozen=True)
class Interval:
    """What the generator counted from ``begin`` on, on the monotonic clock, for so many seconds."""

    begin: float
    seconds: float
    sent: int
    answered: int
    lost: int
    rcodes: Mapping[int, int]
    histogram: Histogram = field(repr=False)

    @property
    def end(self) -> float:
        """When it ended."""
        return self.begin + self.seconds


@dataclass(frozen=True)
class Window:
    """What happened to the queries of some intervals; times are in microseconds."""

    seconds: float
    answered: int
    lost: int
    servfail: int
    p50_us: float
    p99_us: float
    p999_us: float

    @property
    def queries_per_second(self) -> float:
        """Answered."""
        return self.answered / self.seconds


def read_generator(text: str) -> tuple[list[Interval], dict[str, Any]]:
    """The intervals that ``udpload -i`` printed, and its last line, the whole."""
    rows = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    if not rows or "at" in rows[-1]:
        raise ValueError("the generator ended before its last line")
    intervals = [
        Interval(
            begin=row["at"],
            seconds=row["seconds"],
            sent=row["sent"],
            answered=row["answered"],
            lost=row["lost"],
            rcodes={int(code): count for code, count in row["rcodes"].items()},
            histogram={value: count for value, count in row["histogram_us"]},
        )
        for row in rows[:-1]
    ]
    return intervals, rows[-1]


def window(intervals: Iterable[Interval], begin: float, end: float, *, touching: bool = False) -> Window:
    """What the intervals within ``begin`` and ``end`` say together; ``touching``: those partly within too.

    Raises ValueError when there is no answer in them.
    """
    chosen = [
        one
        for one in intervals
        if (one.begin < end and one.end > begin if touching else one.begin >= begin and one.end <= end)
    ]
    together = merged(one.histogram for one in chosen)
    return Window(
        seconds=sum(one.seconds for one in chosen),
        answered=sum(one.answered for one in chosen),
        lost=sum(one.lost for one in chosen),
        servfail=sum(one.rcodes.get(2, 0) for one in chosen),
        p50_us=histogram_percentile(together, 0.5),
        p99_us=histogram_percentile(together, 0.99),
        p999_us=histogram_percentile(together, 0.999),
    )
