"""Which ALIAS records lead outside the zones served here, and to what name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import dns.exception
import dns.rdatatype

from gslb.model.alias import ALIAS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import dns.name

    from gslb._dataplane import Zone

MAXIMUM_CHAIN = 16
"""Aliases followed within the zones served here, as many as the data plane does; a loop leads nowhere."""

MAXIMUM_TTL = 2**31 - 1

AliasRow = tuple[str, str, int]
"""Owner, target and TTL in seconds, as ``Zone.aliases`` has them."""

_LEADS = (int(dns.rdatatype.CNAME), ALIAS)
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
    """Those of ``aliases`` (by the origin of their zone) that lead outside ``zones`` (by origin).

    A name may be listed that does not lead there, because it hides a wildcard: resolving it does no harm.
    """
    ends: dict[str, tuple[str, int] | None] = {}
    found = []
    for rows in aliases.values():
        for owner, target, ttl in rows:
            if target not in ends:
                ends[target] = _follow(target, zones)
            end = ends[target]
            if end is not None:
                found.append(ExternalAlias(owner, end[0], min(ttl, end[1])))
    return found


def _follow(target: str, zones: Mapping[str, Zone]) -> tuple[str, int] | None:
    """The name outside ``zones`` to which ``target`` leads, and the lowest TTL on the way."""
    import dns.name  # noqa: PLC0415 - slow to import, and most sites have no ALIAS

    ttl = MAXIMUM_TTL
    for _ in range(MAXIMUM_CHAIN):
        name = dns.name.from_text(target).canonicalize()
        parents = _parents(name)
        depth = next((index for index, parent in enumerate(parents) if parent in zones), None)
        if depth is None:
            return parents[0], ttl
        zone = zones[parents[depth]]
        if _is_below_cut(zone, parents[:depth]):
            return parents[0], ttl
        wildcards = [f"*.{parent}".replace("*..", "*.") for parent in parents[1 : depth + 1]]
        found = next(
            (
                rrset
                for owner in (parents[0], *wildcards)
                for rtype in _LEADS
                if (rrset := zone.rrset(owner, rtype)) is not None
            ),
            None,
        )
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
    return [type(name)(name.labels[index:]).to_text() for index in range(len(name.labels))]


def _is_below_cut(zone: Zone, names: list[str]) -> bool:
    """Whether a delegation, or a DNAME above the first of them, takes the names out of the zone."""
    return any(
        zone.rrset(name, rtype) is not None
        for index, name in enumerate(names)
        for rtype in _CUTS
        if index or rtype == dns.rdatatype.NS
    )
