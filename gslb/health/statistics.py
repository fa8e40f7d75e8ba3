"""How long probes take and how they end, per monitor, for the metrics."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds."""


@dataclass(slots=True)
class ProbeStatistics:
    """Counts of one monitor. ``buckets`` has one count per bound, and a last one for all above."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0
    successes: int = 0
    failures: int = 0

    def add(self, success: bool, seconds: float) -> None:
        """Count one probe."""
        self.buckets[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds
        if success:
            self.successes += 1
        else:
            self.failures += 1
