"""Which ALIAS records lead outside the zones served here, and to what names."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import dns.rdatatype

from gslb.config.leads import MAXIMUM_NAMES, target_at
from gslb.config.names import parent_names, wildcard_below
from gslb.model.alias import ALIAS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from gslb._dataplane import Zone
    from gslb.config.leads import AliasRow

MAXIMUM_CHAIN = 16
"""Aliases followed within the zones served here, as many as the data plane does; a loop leads nowhere."""

_LEADS = (int(dns.rdatatype.CNAME), ALIAS)
_CUTS = (int(dns.rdatatype.NS), int(dns.rdatatype.DNAME))

FOLLOWED_TYPES = frozenset(_LEADS) | frozenset(_CUTS)
"""Types of records that decide where a name leads."""


class ExternalAlias(NamedTuple):
    """An ALIAS with addresses that have to be resolved.

    ``targets``, at least one, are the names that no zone here answers for and that the ALIAS may lead to:
    several where steering chooses among CNAMEs. ``ttl`` is that of the ALIAS in seconds. ``is_whole`` is
    whether no target was left out because there were too many names on the ways to them.
    """

    owner: str
    ttl: int
    targets: tuple[str, ...]
    is_whole: bool = True


class ExternalAliases(NamedTuple):
    """The aliases that may lead outside, and the origins of the zones that were looked into to find out."""

    aliases: tuple[ExternalAlias, ...]
    origins: frozenset[str]


class _Ends(NamedTuple):
    """Where the ways from a name leave the zones served here."""

    targets: tuple[str, ...]
    is_whole: bool


class _Leads(NamedTuple):
    """Where one name leads at once; ``outside`` is the name itself if no zone here answers for it."""

    names: tuple[str, ...] = ()
    outside: str = ""


def external_aliases(
    aliases: Mapping[str, Iterable[AliasRow]],
    zones: Mapping[str, Zone],
    steered: Mapping[str, Collection[str]],
) -> ExternalAliases:
    """Those of ``aliases`` (by the origin of their zone) that may lead outside ``zones`` (by origin).

    ``steered`` has the names that each steered name may answer as CNAME, as ``steered_targets`` makes them.
    A name may be listed that does not lead there, because it hides a wildcard: resolving it does no harm.
    """
    ways = _Ways(zones, steered)
    ends: dict[str, _Ends] = {}
    shared: dict[_Ends, _Ends] = {}
    found = []
    for rows in aliases.values():
        for owner, target, ttl in rows:
            if target not in ends:
                # Very many may lead to the same names, such as those of one pool.
                end = ways.ends(target)
                ends[target] = shared.setdefault(end, end)
            targets, is_whole = ends[target]
            if targets:
                found.append(ExternalAlias(owner, ttl, targets, is_whole))
    return ExternalAliases(tuple(found), frozenset(ways.origins))


class _Ways:
    """Follows names as the data plane does, on every way that steering may choose."""

    def __init__(self, zones: Mapping[str, Zone], steered: Mapping[str, Collection[str]]) -> None:
        self._zones = zones
        self._steered = steered
        self._known: dict[str, _Leads] = {}
        self.origins: set[str] = set()
        """Of the zones looked into."""

    def ends(self, target: str) -> _Ends:
        """The names outside to which ``target`` leads, those of the shortest ways first."""
        seen = {target}
        reached = [target]
        targets: dict[str, None] = {}
        is_whole = True
        for _ in range(MAXIMUM_CHAIN):
            following: dict[str, None] = {}
            for name in reached:
                leads = self._leads(name)
                if leads.outside:
                    targets[leads.outside] = None
                following.update(dict.fromkeys(one for one in leads.names if one not in seen))
            room = MAXIMUM_NAMES - len(seen)
            is_whole = is_whole and len(following) <= room
            reached = list(following)[:room]
            seen.update(reached)
        return _Ends(tuple(targets), is_whole)

    def _leads(self, name: str) -> _Leads:
        leads = self._known.get(name)
        if leads is None:
            leads = self._known[name] = self._look_up(name)
        return leads

    def _look_up(self, target: str) -> _Leads:
        parents = parent_names(target.lower())
        depth = next((index for index, parent in enumerate(parents) if parent in self._zones), None)
        if depth is None:
            return _Leads(outside=parents[0])
        zone = self._zones[parents[depth]]
        self.origins.add(zone.origin)
        if _is_below_cut(zone, parents[:depth]):
            return _Leads(outside=parents[0])
        for owner in (parents[0], *map(wildcard_below, parents[1 : depth + 1])):
            chosen = self._steered.get(owner)
            # What the zone itself has of a steered name is its last resort.
            own = _own_lead(zone, owner)
            if chosen is not None or own:
                return _Leads((*(chosen or ()), *own))
        return _Leads()


def _own_lead(zone: Zone, owner: str) -> tuple[str, ...]:
    """Where the zone's own CNAME or ALIAS of a name leads, if it has one."""
    leads = (target_at(zone, owner, rtype) for rtype in _LEADS)
    return next(((lead[0],) for lead in leads if lead is not None), ())


def _is_below_cut(zone: Zone, names: list[str]) -> bool:
    """Whether a delegation, or a DNAME above the first of them, takes the names out of the zone."""
    return any(
        zone.rrset(name, rtype) is not None
        for index, name in enumerate(names)
        for rtype in _CUTS
        if index or rtype == dns.rdatatype.NS
    )
