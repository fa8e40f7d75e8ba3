"""Which names an answer may come from: the name asked for, and all that aliases lead to from there.

This says too much rather than too little: it takes every branch that a server could take.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.name
import dns.rdatatype

from gslb.config.leads import MAXIMUM_NAMES, target_at
from gslb.config.names import parent_names, wildcard_below
from gslb.model.alias import ALIAS
from gslb.model.pool_graph import PoolGraph

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gslb._dataplane import Zone
    from gslb.config.leads import AliasRow
    from gslb.model.site import SteeringConfig

_CNAME, _DNAME = int(dns.rdatatype.CNAME), int(dns.rdatatype.DNAME)


@dataclass(frozen=True, slots=True)
class Reached:
    """What can be reached from a name: names, itself included, and the ALIAS records met on the way.

    ``steered`` are the steered names, wildcards too, that may answer for some of ``names``. ``is_whole`` is
    whether nothing was left out because it was too much.
    """

    names: frozenset[str]
    aliases: tuple[AliasRow, ...] = ()
    steered: frozenset[str] = frozenset()
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class _Step:
    """Where one name leads at once."""

    names: list[str] = field(default_factory=list)
    aliases: list[AliasRow] = field(default_factory=list)
    steered: list[str] = field(default_factory=list)


class Reach:
    """Follows names through ``zones`` (by origin).

    ``targets`` are the names that steered names may answer as CNAME, by steered name: ``steered_targets``.
    """

    def __init__(self, zones: Mapping[str, Zone], targets: Mapping[str, Collection[str]]) -> None:
        self._zones = zones
        self._targets = targets
        self._steps: dict[str, _Step] = {}

    def of(self, name: str) -> Reached:
        """From ``name``, which is absolute, in lower case, with a final dot."""
        found = {name: None}
        aliases: dict[AliasRow, None] = {}
        steered: set[str] = set()
        pending = [name]
        is_whole = True
        while pending and is_whole:
            step = self._step(pending.pop())
            aliases.update(dict.fromkeys(step.aliases))
            steered.update(step.steered)
            fresh = [following for following in step.names if following not in found]
            found.update(dict.fromkeys(fresh))
            pending += fresh
            is_whole = len(found) <= MAXIMUM_NAMES
        return Reached(frozenset(found), tuple(aliases), frozenset(steered), is_whole)

    def _step(self, name: str) -> _Step:
        step = self._steps.get(name)
        if step is None:
            step = self._steps[name] = self._look_up(name)
        return step

    def _look_up(self, name: str) -> _Step:
        step = _Step()
        parents = parent_names(name)
        depth = next((index for index, parent in enumerate(parents) if parent in self._zones), None)
        if depth is None:
            return step
        zone = self._zones[parents[depth]]
        above = parents[1 : depth + 1]
        for owner in (name, *map(wildcard_below, above)):
            if owner in self._targets:
                step.steered.append(owner)
                step.names.extend(self._targets[owner])
            for rtype in (_CNAME, ALIAS):
                lead = target_at(zone, owner, rtype)
                if lead is not None:
                    target, ttl = lead
                    step.names.append(target)
                    if rtype == ALIAS:
                        step.aliases.append((owner, target, ttl))
        for parent in above:
            lead = target_at(zone, parent, _DNAME)
            if lead is not None:
                with suppress(dns.name.NameTooLong):
                    step.names.append(_moved(name, parent, lead[0]))
        return step


def steered_targets(config: SteeringConfig) -> dict[str, tuple[str, ...]]:
    """The names that each steered name may answer as CNAME; of most there are none."""
    graph = PoolGraph(config.pools)
    of_pool: dict[str, tuple[str, ...]] = {}
    for pool in {name.pool for name in config.names} & graph.pools.keys():
        cnames = (endpoint.cname for one in graph.below(pool) for endpoint in one.endpoints)
        of_pool[pool] = tuple(dict.fromkeys(filter(None, cnames)))
    return {name.name: of_pool.get(name.pool, ()) for name in config.names}


def _moved(name: str, parent: str, target: str) -> str:
    """``name``, which is below ``parent``, below ``target`` (RFC 6672). Raises dns.name.NameTooLong."""
    prefix = dns.name.from_text(name).relativize(dns.name.from_text(parent))
    moved: str = (prefix + dns.name.from_text(target)).to_text()
    return moved
