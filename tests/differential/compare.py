"""Answers taken apart, the majority of several, and what differs from it."""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.exception
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tests.differential.queries import Case

FLAG_BITS = {
    "QR": 0x8000,
    "AA": 0x0400,
    "TC": 0x0200,
    "RD": 0x0100,
    "RA": 0x0080,
    "Z": 0x0040,
    "AD": 0x0020,
    "CD": 0x0010,
}
SECTIONS = ("answer", "authority", "additional")
STRICT = ("reply", "wellformed", "opcode", "rcode", "flags", "edns", "question")
"""The parts that must agree always; the sections may differ once in a thousand."""
PARTS = (*STRICT, *SECTIONS)
REFERENCE_FOR_ADDITIONAL = "nsd"
TC = 0x0200

Row = tuple[str, str, int, bytes]
"""Owner in lower case, type, TTL, RDATA with its names in lower case."""


@dataclass(frozen=True)
class Answer:
    """One answer, in parts that can be compared."""

    parts: dict[str, Hashable]
    lines: list[str] = field(default_factory=list)
    """For people."""
    owners: list[str] = field(default_factory=list)
    """Owners as they were spelt."""
    octets: int = 0
    """Of the whole message."""

    @property
    def truncated(self) -> bool:
        return "TC" in str(self.parts.get("flags", ""))

    def rows(self, section: str) -> tuple[Row, ...]:
        rows = self.parts.get(section, ())
        assert isinstance(rows, tuple)
        return rows


SILENT = Answer({"reply": "silent"}, ["(no answer)"])


def parse(wire: bytes | None) -> Answer:
    """Take an answer apart. A malformed one has that as its only part besides the reply itself."""
    if wire is None:
        return SILENT
    try:
        return _parse(wire)
    except (dns.exception.DNSException, struct.error, IndexError, ValueError) as error:
        parts: dict[str, Hashable] = {"reply": "answered", "wellformed": f"{type(error).__name__}"}
        return Answer(parts, [f"malformed ({error!r}): {wire.hex()}"])


def _parse(wire: bytes) -> Answer:
    _, bits, questions, *counts = struct.unpack("!6H", wire[:12])
    opcode = bits >> 11 & 15
    rcode = bits & 15
    at = 12
    for _ in range(questions):
        _, used = dns.name.from_wire(wire, at)
        at += used + 4
    question = wire[12:at]
    edns: Hashable = None
    parts: dict[str, Hashable] = {"reply": "answered", "wellformed": "yes", "opcode": opcode}
    lines: list[str] = []
    owners: list[str] = []
    for section, count in zip(SECTIONS, counts, strict=True):
        rows = []
        for _ in range(count):
            owner, used = dns.name.from_wire(wire, at)
            rtype, rclass, ttl, length = struct.unpack("!HHIH", wire[at + used : at + used + 10])
            at += used + 10
            if at + length > len(wire):
                raise ValueError("RDATA past the end")
            if rtype == dns.rdatatype.OPT:
                rcode |= ttl >> 24 << 4
                edns = _edns(ttl, wire[at : at + length])
                lines.append(f"  {section}: OPT size={rclass} {edns}")
            else:
                rdata = dns.rdata.from_wire(rclass, rtype, wire, at, length)
                type_text = dns.rdatatype.to_text(dns.rdatatype.RdataType.make(rtype))
                row = (owner.to_text().lower(), type_text, ttl, rdata.to_digestable(dns.name.root))
                rows.append(row)
                owners.append(owner.to_text())
                lines.append(f"  {section}: {owner} {ttl} {type_text} {rdata.to_text()[:100]}")
            at += length
        parts[section] = tuple(sorted(rows))
    if at != len(wire):
        raise ValueError(f"{len(wire) - at} octets after the message")
    parts["rcode"] = dns.rcode.to_text(dns.rcode.Rcode.make(rcode))
    parts["flags"] = " ".join(name for name, bit in FLAG_BITS.items() if bits & bit)
    parts["edns"] = edns
    parts["question"] = question
    head = (
        f"opcode {opcode} {parts['rcode']} [{parts['flags']}] {len(wire)} octets, question {question.hex()}"
    )
    return Answer(parts, [head, *lines], owners, len(wire))


def _edns(ttl: int, options: bytes) -> str:
    codes = []
    at = 0
    while at < len(options):
        code, length = struct.unpack("!HH", options[at : at + 4])
        codes.append(str(code))
        at += 4 + length
    flags = ("DO " if ttl & 0x8000 else "") + (f"Z={ttl & 0x7FFF:#x} " if ttl & 0x7FFF else "")
    return f"version={ttl >> 16 & 255} {flags}options={','.join(codes)}"


