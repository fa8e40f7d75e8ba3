"""What is known of an endpoint: what each of its monitors says, and what follows of that. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gslb.model.health import Observed

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from gslb.health.probes import ProbeTarget


@dataclass(frozen=True, slots=True)
class MonitorHealth:
    """What one monitor says of one target. Times are aware UTC, ``seconds`` is the last probe's duration.

    ``since`` is when ``observed`` last changed; what was never probed has no times.
    """

    monitor: str
    target: ProbeTarget
    observed: Observed = Observed.UNKNOWN
    reason: str = "not probed yet"
    since: datetime | None = None
    checked_at: datetime | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """What is known of one endpoint. ``since`` is when ``observed`` last changed, aware UTC.

    ``monitors`` are in the order of its pool; an endpoint that is never probed has none.
    """

    observed: Observed = Observed.UNKNOWN
    since: datetime | None = None
    monitors: tuple[MonitorHealth, ...] = ()

    @property
    def deciding(self) -> MonitorHealth | None:
        """The first monitor that says what is observed of the endpoint: of one that is down, which failed."""
        return next((one for one in self.monitors if one.observed is self.observed), None)

    @property
    def reason(self) -> str:
        """Why this is observed."""
        return "the pool has no monitor" if self.deciding is None else self.deciding.reason


def observed_of_all(states: Collection[Observed]) -> Observed:
    """What several monitors together observe: down if any is, up only if all are."""
    return next((worst for worst in (Observed.DOWN, Observed.UNKNOWN) if worst in states), Observed.UP)
