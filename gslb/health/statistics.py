"""How long probes take and how they end, per monitor, for the metrics."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds."""


@dataclass(slots=True)
class ProbeStatistics:
    """Counts of one monitor. ``buckets`` has one count per bound, and a last one for all above.

    Probes ``without_result`` are in no other count.
    """

    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0
    successes: int = 0
    failures: int = 0
    without_result: int = 0

    def add(self, success: bool | None, seconds: float) -> None:
        """Count one probe; ``None`` is one without a result."""
        if success is None:
            self.without_result += 1
            return
        self.buckets[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds
        if success:
            self.successes += 1
        else:
            self.failures += 1
