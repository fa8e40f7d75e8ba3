"""Which ALIAS records lead outside the zones served here, and to what name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import dns.exception
import dns.name
import dns.rdatatype

from gslb.model.alias import ALIAS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gslb._dataplane import Zone

MAXIMUM_CHAIN = 16
"""Aliases followed within the zones served here; a longer chain or a loop leads nowhere."""

AliasRow = tuple[str, str, int]
"""Owner, target and TTL in seconds, as ``Zone.aliases`` has them."""

_CUTS = (int(dns.rdatatype.NS), int(dns.rdatatype.DNAME))


class ExternalAlias(NamedTuple):
    """An ALIAS whose addresses have to be resolved.

    ``target`` is the first name on the way that no zone here answers for; ``ttl`` the lowest TTL up to there.
    """

    owner: str
    target: str
    ttl: int


def external_aliases(
    aliases: Mapping[str, Iterable[AliasRow]], zones: Mapping[str, Zone]
) -> list[ExternalAlias]:
    """Those of ``aliases`` (by the origin of their zone) that lead outside ``zones`` (by origin)."""
    found = []
    for rows in aliases.values():
        for owner, target, ttl in rows:
            external = _follow(owner, target, ttl, zones)
            if external is not None:
                found.append(external)
    return found


def _follow(owner: str, target: str, ttl: int, zones: Mapping[str, Zone]) -> ExternalAlias | None:
    for _ in range(MAXIMUM_CHAIN):
        name = dns.name.from_text(target).canonicalize()
        parents = _parents(name)
        depth = next((index for index, parent in enumerate(parents) if parent in zones), None)
        if depth is None:
            return ExternalAlias(owner, parents[0], ttl)
        zone = zones[parents[depth]]
        if _is_below_cut(zone, parents[:depth]):
            return ExternalAlias(owner, parents[0], ttl)
        found = zone.rrset(parents[0], int(dns.rdatatype.CNAME)) or zone.rrset(parents[0], ALIAS)
        if found is None:
            return None
        ttl = min(ttl, found[0])
        try:
            target = dns.name.from_wire(found[1][0], 0)[0].to_text()
        except dns.exception.DNSException:
            return None
    return None


def _parents(name: dns.name.Name) -> list[str]:
    """``name`` and every name above it, the root last."""
    return [dns.name.Name(name.labels[index:]).to_text() for index in range(len(name.labels))]


def _is_below_cut(zone: Zone, names: list[str]) -> bool:
    """Whether a delegation, or a DNAME above the first of them, takes the names out of the zone."""
    return any(
        zone.rrset(name, rtype) is not None
        for index, name in enumerate(names)
        for rtype in _CUTS
        if index or rtype == dns.rdatatype.NS
    )
