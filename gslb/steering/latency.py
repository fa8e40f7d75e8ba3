"""The latency table in force: the site's rows, and over them those that the API set."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gslb.model.site import LatencyRow, SteeringConfig


def with_latency(steering: SteeringConfig, rows: Sequence[LatencyRow]) -> SteeringConfig:
    """The steering with the API's rows in place of the site's of the same location and POP."""
    if not rows:
        return steering
    known = {pop.name for pop in steering.pops}
    merged = {(row.kind, row.value, row.pop): row for row in steering.latency}
    # A POP may have left the site since its latency was measured.
    merged.update({(row.kind, row.value, row.pop): row for row in rows if row.pop in known})
    return steering.model_copy(update={"latency": tuple(merged.values())})
