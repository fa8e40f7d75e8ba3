"""Records that lead from one name to another: CNAME, DNAME and ALIAS."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gslb._dataplane import Zone

MAXIMUM_NAMES = 1_024
"""Names that are followed from one: a steered name may lead to very many, and each of them further."""

AliasRow = tuple[str, str, int]
"""Owner, target and TTL in seconds of an ALIAS, as ``Zone.aliases`` has them."""


def target_at(zone: Zone, owner: str, rtype: int) -> tuple[str, int] | None:
    """Target, in lower case, and TTL in seconds of a name's record of such a type, if it has one."""
    rrset = zone.rrset(owner, rtype)
    if rrset is None:
        return None
    # Slow to import, and many sites have no such record.
    import dns.exception  # noqa: PLC0415
    import dns.name  # noqa: PLC0415

    try:
        return dns.name.from_wire(rrset[1][0], 0)[0].canonicalize().to_text(), rrset[0]
    except dns.exception.DNSException:
        return None
