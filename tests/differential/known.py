"""Differences that are meant: each with what it is and why.

Only such as the peers show among themselves, or where this project chose on purpose. Whatever is not named
here counts against the agreement that is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.name
import dns.rdatatype

from tests.differential.stops import BESIDE, why

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.differential.compare import Answer, Difference, Row
    from tests.differential.queries import Case
    from tests.differential.zones import ZoneData

ADDRESSES = ("A", "AAAA")
HEADER = 12
SHORTEST_QUERY = HEADER + 1 + 4
"""Octets of a header and a question for the root."""


@dataclass(frozen=True)
class Seen:
    """What a rule may look at."""

    case: Case
    difference: Difference
    ours: Answer
    peers: dict[str, Answer]
    zones: list[ZoneData]

    @property
    def origins(self) -> set[dns.name.Name]:
        return {zone.origin for zone in self.zones}

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
    matches: Callable[[Seen], bool] | None = None
    """None where it is only why a peer stops before the whole answer (``stops``)."""


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
    """A CNAME or DNAME leads from one served zone into another."""
    home = seen.zone_of(seen.case.name)
    rows = [row for answer in (seen.ours, *seen.peers.values()) for row in answer.rows("answer")]
    targets = [dns.name.from_text(_target(row)) for row in rows if row[1] in ("CNAME", "DNAME")]
    return any(seen.zone_of(target) not in (home, None) for target in targets)


def _chase_across_zones(seen: Seen) -> bool:
    """We did as NSD, or went on from where Knot or BIND stopped."""
    nsd = seen.peers.get("nsd")
    # What NSD rejects it does not follow either.
    followed = nsd is None or nsd.parts.get("rcode") != "FORMERR"
    if (seen.difference.peers_agree and followed) or not _leaves_the_zone(seen):
        return False
    if "nsd" in seen.difference.same_as:
        return True
    ours = set(seen.ours.rows("answer"))
    stopped = [seen.peers[peer].rows("answer") for peer in ("knot", "bind") if peer in seen.peers]
    return any(set(rows) <= ours and any(row[1] == "CNAME" for row in rows) for rows in stopped)


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


def _chase_behind_truncation(seen: Seen) -> bool:
    """NSD and we have the code of a chain's end in another zone; the record that leads there did not fit."""
    nsd = seen.peers.get("nsd")
    if nsd is None or not nsd.truncated or seen.difference.part not in ("rcode", "authority"):
        return False
    followed = {row[1] for row in nsd.rows("answer")} & {"CNAME", "DNAME"}
    others = [answer.parts.get("rcode") for peer, answer in seen.peers.items() if peer != "nsd"]
    same_code = nsd.parts.get("rcode") == seen.ours.parts.get("rcode") == "NXDOMAIN"
    return bool(followed) and same_code and all(code == "NOERROR" for code in others)


def _class_any(seen: Seen) -> bool:
    return (
        seen.case.odd == "class-any" and seen.difference.part == "flags" and not seen.difference.peers_agree
    )


def _peers_split(seen: Seen) -> bool:
    """No two peers agree on this part."""
    values = [answer.parts.get(seen.difference.part) for answer in seen.peers.values()]
    return len(values) > 1 and len(set(values)) == len(values)


def _identity(seen: Seen) -> bool:
    return seen.case.odd in ("version-bind", "id-server") and seen.difference.part in ("answer", "authority")


def _beside_the_question(seen: Seen) -> bool:
    """NSD rejects what the others read over, and we did as one of the others."""
    nsd = seen.peers.get("nsd")
    return (
        seen.case.odd in BESIDE
        and nsd is not None
        and nsd.parts.get("rcode") == "FORMERR"
        and seen.as_some_peer
    )


