"""A slow and obvious authoritative server over ``dns.zone`` objects, which is there to disagree.

It says in plain steps what RFC 1034 section 4.3.2 says, with the wildcards of RFC 4592, the DNAME of RFC 6672
and the negative answers of RFC 2308. Steering, ALIAS, sizes and all about packets are not its business.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.name
import dns.rdatatype
from dns.rdatatype import AAAA, CNAME, DNAME, DS, NS, NSEC, RRSIG, SOA, A

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdata import Rdata
    from dns.rdataset import Rdataset
    from dns.rdatatype import RdataType
    from dns.zone import Zone

MAXIMUM_LINKS = 16
"""CNAMEs followed in one answer."""

Row = tuple[str, int, str, bytes]
"""Owner in lower case, TTL in seconds, type, RDATA with its names in lower case."""


@dataclass
class Expected:
    """What an answer should be. The order within a section means nothing."""

    rcode: str = "NOERROR"
    authoritative: bool = True
    answer: list[Row] = field(default_factory=list)
    authority: list[Row] = field(default_factory=list)
    additional: list[Row] = field(default_factory=list)
    may_add: list[Row] = field(default_factory=list)
    """Addresses of name servers for which a wildcard stands: good to add, and not needed."""


def row(owner: Name, ttl: int, rdata: Rdata) -> Row:
    """One record, so that it can be compared."""
    return (
        owner.to_text().lower(),
        ttl,
        dns.rdatatype.to_text(rdata.rdtype),
        rdata.to_digestable(dns.name.root),
    )


def rows(owner: Name, rdataset: Rdataset) -> list[Row]:
    """The records of one RRset."""
    return [row(owner, rdataset.ttl, rdata) for rdata in rdataset]


class Oracle:
    """Answers from zones with absolute names."""

    def __init__(self, zones: list[Zone]) -> None:
        self.zones = zones

    def ask(self, name: Name, rtype: RdataType) -> Expected:
        """The answer to one question of class IN; not for ANY, which leaves a choice."""
        expected = Expected()
        zone = self._zone_for(name, rtype)
        if zone is None:
            return Expected("REFUSED", authoritative=False)
        passed = {name}
        for _ in range(MAXIMUM_LINKS):
            target = _step(zone, name, rtype, expected)
            # A chain ends where it closes, and where it leaves what is served here.
            if target is None or target in passed:
                break
            passed.add(target)
            name = target
            # A chain to the apex of its own zone stays there for DS too, as Knot and BIND do.
            if name != zone.origin:
                zone = self._zone_for(name, rtype)
            if zone is None:
                break
        return expected

    def _zone_for(self, name: Name, rtype: RdataType) -> Zone | None:
        """The closest zone above the name, and for DS not its own if another is here (RFC 4035, 3.1.4.1)."""
        above = self._closest(name.parent()) if rtype == DS and len(name) > 1 else None
        return above or self._closest(name)

    def _closest(self, name: Name) -> Zone | None:
        above = [zone for zone in self.zones if name.is_subdomain(zone.origin)]
        return max(above, key=lambda zone: len(zone.origin), default=None)


def _step(zone: Zone, name: Name, rtype: RdataType, expected: Expected) -> Name | None:
    """Add what the zone says of a name; the name to go on with, or None at the end."""
    # From the apex down: the first cut or DNAME on the way decides.
    for length in range(len(zone.origin), len(name) + 1):
        here = dns.name.Name(name.labels[len(name) - length :])
        servers = zone.get_rdataset(here, NS)
        if servers and here != zone.origin and not (rtype == DS and here == name):
            _refer(zone, here, servers, expected)
            return None
        dname = zone.get_rdataset(here, DNAME)
        if dname and here != name:
            return _substitute(name, here, dname, rtype, expected)
    source = _source(zone, name)
    if source is None:
        _deny(zone, "NXDOMAIN", expected)
        return None
    found = zone.get_rdataset(source, rtype)
    alias = zone.get_rdataset(source, CNAME)
    if found:
        # A DNAME that led here stands in the answer already (RFC 2181 section 5).
        expected.answer += [one for one in rows(name, found) if one not in expected.answer]
        if rtype == NS:
            _add_addresses(zone, found, expected)
    # What stands beside a CNAME is not looked for at its target (RFC 4035 section 2.5).
    elif alias and rtype not in (NSEC, RRSIG):
        expected.answer += rows(name, alias)
        return alias[0].target
    else:
        _deny(zone, "NOERROR", expected)
    return None


def _exists(zone: Zone, name: Name) -> bool:
    """Whether the name or one below it has records (RFC 4592 section 2.2.2)."""
    return any(owner.is_subdomain(name) for owner in zone.nodes)


def _source(zone: Zone, name: Name) -> Name | None:
    """The owner whose records answer for the name: itself, or the wildcard at its closest encloser."""
    if _exists(zone, name):
        return name
    encloser = name.parent()
    while not _exists(zone, encloser):
        encloser = encloser.parent()
    wildcard = dns.name.Name((b"*", *encloser.labels))
    return wildcard if _exists(zone, wildcard) else None


def _refer(zone: Zone, cut: Name, servers: Rdataset, expected: Expected) -> None:
    """A referral; authoritative only for the aliases before it."""
    expected.authority += rows(cut, servers)
    expected.authoritative = bool(expected.answer)
    _add_addresses(zone, servers, expected)


def _add_addresses(zone: Zone, servers: Rdataset, expected: Expected) -> None:
    """The addresses that the zone has of these name servers, glue or not."""
    for server in servers:
        if not server.target.is_subdomain(zone.origin):
            continue
        source = _source(zone, server.target)
        for rtype in (A, AAAA):
            found = zone.get_rdataset(source, rtype) if source is not None else None
            if found:
                section = expected.additional if source == server.target else expected.may_add
                section += rows(server.target, found)


def _substitute(
    name: Name, owner: Name, dname: Rdataset, rtype: RdataType, expected: Expected
) -> Name | None:
    """The DNAME, once, and the CNAME it makes (RFC 6672 section 3.2)."""
    expected.answer += [one for one in rows(owner, dname) if one not in expected.answer]
    try:
        target = name.relativize(owner).concatenate(dname[0].target)
    except dns.name.NameTooLong:
        expected.rcode = "YXDOMAIN"
        return None
    made = dns.rdata.from_text("IN", "CNAME", target.to_text())
    expected.answer.append(row(name, dname.ttl, made))
    return None if rtype == CNAME else target


def _deny(zone: Zone, rcode: str, expected: Expected) -> None:
    """A negative answer: its TTL is the lesser of the SOA's own and its MINIMUM (RFC 2308 section 3)."""
    soa = zone.get_rdataset(zone.origin, SOA)
    expected.rcode = rcode
    expected.authority.append(row(zone.origin, min(soa.ttl, soa[0].minimum), soa[0]))
