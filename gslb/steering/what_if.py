"""Verdicts as they would be if: what tests, explanations and forecasts lay over the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.model.health import Observed
from gslb.steering.verdict import VerdictTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gslb.model.policy_test import Conditions
    from gslb.model.site import SteeringConfig


def verdicts_if(
    config: SteeringConfig,
    conditions: Conditions,
    observed: Sequence[Observed] = (),
    drained: Iterable[str] = (),
) -> bytes:
    """One octet per endpoint of ``config``, as the data plane takes them.

    ``observed`` has one entry per endpoint, or is empty: then all are up. What ``conditions`` name is down or
    drained in addition; names that do not exist have no effect.
    """
    down = frozenset(conditions.down)
    endpoints = [(pool.name, endpoint.pop) for pool in config.pools for endpoint in pool.endpoints]
    merged = [
        Observed.DOWN if pop in down or f"{pool}/{pop}" in down else seen
        for (pool, pop), seen in zip(endpoints, observed or [Observed.UP] * len(endpoints), strict=True)
    ]
    return VerdictTable(config, merged, {*drained, *conditions.drain}).to_bytes()
