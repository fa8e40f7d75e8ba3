"""What metrics read from the control plane, taken at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ProbeGauges:
    """One monitor's probes: how they ended and how long they took.

    ``buckets`` are (upper bound in seconds, probes at most that long), cumulative, without the infinite one.
    Probes ``without_result`` are in no other number.
    """

    successes: int
    failures: int
    buckets: tuple[tuple[float, int], ...]
    seconds: float
    without_result: int = 0


@dataclass(frozen=True, slots=True)
class Gauges:
    """The state of the control plane. Times are seconds since the epoch; 0 means never."""

    generation: int = 0
    zone_serials: Mapping[str, int] = field(default_factory=dict)
    zone_records: Mapping[str, int] = field(default_factory=dict)
    verdicts: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    """(POP, pool, verdict) to endpoints."""
    observed: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(POP, state) to endpoints."""
    monitored: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    """(monitor, POP, state that the monitor says) to endpoints."""
    drained: Mapping[str, bool] = field(default_factory=dict)
    """POP to whether it is drained."""
    loads: Mapping[str, float] = field(default_factory=dict)
    """POP to the load in effect, where one is known."""
    demand: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """(steered name, country) to recent queries a second."""
    probes: Mapping[str, ProbeGauges] = field(default_factory=dict)
    """Monitor to its probes."""
    alias_targets: Mapping[str, int] = field(default_factory=dict)
    """State to ALIAS targets that no zone here holds."""
    resolution_successes: int = 0
    resolution_failures: int = 0
    reload_successes: int = 0
    reload_failures: int = 0
    last_reload: float = 0.0
    last_successful_reload: float = 0.0