def _crowded_referral(seen: Seen) -> bool:
    """TC alone differs, of a referral for which two say the opposite, so that the third decides."""
    if seen.difference.part != "flags" or not {"nsd", "knot"} <= seen.peers.keys():
        return False
    peers = dict(seen.peers)
    if seen.case.rtype == 0 and peers["knot"].parts.get("rcode") == "NOTIMP":
        # Knot does not refer QTYPE 0.
        del peers["knot"]
    # BIND repeats CD.
    answers = (seen.ours, *peers.values())
    others = {str(answer.parts.get("flags")).replace(" TC", "").replace(" CD", "") for answer in answers}
    is_referral = any(row[1] == "NS" for row in seen.ours.rows("authority"))
    truncated = {peer.truncated for name, peer in peers.items() if name != "bind" or "knot" not in peers}
    return len(others) == 1 and is_referral and len(truncated) > 1


def _short_in_a_stream(seen: Seen) -> bool:
    is_short = HEADER <= len(seen.case.wire) < SHORTEST_QUERY
    return is_short and seen.case.transport == "tcp" and seen.difference.part == "reply" and seen.as_some_peer


def _type_zero(seen: Seen) -> bool:
    is_edns = seen.case.rtype == 0 and seen.difference.part == "edns"
    nsd = seen.peers.get("nsd")
    rejected = seen.case.odd in BESIDE and nsd is not None and nsd.parts.get("rcode") == "FORMERR"
    return is_edns and seen.ours.parts.get("rcode") == "REFUSED" and (seen.as_some_peer or rejected)


def _two_questions(seen: Seen) -> bool:
    is_two = seen.case.odd in ("qdcount-2", "qdcount-2-missing")
    return is_two and seen.difference.part == "flags" and _peers_split(seen)


def _notify(seen: Seen) -> bool:
    """All three answer a NOTIFY for a zone of theirs otherwise, and we do as Knot."""
    codes = {answer.parts.get("rcode") for answer in seen.peers.values()}
    is_flags = seen.case.odd == "opcode-notify" and seen.difference.part == "flags"
    is_split = len(seen.peers) > 1 and len(codes) == len(seen.peers)
    return is_flags and seen.case.name in seen.origins and is_split and "knot" in seen.difference.same_as


def _octets_after(seen: Seen) -> bool:
    knot = seen.peers.get("knot")
    rejected = knot is not None and knot.parts.get("rcode") == "FORMERR"
    return seen.case.odd in ("trailing", "trailing-edns") and rejected and seen.as_some_peer


def _what_fits(seen: Seen) -> bool:
    cut = seen.ours.truncated or any(peer.truncated for peer in seen.peers.values())
    in_section = seen.difference.part in ("answer", "authority", "additional")
    return cut and in_section and (seen.as_some_peer or _peers_split(seen))


