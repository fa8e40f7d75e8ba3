"""Which names an answer may come from: the name asked for, and all that aliases lead to from there.

This says too much rather than too little: it takes every branch that a server could take.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.exception
import dns.name
import dns.rdatatype

from gslb.model.alias import ALIAS
from gslb.model.pool_graph import PoolGraph

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from gslb._dataplane import Zone
    from gslb.model.site import SteeringConfig

MAXIMUM_NAMES = 64
"""Names that are followed from one; the data plane follows 16 CNAMEs and 16 names behind an ALIAS."""

_CNAME, _DNAME = int(dns.rdatatype.CNAME), int(dns.rdatatype.DNAME)

AliasRow = tuple[str, str, int]
"""Owner, target and TTL in seconds of an ALIAS, as ``Zone.aliases`` has them."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What can be reached from a name: names, itself included, and the ALIAS records met on the way.

    ``is_whole`` is whether nothing was left out because it was too much.
    """

    names: frozenset[str]
    aliases: tuple[AliasRow, ...] = ()
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class _Step:
    """Where one name leads at once."""

    names: tuple[str, ...]
    aliases: tuple[AliasRow, ...]


class Reach:
    """Follows names through ``zones`` (by origin).

    ``targets`` are the names that steered names may answer as CNAME, by steered name.
    """

    def __init__(self, zones: Mapping[str, Zone], targets: Mapping[str, Collection[str]]) -> None:
        self._zones = zones
        self._targets = targets
        self._steps: dict[str, _Step] = {}

    def of(self, name: str) -> Reached:
        """From ``name``, which is absolute, in lower case, with a final dot."""
        found = {name: None}
        aliases: dict[AliasRow, None] = {}
        pending = [name]
        while pending:
            step = self._step(pending.pop())
            aliases.update(dict.fromkeys(step.aliases))
            fresh = [following for following in step.names if following not in found]
            if len(found) + len(fresh) > MAXIMUM_NAMES:
                return Reached(frozenset(found), tuple(aliases), is_whole=False)
            found.update(dict.fromkeys(fresh))
            pending += fresh
        return Reached(frozenset(found), tuple(aliases))

    def _step(self, name: str) -> _Step:
        step = self._steps.get(name)
        if step is None:
            aliases: list[AliasRow] = []
            step = self._steps[name] = _Step(tuple(self._leads(name, aliases)), tuple(aliases))
        return step

    def _leads(self, text: str, aliases: list[AliasRow]) -> Iterator[str]:
        name = dns.name.from_text(text)
        parents = [dns.name.Name(name.labels[index:]) for index in range(len(name.labels))]
        depth = next((index for index, parent in enumerate(parents) if parent.to_text() in self._zones), None)
        if depth is None:
            return
        zone = self._zones[parents[depth].to_text()]
        above = parents[1 : depth + 1]
        wildcards = [dns.name.Name((b"*", *parent.labels)) for parent in above if _has_room(parent)]
        for owner in (text, *(wildcard.to_text() for wildcard in wildcards)):
            yield from self._targets.get(owner, ())
            for rtype in (_CNAME, ALIAS):
                rrset = zone.rrset(owner, rtype)
                target = rrset and _name_in(rrset[1][0])
                if rrset and target:
                    yield target.to_text()
                    if rtype == ALIAS:
                        aliases.append((owner, target.to_text(), rrset[0]))
        for parent in above:
            rrset = zone.rrset(parent.to_text(), _DNAME)
            target = rrset and _name_in(rrset[1][0])
            if target:
                try:
                    yield (name.relativize(parent) + target).to_text()
                except dns.name.NameTooLong:
                    continue


def steered_targets(config: SteeringConfig) -> dict[str, tuple[str, ...]]:
    """The names that each steered name may answer as CNAME, without those that answer none."""
    graph = PoolGraph(config.pools)
    of_pool: dict[str, tuple[str, ...]] = {}
    for pool in {name.pool for name in config.names} & graph.pools.keys():
        cnames = (endpoint.cname for one in graph.below(pool) for endpoint in one.endpoints)
        of_pool[pool] = tuple(dict.fromkeys(filter(None, cnames)))
    return {name.name: targets for name in config.names if (targets := of_pool.get(name.pool))}


def _has_room(parent: dns.name.Name) -> bool:
    """Whether a wildcard below it is no longer than a name may be (RFC 1035 section 2.3.4)."""
    return sum(len(label) + 1 for label in parent.labels) <= 253


def _name_in(rdata: bytes) -> dns.name.Name | None:
    try:
        return dns.name.from_wire(rdata, 0)[0].canonicalize()
    except dns.exception.DNSException:
        return None
