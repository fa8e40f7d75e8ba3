"""Where the zones decide: the whole answer that they hold, and why a peer stops before it.

Two peers that stop early, each for a reason of its own, look like a majority. Such a difference is named only
where our part is what the oracle makes of the zones, and where for each peer that differs the facts of the
query, the zones and its reply bear a reason out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import dns.exception
import dns.message
import dns.name
import dns.rdatatype

from tests.differential.compare import FLAG_BITS
from tests.differential.names import STAR, Name
from tests.oracle import MAXIMUM_LINKS, Expected, Oracle

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.differential.compare import Answer, Row
    from tests.differential.known import Seen
    from tests.differential.zones import ZoneData

NEEDED = ("answer", "authority")
SECTIONS = (*NEEDED, "additional")
MAX_UDP = 1232
MAX_PLAIN_UDP = 512
MAX_STREAM = 65_535
KNOT_LINKS = 5
BIND_LINKS = 11
RECORD = 12
"""Octets of a record without its RDATA, the owner a pointer."""
BESIDE = ("ancount-1", "nscount-1", "arcount-1", "arcount-2-edns")
TYPE_ZERO = 0
META_TYPES = (dns.rdatatype.OPT, dns.rdatatype.TKEY, dns.rdatatype.MAILB, dns.rdatatype.MAILA)


@dataclass(frozen=True)
class Whole:
    """What the zones hold for one question, and the names on the way."""

    expected: Expected

    @cached_property
    def rows(self) -> dict[str, set[Row]]:
        """The records of each section, those that are optional apart."""
        return {section: _rows(getattr(self.expected, section)) for section in SECTIONS}

    @cached_property
    def may_have(self) -> dict[str, set[Row]]:
        """The same, with what a wildcard adds to the additional section."""
        additional = self.rows["additional"] | _rows(self.expected.may_add)
        return {**self.rows, "additional": additional}

    @cached_property
    def aliases(self) -> list[tuple[Name, Name]]:
        """Owner and target of each CNAME, in their order."""
        return [
            (dns.name.from_text(owner), dns.name.from_wire(rdata, 0)[0])
            for owner, _, rtype, rdata in self.expected.answer
            if rtype == "CNAME"
        ]

    @cached_property
    def dnames(self) -> list[Name]:
        """Owners of the DNAMEs."""
        return [dns.name.from_text(owner) for owner, _, rtype, _ in self.expected.answer if rtype == "DNAME"]

    def holds(self, answer: Answer) -> bool:
        """Whether the answer has no record that the zones do not hold for the question."""
        return all(set(answer.rows(section)) <= self.may_have[section] for section in SECTIONS)


def _rows(made: list[tuple[str, int, str, bytes]]) -> set[Row]:
    return {(owner, rtype, ttl, rdata) for owner, ttl, rtype, rdata in made}


def whole_of(seen: Seen) -> Whole:
    """What the zones hold for the question."""
    rtype = dns.rdatatype.RdataType.make(seen.case.rtype)
    return Whole(Oracle([zone.parsed for zone in seen.zones]).ask(seen.case.name, rtype))


def room(seen: Seen) -> int:
    """Octets that an answer may have."""
    if seen.case.transport == "tcp":
        return MAX_STREAM
    try:
        query = dns.message.from_wire(seen.case.wire, ignore_trailing=True)
    except dns.exception.DNSException:
        return MAX_PLAIN_UDP
    return min(max(query.payload, MAX_PLAIN_UDP), MAX_UDP) if query.edns >= 0 else MAX_PLAIN_UDP


def why(seen: Seen) -> str | None:
    """Why the peers that differ stopped, as names, or None where one has no reason or we are wrong."""
    part = seen.difference.part
    if part not in ("rcode", "flags", *SECTIONS) or seen.asked_type == "ANY":
        return None
    whole = whole_of(seen)
    if not _is_right(seen, whole):
        return None
    # NSD alone decides the additional section, so it alone needs a reason.
    deciding = [peer for peer in seen.peers if part != "additional" or peer == "nsd"]
    names: set[str] = set()
    for peer in deciding:
        answer = seen.peers[peer]
        if answer.parts.get(part) == seen.ours.parts[part]:
            continue
        name = next((name for name, applies in STOPS.get(peer, ()) if applies(seen, whole, answer)), None)
        if name is None:
            return None
        names.add(name)
    return " and ".join(sorted(names)) or None


def _is_right(seen: Seen, whole: Whole) -> bool:
    """Whether our part is that of the whole answer, as far as there is room."""
    ours, part = seen.ours, seen.difference.part
    if part == "rcode":
        return ours.parts["rcode"] == whole.expected.rcode
    if not whole.holds(ours):
        return False
    if part == "flags":
        # All else in the header is as the peers have it that have our code.
        code = ours.parts["rcode"]
        answers = (answer for answer in seen.peers.values() if answer.parts.get("rcode") == code)
        others = {_other_flags(answer) for answer in (ours, *answers)}
        is_all = _is_cut_short(seen, whole) if ours.truncated else _is_whole(seen, whole)
        return len(others) == 1 and is_all
    if len(set(ours.rows(part))) < len(ours.rows(part)):
        return False
    if ours.truncated:
        return True
    if part == "additional":
        return _as_many_addresses_as_fit(seen, whole)
    return set(ours.rows(part)) == whole.rows[part]


def _other_flags(answer: Answer) -> frozenset[str]:
    """All flags but those of which a peer has its own view."""
    return frozenset(str(answer.parts.get("flags")).split()) - {"TC", "CD"}


def _is_whole(seen: Seen, whole: Whole) -> bool:
    is_all = all(set(seen.ours.rows(section)) == whole.rows[section] for section in NEEDED)
    return is_all and seen.ours.parts["rcode"] == whole.expected.rcode


def _is_cut_short(seen: Seen, whole: Whole) -> bool:
    """Something that is needed is missing, and would have no room if no name in it were compressed."""
    missing = [row for section in NEEDED for row in whole.rows[section] - set(seen.ours.rows(section))]
    left = room(seen) - seen.ours.octets
    return bool(missing) and _plain_octets(missing) > left


def _as_many_addresses_as_fit(seen: Seen, whole: Whole) -> bool:
    """All of them, or an RRset is left out that does not fit."""
    missing = whole.rows["additional"] - set(seen.ours.rows("additional"))
    if not missing:
        return True
    left = room(seen) - seen.ours.octets
    sizes: dict[tuple[str, str], int] = {}
    for owner, rtype, _, rdata in whole.may_have["additional"] - set(seen.ours.rows("additional")):
        sizes[owner, rtype] = sizes.get((owner, rtype), 0) + RECORD + len(rdata)
    return max(sizes.values()) > left


def _is_crowded(seen: Seen) -> bool:
    """Whether our answer would have no room if no name in it were compressed."""
    records = [row for section in SECTIONS for row in seen.ours.rows(section)]
    return len(seen.case.wire) + _plain_octets(records) > room(seen)


def _plain_octets(records: list[Row]) -> int:
    """Octets of these records without compression."""
    return sum(
        len(dns.name.from_text(owner).to_wire()) + RECORD - 2 + len(rdata) for owner, _, _, rdata in records
    )


def _beside_the_question(seen: Seen, _: Whole, answer: Answer) -> bool:
    return seen.case.odd in BESIDE and answer.parts.get("rcode") == "FORMERR"


def _one_tree(seen: Seen, whole: Whole, _: Answer) -> bool:
    """A name on the way has another closest encloser, wildcard or parent zone in one tree of all zones."""
    asked = [seen.case.name, *(target for _, target in whole.aliases)]
    if seen.asked_type == "DS" and any(_is_delegated_higher_up(seen, name) for name in asked):
        return True
    looked_up = [(name, zone) for name in asked for zone in _zones_of(seen, name)]
    if seen.difference.part == "additional":
        servers = [dns.name.from_text(row[0]) for row in seen.difference.rows]
        looked_up += [(name, zone) for zone in _zones_with_servers(seen) for name in servers]
    tree = {name for zone in seen.zones for name in _existing(zone, dns.name.root)}
    return any(
        _source(name, _existing(zone, zone.origin)) != _source(name, tree)
        for name, zone in looked_up
        if name.is_subdomain(zone.origin)
    )


def _is_delegated_higher_up(seen: Seen, name: Name) -> bool:
    """The name is an apex that not only the zone above it delegates, but one further above."""
    if name not in seen.origins or len(name) == 1:
        return False
    own = (name, seen.zone_of(name.parent()))
    return any(
        record.rtype == "NS" and record.owner == name
        for zone in seen.zones
        if zone.origin not in own
        for record in zone.records
    )


def _zones_of(seen: Seen, name: Name) -> list[ZoneData]:
    """The zone that answers for the name, and for DS at an apex the parent too."""
    origins = [seen.zone_of(name)]
    if seen.asked_type == "DS" and name in seen.origins and len(name) > 1:
        origins.append(seen.zone_of(name.parent()))
    return [zone for zone in seen.zones if zone.origin in origins]


def _zones_with_servers(seen: Seen) -> list[ZoneData]:
    """The zones that have the name servers which we answered or referred to."""
    rows = (*seen.ours.rows("answer"), *seen.ours.rows("authority"))
    owners = {dns.name.from_text(row[0]) for row in rows if row[1] == "NS"}
    return [
        zone
        for zone in seen.zones
        if any(record.rtype == "NS" and record.owner in owners for record in zone.records)
    ]


def _existing(zone: ZoneData, top: Name) -> set[Name]:
    """The names that have records, and those between them and ``top``."""
    names: set[Name] = set()
    for owner in {record.owner for record in zone.records}:
        name = owner
        while name not in names:
            names.add(name)
            if name == top:
                break
            name = name.parent()
    return names


def _source(name: Name, existing: set[Name]) -> tuple[Name, bool]:
    """The closest encloser (RFC 4592 section 3.3.1), or the name itself, and whether that has a wildcard."""
    encloser = name
    while encloser not in existing and encloser != dns.name.root:
        encloser = encloser.parent()
    return encloser, encloser != name and Name((STAR, *encloser.labels)) in existing


def _dname_twice(_: Seen, whole: Whole, answer: Answer) -> bool:
    """The chain comes below a DNAME again from which it came."""
    names = [name for alias in whole.aliases[:1] for name in alias]
    names += [target for _, target in whole.aliases[1:]]
    again = any(
        sum(name != dname and name.is_subdomain(dname) for name in names) > 1 for dname in whole.dnames
    )
    return again and whole.holds(answer) and answer.parts.get("rcode") == "NOERROR"


def _at_the_edge(seen: Seen, whole: Whole, answer: Answer) -> bool:
    """The chain leaves the zone; up to there the aliases are the same."""
    home = _home(seen)
    inside = [seen.case.name]
    for owner, target in whole.aliases:
        if owner != inside[-1] or home is None:
            return False
        if seen.zone_of(target) != home.origin:
            return _alias_owners(answer) == set(inside)
        inside.append(target)
    return False


def _in_its_zone(seen: Seen, whole: Whole, answer: Answer) -> bool:
    """The chain leaves the zone, and the answer is what that zone alone holds of it."""
    home = _home(seen)
    leaves = any(home is None or seen.zone_of(target) != home.origin for _, target in whole.aliases)
    if home is None or not leaves:
        return False
    rtype = dns.rdatatype.RdataType.make(seen.case.rtype)
    alone = Whole(Oracle([home.parsed]).ask(seen.case.name, rtype))
    return set(answer.rows("answer")) == alone.rows["answer"]


def _home(seen: Seen) -> ZoneData | None:
    """The zone that answers first: for DS of an apex the parent."""
    name = seen.case.name
    is_parents = seen.asked_type == "DS" and name in seen.origins and len(name) > 1
    origin = (seen.zone_of(name.parent()) if is_parents else None) or seen.zone_of(name)
    return next((zone for zone in seen.zones if zone.origin == origin), None)


def _after_five(_: Seen, whole: Whole, answer: Answer) -> bool:
    is_chain = set(answer.rows("answer")) <= whole.rows["answer"]
    return is_chain and len(_alias_owners(answer)) == KNOT_LINKS < len(whole.aliases)


def _after_sixteen(seen: Seen, whole: Whole, answer: Answer) -> bool:
    """NSD does not stop: it has all that we have, and we stopped."""
    is_longer = set(seen.ours.rows("answer")) < set(answer.rows("answer"))
    return is_longer and len(whole.aliases) == MAXIMUM_LINKS


def _after_eleven(_: Seen, whole: Whole, answer: Answer) -> bool:
    return answer.parts.get("rcode") == "SERVFAIL" and len(whole.aliases) > BIND_LINKS


def _full(seen: Seen, whole: Whole, answer: Answer) -> bool:
    """It is truncated, has nothing but what belongs there, and all of it would have no room uncompressed."""
    in_sections = seen.difference.part in ("flags", *SECTIONS)
    return in_sections and answer.truncated and whole.holds(answer) and _is_crowded(seen)


def _full_before_the_end(seen: Seen, whole: Whole, answer: Answer) -> bool:
    """The code is that of the record which found no room."""
    is_code = seen.difference.part == "rcode" and answer.parts.get("rcode") == "NOERROR"
    return is_code and answer.truncated and bool(whole.aliases) and whole.holds(answer)


def _type_zero(seen: Seen, _: Whole, answer: Answer) -> bool:
    return seen.case.rtype == TYPE_ZERO and answer.parts.get("rcode") == "NOTIMP"


def _meta_type(seen: Seen, _: Whole, answer: Answer) -> bool:
    return seen.case.rtype in META_TYPES and answer.parts.get("rcode") in ("FORMERR", "NOTIMP")


def _class_any(seen: Seen, _: Whole, answer: Answer) -> bool:
    return seen.case.odd == "class-any" and answer.parts.get("rcode") == "FORMERR"


def _repeats_cd(seen: Seen, _: Whole, answer: Answer) -> bool:
    asked = bool(seen.case.wire[3] & FLAG_BITS["CD"])
    is_flags = seen.difference.part == "flags"
    return asked and is_flags and answer.parts.get("flags") == f"{seen.ours.parts['flags']} CD"


def _record_twice(seen: Seen, whole: Whole, answer: Answer) -> bool:
    """It has a record twice, and otherwise what we have."""
    rows = answer.rows("answer")
    is_part = seen.difference.part == "answer"
    return is_part and len(set(rows)) < len(rows) and set(rows) == whole.rows["answer"]


def _alias_owners(answer: Answer) -> set[Name]:
    return {dns.name.from_text(row[0]) for row in answer.rows("answer") if row[1] == "CNAME"}


STOPS: dict[str, tuple[tuple[str, Callable[[Seen, Whole, Answer], bool]], ...]] = {
    "nsd": (
        ("beside-the-question", _beside_the_question),
        ("one-tree-of-nsd", _one_tree),
        ("dname-passed-once", _dname_twice),
        ("long-chain", _after_sixteen),
        ("record-twice", _record_twice),
        ("what-fits-a-datagram", _full),
    ),
    "knot": (
        ("type-zero", _type_zero),
        ("record-twice", _record_twice),
        ("chase-across-zones", _in_its_zone),
        ("long-chain", _after_five),
        ("what-fits-a-datagram", _full),
        ("what-fits-a-datagram", _full_before_the_end),
    ),
    "bind": (
        ("meta-types", _meta_type),
        ("class-any", _class_any),
        ("checking-disabled", _repeats_cd),
        ("chase-across-zones", _at_the_edge),
        ("long-chain", _after_eleven),
        ("what-fits-a-datagram", _full),
    ),
}
"""Of each peer: names of known differences, and whether that is why it stops."""