def _long_chain(seen: Seen) -> bool:
    names = {row[0] for answer in seen.peers.values() for row in answer.rows("answer") if row[1] == "CNAME"}
    return len(names) > 5 and (seen.as_some_peer or _peers_split(seen))


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
        "RFC 1034 section 4.3.2 step 3a starts the search again at step 1, among all zones of the server, "
        "and NSD and we do: steered names in a zone of their own depend on it, and a round trip is saved. "
        "Knot and BIND stop at the zone's edge and leave the rest to the resolver, which may ask again "
        "for what it does not trust. Up to the edge the answers are the same; beyond it Knot goes on with "
        "what its own zone has of names that are another's.",
        _chase_across_zones,
    ),
    Known(
        "chase-behind-truncation",
        "The same, where the record that leads into the other zone did not fit, so that only the "
        "response code tells of the chain's end.",
        _chase_behind_truncation,
    ),
    Known(
        "class-any",
        "An answer for class ANY is never authoritative (RFC 1034 section 3.7.1): so BIND and we. NSD "
        "and Knot set AA where an alias was followed, and BIND rejects some types.",
        _class_any,
    ),
    Known(
        "one-tree-of-nsd",
        "NSD keeps all zones in one tree: a name that only another zone has, or its wildcard, is the "
        "closest encloser there too, against RFC 1034 section 4.3.2 step 3, which looks into one zone. So a "
        "name that the parent has below the cut exists in the child, one that the child has hides the "
        "parent's wildcard from glue, and the zone's own wildcard does not answer (RFC 4592 section 3.3.1). "
        "DS of an apex it takes from any zone that delegates it, be it not the closest one above.",
        _one_tree_of_nsd,
    ),
    Known(
        "long-chain",
        "How far a chain is followed is each server's own: Knot five CNAMEs, BIND eleven and then SERVFAIL, "
        "NSD as far as it goes, gslb sixteen.",
        _long_chain,
    ),
    Known(
        "any-choice",
        "RFC 8482 section 4.1 lets a server choose one RRset; NSD and Knot choose differently, BIND gives "
        "all of them.",
        _any_choice,
    ),
    Known(
        "identity",
        "Each server says its own name and version. NSD is told to hide its version, and BIND has no name "
        "unless it is given one.",
        _identity,
    ),
    Known(
        "beside-the-question",
        "NSD rejects a query with records beside its question, Knot, BIND and we read over them. So where "
        "Knot and BIND differ on the query itself (QTYPE OPT, which BIND rejects; minimal responses), "
        "NSD's rejection makes a majority that there is not: without those records it is as Knot and we.",
        _beside_the_question,
    ),
    Known(
        "crowded-referral",
        "TC where some addresses of the servers below a cut do not fit: NSD sets it when none does, Knot "
        "when any is missing (RFC 9471 section 3.1), BIND when those that were asked for do not fit, or "
        "the NS RRset itself. So do we in all of these but Knot's; yet the room that is left follows from "
        "how each server compresses names, and BIND's answers are a few octets longer or shorter.",
        _crowded_referral,
    ),
    Known(
        "short-message-in-a-stream",
        "A message over TCP that is shorter than a header and the question for the root: NSD and Knot close "
        "the connection, BIND says FORMERR (RFC 1035 section 4.1.1) as all do over UDP. So do we: the length "
        "before the message shows that nothing was lost.",
        _short_in_a_stream,
    ),
    Known(
        "type-zero",
        "QTYPE 0: NSD, BIND and we look it up as any other type (RFC 3597 section 3), Knot says NOTIMP; of "
        "those that refuse it outside their zones only NSD and we say why (RFC 8914).",
        _type_zero,
    ),
    Known(
        "meta-types",
        "Types that no record has (RFC 6895 section 3.1): BIND says NOTIMP to MAILA and MAILB, FORMERR to "
        "OPT and TKEY; the others and we look them up as any other type.",
    ),
    Known(
        "checking-disabled",
        "BIND repeats CD, which an authoritative answer should have clear (RFC 4035 section 3.1.6).",
    ),
    Known(
        "record-twice",
        "A wildcard's CNAME that leads to the very name asked: NSD and Knot answer it twice, against RFC "
        "2181 section 5, BIND says SERVFAIL.",
    ),
    Known(
        "two-questions",
        "FORMERR (RFC 9619 section 4) from NSD, BIND and us, silence from Knot, whether the second question "
        "is there or only counted; which flags of such a query to repeat, each server decides for itself.",
        _two_questions,
    ),
    Known(
        "notify-flags",
        "A NOTIFY for a zone that is transferred from nobody: NSD says REFUSED and repeats the flags of the "
        "NOTIFY, BIND says NOERROR with AA, Knot and we say NOTAUTH without. Where the NOTIFY itself has AA, "
        "NSD and BIND look like a majority.",
        _notify,
    ),
    Known(
        "octets-after-the-message",
        "Knot says FORMERR where octets follow the message; NSD, BIND and we overlook them, and differ as "
        "they do for the query without them.",
        _octets_after,
    ),
    Known(
        "what-fits-a-datagram",
        "A truncated answer may keep any of its RRsets (RFC 2181 section 9): NSD and we keep those that fit, "
        "Knot and BIND at times fewer. Knot looks no further than the record that has no room, so its code "
        "is NOERROR whatever the chain's end is. Some names we compress and others not, so that a whole "
        "answer may fit here only.",
        _what_fits,
    ),
    Known(
        "dname-passed-once",
        "A chain that comes below the same DNAME again: NSD ends it there with NOERROR; Knot, BIND and we "
        "go on until the name is too long, which is YXDOMAIN (RFC 6672 section 2.2).",
    ),
)


def name_of(seen: Seen) -> str | None:
    """The name of the first known difference that this is, or None."""
    for known in KNOWN:
        if known.matches is not None and known.matches(seen):
            return known.name
    return why(seen)
