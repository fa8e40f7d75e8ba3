"""What a drain leaves without enough endpoints, and what is answered then. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.config.rdata import present_type
from gslb.model.health import Verdict
from gslb.model.pool_graph import PoolGraph, pools_that_answer
from gslb.model.site import WhenAllDown
from gslb.steering.availability import available_pools
from gslb.steering.document import numbered_endpoints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gslb.model.site import Pool, SteeringConfig

_WHEN_ALL_DOWN = {
    WhenAllDown.SERVE_ALL: "its names are answered with all endpoints that are not drained, else with all",
    WhenAllDown.LAST_GOOD: (
        "its names are answered with the endpoints that served last and are not drained, else as by serve_all"
    ),
    WhenAllDown.FALLBACK: "its names are answered with the records of the zone file",
    WhenAllDown.NODATA: "its names are answered with no data",
    WhenAllDown.SERVFAIL: "its names are answered with SERVFAIL",
}


def drain_warnings(config: SteeringConfig, verdicts: Sequence[Verdict], pop: str) -> list[str]:
    """Pools with an endpoint in ``pop`` that are not available, and what comes of it."""
    graph = PoolGraph(config.pools)
    available = available_pools(graph, verdicts)
    offered: dict[str, set[int]] = {pool.name: set() for pool in config.pools}
    serving: dict[str, set[int]] = {pool.name: set() for pool in config.pools}
    for number, pool, endpoint in numbered_endpoints(config):
        if endpoint.pop == pop:
            offered[pool.name].update(endpoint.kinds)
        if verdicts[number] is Verdict.SERVING:
            serving[pool.name].update(endpoint.kinds)
    for pool in graph.order:  # members first
        for member in graph.members[pool.name]:
            offered[pool.name] |= offered[member]
            serving[pool.name] |= serving[member]
    answering = {pool.name for pool in pools_that_answer(config.pools, config.names)}
    warnings = []
    for pool in config.pools:
        lacking = {kind for kind in offered[pool.name] if (pool.name, kind) not in available}
        outcome = _outcome(pool, pool.name in answering)
        empty, few = lacking - serving[pool.name], lacking & serving[pool.name]
        for kinds, what in ((empty, "has no serving endpoint left"), (few, "has too few serving endpoints")):
            if kinds:
                of_types = "" if kinds == graph.kinds[pool.name] else f" for {_types(kinds)}"
                warnings.append(f"pool {pool.name} {what}{of_types}: {outcome}")
    return warnings


def _outcome(pool: Pool, answers: bool) -> str:
    if answers:
        return f"when_all_down is {pool.when_all_down}: {_WHEN_ALL_DOWN[pool.when_all_down]}"
    return "the pools that it is a member of go on without it"


def _types(kinds: set[int]) -> str:
    return ", ".join(present_type(kind) for kind in sorted(kinds))
