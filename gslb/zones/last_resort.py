"""The records that a name falls back to when its pool is not available, where the API may remove them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from gslb.config.names import parent_names
from gslb.config.rdata import present_type
from gslb.config.wording import one_of, quote
from gslb.model.finding import Finding, Severity
from gslb.model.pool_graph import PoolGraph
from gslb.model.site import AAAA, CNAME, A, WhenAllDown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from gslb._dataplane import Zone
    from gslb.model.change import RRsetChange
    from gslb.model.site import SteeredName, SteeringConfig

RULE = "site-fallback-without-records"

_REMEDY = "leave it, or change when_all_down of the pool first"
_REMEDY_IF_STORED = "it is removed through the API: set it anew, or give it back to the file"

_ADDRESSES = frozenset({A, AAAA})


def last_resort_types(name: SteeredName, graph: PoolGraph) -> frozenset[int]:
    """Types of one of which the zone must have records at the name; none if it falls back to nothing."""
    pool = graph.pools.get(name.pool)
    if pool is None or pool.name not in graph.kinds or pool.when_all_down is not WhenAllDown.FALLBACK:
        return frozenset()
    kinds = graph.kinds[pool.name]
    # A pool with addresses or a cname falls back to either type of address.
    wanted = kinds | _ADDRESSES if kinds & {A, AAAA, CNAME} else kinds
    return wanted - {CNAME}


def missing_last_resort(
    name: SteeredName, origin: str, types: Collection[int], remedy: str, *, would: bool = False
) -> Finding:
    """The error of a name without records of any of ``types``; ``remedy`` says what to do.

    With ``would`` it is that of a change that has not happened.
    """
    words = one_of([present_type(rtype) for rtype in sorted(types)])
    has = "would have" if would else "has"
    message = (
        f"name {quote(name.name)} {has} no {words} record in zone {origin} for pool {quote(name.pool)} to "
        f"fall back to (when_all_down: fallback); {remedy}"
    )
    return Finding(RULE, Severity.ERROR, name.place, message)


class LastResorts:
    """The names of a site that need last-resort records, to be asked about changes of its zones."""

    def __init__(self, config: SteeringConfig) -> None:
        self._config = config

    @cached_property
    def _needs(self) -> Mapping[str, tuple[SteeredName, frozenset[int]]]:
        """Names, and types of which each needs one. Looked for when asked: few sites have any."""
        graph = PoolGraph(self._config.pools)
        return {
            name.name: (name, types)
            for name in self._config.names
            if (types := last_resort_types(name, graph))
        }

    def lost(
        self,
        zone: Zone,
        changes: Iterable[RRsetChange],
        origins: Collection[str],
        *,
        are_stored: bool = False,
    ) -> dict[str, tuple[Finding, frozenset[int]]]:
        """Names that ``changes``, made in ``zone``, leave without: the error, and the types that they need.

        ``origins`` are those of all zones: a name belongs to the nearest above it. ``are_stored`` is whether
        the changes are in force, and not just asked for.
        """
        found: dict[str, tuple[Finding, frozenset[int]]] = {}
        for owner, rtype, _, rdata in changes:
            if rdata or owner not in self._needs or owner in found:
                continue
            name, types = self._needs[owner]
            nearest = next(one for one in parent_names(owner) if one in origins)
            is_lost = rtype in types and all(zone.rrset(owner, one) is None for one in types)
            if is_lost and nearest == zone.origin:
                remedy = _REMEDY_IF_STORED if are_stored else _REMEDY
                finding = missing_last_resort(name, zone.origin, types, remedy, would=not are_stored)
                found[owner] = finding, types
        return found
