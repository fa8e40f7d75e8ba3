"""Verdicts and loads as they would be if: what tests, explanations and forecasts lay over the truth. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.model.health import Observed
from gslb.steering.loads import load_octets
from gslb.steering.verdict import VerdictTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gslb.model.policy_test import Conditions
    from gslb.model.site import SteeringConfig


def verdicts_if(
    config: SteeringConfig,
    conditions: Conditions,
    observed: Sequence[Observed] = (),
    drained: Iterable[str] = (),
    before: VerdictTable | None = None,
) -> VerdictTable:
    """The verdicts of ``config`` under ``conditions``.

    ``observed`` has one entry per endpoint, or is empty: then all are up. What ``conditions`` name is down or
    drained in addition; names that do not exist have no effect. Last-good marks follow from the table
    ``before``; without one, from all having served until then.
    """
    down = frozenset(conditions.down)
    endpoints = [(pool.name, endpoint.pop) for pool in config.pools for endpoint in pool.endpoints]
    up = [Observed.UP] * len(endpoints)
    merged = [
        Observed.DOWN if pop in down or f"{pool}/{pop}" in down else seen
        for (pool, pop), seen in zip(endpoints, observed or up, strict=True)
    ]
    if before is None:
        before = VerdictTable(config, up)
    return VerdictTable(config, merged, {*drained, *conditions.drain}, before)


def loads_if(config: SteeringConfig, conditions: Conditions, known: Mapping[str, float]) -> bytes:
    """Loads of all POPs, as the data plane takes them: those ``known``, or what is supposed instead."""
    return load_octets([pop.name for pop in config.pops], {**known, **conditions.load})
