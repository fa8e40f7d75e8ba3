"""Names in zones of the site that pools answer with as CNAME, and those of them that do not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gslb.config.names import parent_names
from gslb.config.wording import quote
from gslb.model.finding import Finding
from gslb.model.pool_graph import PoolGraph
from gslb.model.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gslb._dataplane import ZoneText
    from gslb.model.finding import Place
    from gslb.model.site import SteeringConfig

_ABSENT = 0


class PoolCname(NamedTuple):
    """The ``cname`` of an endpoint, and the nearest zone of the site above it."""

    target: str
    origin: str
    pool: str
    place: Place


def cnames_of_pools(
    steering: SteeringConfig, zones: Mapping[str, ZoneText]
) -> dict[str, tuple[PoolCname, ...]]:
    """Those in ``zones`` (by origin), by the pool whose endpoints have them; most pools have none."""
    found = {}
    for pool in steering.pools:
        cnames = []
        for endpoint in pool.endpoints:
            if endpoint.cname:
                origin = next((name for name in parent_names(endpoint.cname) if name in zones), None)
                if origin is not None:
                    cnames.append(PoolCname(endpoint.cname, origin, pool.name, endpoint.place))
        if cnames:
            found[pool.name] = tuple(cnames)
    return found


def cnames_of_names(
    steering: SteeringConfig, of_pools: Mapping[str, Sequence[PoolCname]]
) -> dict[str, tuple[PoolCname, ...]]:
    """What each steered name may answer of them, its pool's members at all depths included."""
    graph = PoolGraph(steering.pools)
    every = (*steering.names, *steering.broken_names)
    below = {
        pool: tuple(cname for one in graph.below(pool) for cname in of_pools.get(one.name, ()))
        for pool in {name.pool for name in every} & graph.pools.keys()
    }
    return {name.name: below.get(name.pool, ()) for name in every}


def check_pool_cnames(
    of_pools: Mapping[str, Sequence[PoolCname]],
    zones: Mapping[str, ZoneText],
    steered: Mapping[str, Sequence[str]],
) -> Iterator[Finding]:
    """A finding for each endpoint whose name does not exist in its zone, one of ``zones``.

    ``steered`` has the steered names of each zone.
    """
    wanted: dict[str, list[PoolCname]] = {}
    for cnames in of_pools.values():
        for cname in cnames:
            wanted.setdefault(cname.origin, []).append(cname)
    for origin, cnames in wanted.items():
        if origin not in zones:
            continue
        found = zones[origin].presence([cname.target for cname in cnames], list(steered.get(origin, ())))
        for cname, presence in zip(cnames, found, strict=True):
            if presence == _ABSENT:
                message = (
                    f"pool {quote(cname.pool)} answers with the cname {cname.target}, which does not exist "
                    f"in zone {origin}, served here: add it, or correct the cname"
                )
                yield Finding("site-dangling-cname", RULES["site-dangling-cname"], cname.place, message)