@dataclass(frozen=True)
class Difference:
    """One part in which gslb and the majority differ."""

    part: str
    signature: str
    peers_agree: bool
    """Whether all peers gave the same."""
    same_as: tuple[str, ...]
    """Peers that gave what gslb gave."""
    rows: tuple[Row, ...] = ()
    """Of a section: the records that only one side has."""


def majority(values: dict[str, Hashable]) -> tuple[bool, Hashable]:
    """Whether more than half (of two: both) gave the same, and what."""
    value, count = Counter(values.values()).most_common(1)[0]
    return count * 2 > len(values), value


def differences(case: Case, ours: Answer, peers: dict[str, Answer]) -> list[Difference]:
    """In which parts ours differs from what most peers gave; NSD alone decides the additional section."""
    found = []
    for part in PARTS:
        values = {peer: answer.parts.get(part) for peer, answer in peers.items() if part in answer.parts}
        if not values or part not in ours.parts:
            continue
        decided, wanted = majority(values)
        reference = peers.get(REFERENCE_FOR_ADDITIONAL)
        if part == "additional" and reference is not None and _alike(reference, ours):
            decided, wanted = True, reference.rows(part)
        mine = ours.parts[part]
        same = tuple(peer for peer, value in values.items() if value == mine)
        if mine == wanted or (not decided and same):
            continue
        agree = len(set(values.values())) == 1
        if not decided:
            wanted = "(each its own)" if part not in SECTIONS else ()
        signature = _signature(part, mine, wanted, _context(case, peers))
        if not decided:
            signature += " [no majority]"
        rows: tuple[Row, ...] = ()
        if part in SECTIONS:
            assert isinstance(mine, tuple)
            assert isinstance(wanted, tuple)
            rows = tuple((Counter(mine) - Counter(wanted)) + (Counter(wanted) - Counter(mine)))
        found.append(Difference(part, signature, agree, same, rows))
        if part in ("reply", "wellformed"):
            break
    return found


def _alike(one: Answer, other: Answer) -> bool:
    """Whether they have the same code and sections, the additional section aside."""
    return all(one.parts.get(part) == other.parts.get(part) for part in ("rcode", "answer", "authority"))


def _context(case: Case, peers: dict[str, Answer]) -> str:
    """What kind of answer the peers gave, in a few words."""
    if case.odd:
        return case.odd
    first = next(iter(peers.values()))
    answers = {row[1] for row in first.rows("answer")}
    authority = {row[1] for row in first.rows("authority")}
    words = []
    asked = dns.rdatatype.to_text(dns.rdatatype.RdataType.make(case.rtype))
    if asked in ("ANY", "DS", "NS", "SOA", "CNAME", "DNAME", "MX", "SRV", "RRSIG", "OPT", "TYPE0"):
        words.append(f"q{asked}")
    words.append(str(first.parts.get("rcode")))
    if any(peer.truncated for peer in peers.values()):
        words.append("truncated")
    words.extend(rtype for rtype in ("DNAME", "CNAME") if rtype in answers)
    if answers - {"DNAME", "CNAME"}:
        words.append("data")
    if "SOA" in authority:
        words.append("negative")
    elif "NS" in authority:
        words.append("authority-NS")
    return " ".join(words)


def _signature(part: str, mine: Hashable, wanted: Hashable, context: str) -> str:
    if part not in SECTIONS:
        if part == "question":
            return f"question differs | {context}"
        return f"{part}: gslb {mine!r}, majority {wanted!r} | {context}"
    assert isinstance(mine, tuple)
    assert isinstance(wanted, tuple)
    ours, theirs = Counter(mine), Counter(wanted)
    missing, extra = theirs - ours, ours - theirs
    identities = {row[:2] + row[3:] for row in missing} & {row[:2] + row[3:] for row in extra}
    if identities and len(identities) == len(missing) == len(extra):
        return f"{part}: other TTL of {_types(missing)} | {context}"
    words = []
    if missing:
        words.append(f"lacks {_types(missing)}")
    if extra:
        words.append(f"adds {_types(extra)}")
    return f"{part}: {', '.join(words)} | {context}"


def _types(rows: Counter[Row]) -> str:
    return "+".join(sorted({row[1] for row in rows}))
