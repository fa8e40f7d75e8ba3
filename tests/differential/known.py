"""Differences that are meant: each with what it is and why.

Only such as the peers show among themselves, or where this project chose on purpose. Whatever is not named
here counts against the agreement that is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.name
import dns.rdatatype

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.differential.compare import Answer, Difference, Row
    from tests.differential.queries import Case

ADDRESSES = ("A", "AAAA")
MESSAGE_ODDITIES = (
    "ancount-1",
    "nscount-1",
    "arcount-1",
    "arcount-2-edns",
    "trailing",
    "trailing-edns",
    "edns-opt-in-answer",
    "edns-opt-owner",
    "edns-version-255",
    "pointer-header",
    "qdcount-0-edns",
    "qdcount-2",
    "qdcount-2-missing",
    "header-only",
    "class-any",
    "class-none",
    "class-0",
    "class-hs",
    "opcode-notify",
    "opcode-update",
    "opcode-status",
    "axfr",
    "ixfr",
    "version-bind",
    "id-server",
)
"""Kinds of messages for which no two of the peers do all alike; see the report of a run."""


@dataclass(frozen=True)
class Seen:
    """What a rule may look at."""

    case: Case
    difference: Difference
    ours: Answer
    peers: dict[str, Answer]
    origins: set[dns.name.Name]

    @property
    def as_some_peer(self) -> bool:
        return bool(self.difference.same_as)

    @property
    def asked_type(self) -> str:
        return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(self.case.rtype))

    def is_apex(self, owner: str) -> bool:
        return dns.name.from_text(owner) in self.origins

    def zone_of(self, name: dns.name.Name) -> dns.name.Name | None:
        """The closest origin above ``name``."""
        above = [origin for origin in self.origins if name.is_subdomain(origin)]
        return max(above, key=len, default=None)


@dataclass(frozen=True)
class Known:
    """One named difference."""

    name: str
    reason: str
    matches: Callable[[Seen], bool]


def _target(row: Row) -> str:
    return dns.name.from_wire(row[3], 0)[0].to_text().lower()


def _optional_apex_ns(seen: Seen) -> bool:
    """The only difference is the apex NS RRset beside a positive answer, and some peer gave what we gave."""
    return (
        seen.difference.part == "authority"
        and seen.as_some_peer
        and bool(seen.ours.rows("answer"))
        and all(row[1] == "NS" and seen.is_apex(row[0]) for row in seen.difference.rows)
    )


def _addresses_of_apex_ns(seen: Seen) -> bool:
    """The only difference is addresses of name servers that one authority section names and the other not."""
    if seen.difference.part != "additional" or seen.ours.parts["answer"] == ():
        return False
    servers = {
        _target(row)
        for answer in (seen.ours, *seen.peers.values())
        for row in answer.rows("authority")
        if row[1] == "NS" and seen.is_apex(row[0])
    }
    return all(row[1] in ADDRESSES and row[0] in servers for row in seen.difference.rows)


def _leaves_the_zone(seen: Seen) -> bool:
    """A CNAME leads from one served zone into another."""
    home = seen.zone_of(seen.case.name)
    return any(
        seen.zone_of(dns.name.from_text(_target(row))) not in (home, None)
        for answer in seen.peers.values()
        for row in answer.rows("answer")
        if row[1] == "CNAME"
    )


def _chase_across_zones(seen: Seen) -> bool:
    return _leaves_the_zone(seen) and "nsd" in seen.difference.same_as


def _one_tree_of_nsd(seen: Seen) -> bool:
    """We and NSD followed alike, and NSD alone says that the last name exists."""
    nsd = seen.peers.get("nsd")
    return (
        nsd is not None
        and _leaves_the_zone(seen)
        and seen.difference.part == "rcode"
        and seen.ours.parts["rcode"] == "NXDOMAIN"
        and nsd.rows("answer") == seen.ours.rows("answer")
        and nsd.rows("authority") == seen.ours.rows("authority")
    )


def _peers_split(seen: Seen) -> bool:
    """No two peers agree on this part."""
    values = [answer.parts.get(seen.difference.part) for answer in seen.peers.values()]
    return len(values) > 1 and len(set(values)) == len(values)


def _odd_message(seen: Seen) -> bool:
    return seen.case.odd in MESSAGE_ODDITIES and (seen.as_some_peer or _peers_split(seen))


def _long_chain(seen: Seen) -> bool:
    names = {row[0] for answer in seen.peers.values() for row in answer.rows("answer") if row[1] == "CNAME"}
    return len(names) > 5 and _peers_split(seen)


def _any_choice(seen: Seen) -> bool:
    return (
        seen.asked_type == "ANY"
        and seen.difference.part in ("answer", "authority", "additional")
        and not seen.difference.peers_agree
    )


KNOWN: tuple[Known, ...] = (
    Known(
        "apex-ns-beside-an-answer",
        "Optional (RFC 1034 section 6.2.1 shows it, nothing asks for it). Knot never does it; NSD where it "
        "fits, BIND where the EDNS size is above 512, neither when minimal-responses is on.",
        _optional_apex_ns,
    ),
    Known(
        "addresses-of-those-apex-ns",
        "They come with the authority section that is optional.",
        _addresses_of_apex_ns,
    ),
    Known(
        "chase-across-zones",
        "NSD follows a CNAME from one served zone into another; Knot and BIND stop at the zone's edge and "
        "leave the rest to the resolver. We follow (RFC 1034 section 4.3.2 step 3a) and save a round trip.",
        _chase_across_zones,
    ),
    Known(
        "one-tree-of-nsd",
        "NSD keeps all zones in one tree: after a CNAME into another zone, a name that only the parent zone "
        "has, below the cut, exists for it. The zone that is asked does not have it, so it is NXDOMAIN.",
        _one_tree_of_nsd,
    ),
    Known(
        "long-chain",
        "How far a chain is followed is each server's own: Knot five CNAMEs, BIND eleven and then SERVFAIL, "
        "NSD as far as it goes, gslb twelve.",
        _long_chain,
    ),
    Known(
        "any-choice",
        "RFC 8482 section 4.1 lets a server choose one RRset; NSD and Knot choose differently, BIND gives "
        "all of them.",
        _any_choice,
    ),
    Known(
        "odd-message",
        "The peers do not agree on what to do with this kind of message (FORMERR, silence or an answer), nor "
        "on whether to echo its question; at least one of them does as we do, or each does its own.",
        _odd_message,
    ),
)


def name_of(seen: Seen) -> str | None:
    """The name of the first known difference that this is, or None."""
    for known in KNOWN:
        if known.matches(seen):
            return known.name
    return None
