"""Queries that ask zones where it hurts, as octets."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.name
import dns.rdatatype

from tests.differential import rdatas
from tests.differential.names import Name, below, label, long_name, recase

if TYPE_CHECKING:
    from random import Random

    from tests.differential.zones import ZoneData

TYPES = [*rdatas.MAKERS, "NS", "SOA", "CNAME", "DNAME", "DS", "ANY"]
RARE_TYPES = [
    "TYPE65281",
    "TYPE0",
    "OPT",
    "RRSIG",
    "NSEC",
    "NSEC3PARAM",
    "MAILB",
    "MAILA",
    "TKEY",
    "NULL",
    "NXT",
]
FLAGS = {"RD": 0x0100, "AD": 0x0020, "CD": 0x0010, "TC": 0x0200, "AA": 0x0400, "RA": 0x0080, "Z": 0x0040}


@dataclass(frozen=True)
class Case:
    """One query: its octets without an identifier, how it is sent, and what is odd about it."""

    name: Name
    rtype: int
    wire: bytes
    transport: str = "udp"
    odd: str = ""
    """What makes the message unusual, in a word; empty for a plain one."""

    def __str__(self) -> str:
        rtype = dns.rdatatype.to_text(dns.rdatatype.RdataType.make(self.rtype))
        return f"{self.name} {rtype} {self.transport} {self.odd or 'plain'} {self.wire.hex()}"


def question(name_wire: bytes, rtype: int, rclass: int = 1) -> bytes:
    """A question entry."""
    return name_wire + struct.pack("!HH", rtype, rclass)


def opt(payload: int, *, do: bool = False, version: int = 0, options: bytes = b"", flags: int = 0) -> bytes:
    """An OPT record (RFC 6891 section 6.1.2)."""
    ttl = (version << 16) | (0x8000 if do else 0) | flags
    return b"\0" + struct.pack("!HHIH", 41, payload, ttl, len(options)) + options


def header(flags: int = 0, opcode: int = 0, counts: tuple[int, int, int, int] = (1, 0, 0, 0)) -> bytes:
    """A header with identifier zero."""
    return struct.pack("!6H", 0, flags | opcode << 11, *counts)


def option(code: int, data: bytes) -> bytes:
    """One EDNS option."""
    return struct.pack("!HH", code, len(data)) + data


class Asker:
    """Draws queries about some zones."""

    def __init__(self, random: Random, zones: list[ZoneData]) -> None:
        self.random = random
        self.origins = [zone.origin for zone in zones]
        self.types: dict[Name, list[str]] = {}
        for zone in zones:
            for record in zone.records:
                self.types.setdefault(record.owner, []).append(record.rtype)
        self.owners = list(self.types)
        special = {"CNAME", "DNAME", "NS", "DS"}
        self.special = [name for name, types in self.types.items() if special & set(types)]

    def name(self) -> Name:
        """A name that exists, or one beside, above or below such a name."""
        random = self.random
        draw = random.random()
        if draw < 0.02:
            return random.choice(
                (dns.name.root, dns.name.from_text("com."), dns.name.from_text("x.nowhere.invalid."))
            )
        base = random.choice(self.special if self.special and random.random() < 0.4 else self.owners)
        if draw < 0.5:
            return base
        if draw < 0.62:
            return below(base, label(random)) or base
        if draw < 0.72:
            return below(base, label(random), label(random)) or base
        if draw < 0.82:
            return below(Name(base.labels[1:]), label(random)) or base if len(base) > 1 else base
        if draw < 0.90:
            return Name(base.labels[random.randrange(len(base)) :])
        if draw < 0.94:
            return long_name(random, base, random.choice((200, 254, 255)))
        return random.choice(self.origins)

    def rtype(self, name: Name) -> int:
        """A type, mostly one that is there."""
        random = self.random
        draw = random.random()
        if draw < 0.45 and name in self.types:
            text = random.choice(self.types[name])
        elif draw < 0.97:
            text = random.choice(("A", "AAAA", "DS", "NS", random.choice(TYPES)))
        else:
            text = random.choice(RARE_TYPES)
        return int(dns.rdatatype.from_text(text))

    def case(self) -> Case:
        """A query: plain most of the time."""
        random = self.random
        name = self.name()
        rtype = self.rtype(name)
        wire = name.to_wire()
        if random.random() < 0.3:
            wire = recase_wire(random, wire)
        flags = 0
        for flag, chance in (("RD", 0.3), ("AD", 0.1), ("CD", 0.1), ("TC", 0.01), ("AA", 0.01), ("RA", 0.01)):
            if random.random() < chance:
                flags |= FLAGS[flag]
        transport = "tcp" if random.random() < 0.12 else "udp"
        if random.random() < 0.06:
            odd, message = self.odd(wire, rtype, flags)
            return Case(name, rtype, message, transport, odd)
        extra = b""
        if random.random() < 0.65:
            payload = random.choice((0, 512, 513, 1000, 1232, 1232, 4096, 65535))
            extra = opt(payload, do=random.random() < 0.4)
        message = header(flags, 0, (1, 0, 0, 1 if extra else 0)) + question(wire, rtype) + extra
        return Case(name, rtype, message, transport)

    def odd(self, wire: bytes, rtype: int, flags: int) -> tuple[str, bytes]:
        """A message that few clients send, and its kind."""
        random = self.random
        asked = question(wire, rtype)
        plain = opt(1232)
        kind = random.choice(sorted(ODD))
        return kind, ODD[kind](random, wire, rtype, flags, asked, plain)


def recase_wire(random: Random, wire: bytes) -> bytes:
    """A name in wire format with its letters' case drawn anew; length octets stay."""
    changed = bytearray()
    at = 0
    while wire[at]:
        size = wire[at]
        changed.append(size)
        changed += recase(random, wire[at + 1 : at + 1 + size])
        at += 1 + size
    return bytes(changed) + b"\0"


A_RECORD = b"\0" + struct.pack("!HHIH", 1, 1, 60, 4) + bytes(4)

ODD = {
    "edns-version-1": lambda r, w, t, f, q, o: header(f, 0, (1, 0, 0, 1)) + q + opt(1232, version=1),
    "edns-version-255": lambda r, w, t, f, q, o: (
        header(f, 0, (1, 0, 0, 1)) + q + opt(1232, version=255, do=True)
    ),
    "edns-unknown-option": lambda r, w, t, f, q, o: (
        header(f, 0, (1, 0, 0, 1)) + q + opt(1232, options=option(65001, b"abc") + option(100, b""))
    ),
    "edns-unknown-flags": lambda r, w, t, f, q, o: header(f, 0, (1, 0, 0, 1)) + q + opt(1232, flags=0x4001),
    "edns-bad-option-length": lambda r, w, t, f, q, o: (
        header(f, 0, (1, 0, 0, 1)) + q + opt(1232, options=struct.pack("!HH", 65001, 9) + b"a")
    ),
    "edns-two-opt": lambda r, w, t, f, q, o: header(f, 0, (1, 0, 0, 2)) + q + o + o,
    "edns-opt-owner": lambda r, w, t, f, q, o: header(f, 0, (1, 0, 0, 1)) + q + b"\x01a" + o,
    "edns-opt-in-answer": lambda r, w, t, f, q, o: header(f, 0, (1, 1, 0, 0)) + q + o,
    "class-ch": lambda r, w, t, f, q, o: header(f, 0, (1, 0, 0, 0)) + question(w, t, 3),
    "class-hs": lambda r, w, t, f, q, o: header(f, 0, (1, 0, 0, 0)) + question(w, t, 4),
    "class-any": lambda r, w, t, f, q, o: header(f, 0, (1, 0, 0, 0)) + question(w, t, 255),
    "class-none": lambda r, w, t, f, q, o: header(f, 0, (1, 0, 0, 0)) + question(w, t, 254),
    "class-0": lambda r, w, t, f, q, o: header(f, 0, (1, 0, 0, 0)) + question(w, t, 0),
    "flag-z": lambda r, w, t, f, q, o: header(f | FLAGS["Z"], 0, (1, 0, 0, 1)) + q + o,
    "opcode-iquery": lambda r, w, t, f, q, o: header(f, 1) + q,
    "opcode-status": lambda r, w, t, f, q, o: header(f, 2, (1, 0, 0, 1)) + q + o,
    "opcode-3": lambda r, w, t, f, q, o: header(f, 3) + q,
    "opcode-notify": lambda r, w, t, f, q, o: header(f, 4) + question(w, 6),
    "opcode-update": lambda r, w, t, f, q, o: header(f, 5) + question(w, 6),
    "opcode-dso": lambda r, w, t, f, q, o: header(f, 6) + q,
    "opcode-15": lambda r, w, t, f, q, o: header(f, 15) + q,
    "qdcount-0": lambda r, w, t, f, q, o: header(f, 0, (0, 0, 0, 0)),
    "qdcount-0-edns": lambda r, w, t, f, q, o: header(f, 0, (0, 0, 0, 1)) + o,
    "qdcount-2": lambda r, w, t, f, q, o: header(f, 0, (2, 0, 0, 0)) + q + q,
    "qdcount-2-missing": lambda r, w, t, f, q, o: header(f, 0, (2, 0, 0, 0)) + q,
    "ancount-1": lambda r, w, t, f, q, o: header(f, 0, (1, 1, 0, 0)) + q + A_RECORD,
    "nscount-1": lambda r, w, t, f, q, o: header(f, 0, (1, 0, 1, 0)) + q + A_RECORD,
    "arcount-1": lambda r, w, t, f, q, o: header(f, 0, (1, 0, 0, 1)) + q + A_RECORD,
    "arcount-2-edns": lambda r, w, t, f, q, o: header(f, 0, (1, 0, 0, 2)) + q + A_RECORD + o,
    "ancount-missing": lambda r, w, t, f, q, o: header(f, 0, (1, 1, 0, 0)) + q,
    "arcount-missing": lambda r, w, t, f, q, o: header(f, 0, (1, 0, 0, 1)) + q,
    "trailing": lambda r, w, t, f, q, o: header(f) + q + b"\xff" * r.choice((1, 11, 40)),
    "trailing-edns": lambda r, w, t, f, q, o: header(f, 0, (1, 0, 0, 1)) + q + o + b"\0" * 7,
    "short-header": lambda r, w, t, f, q, o: header(f)[: r.choice((2, 11))],
    "header-only": lambda r, w, t, f, q, o: header(f),
    "cut-question": lambda r, w, t, f, q, o: header(f) + q[: -r.choice((1, 3, 5))],
    "pointer-loop": lambda r, w, t, f, q, o: header(f) + b"\xc0\x0c" + struct.pack("!HH", t, 1),
    "pointer-header": lambda r, w, t, f, q, o: header(f) + b"\xc0\x04" + struct.pack("!HH", t, 1),
    "label-type-1": lambda r, w, t, f, q, o: header(f) + b"\x41a\0" + struct.pack("!HH", t, 1),
    "name-too-long": lambda r, w, t, f, q, o: (
        header(f) + (b"\x3f" + b"a" * 63) * 4 + b"\0" + struct.pack("!HH", t, 1)
    ),
    "axfr": lambda r, w, t, f, q, o: header(f, 0, (1, 0, 0, 1)) + question(w, 252) + o,
    "ixfr": lambda r, w, t, f, q, o: header(f, 0, (1, 0, 0, 1)) + question(w, 251) + o,
    "version-bind": lambda r, w, t, f, q, o: header(f) + question(b"\x07version\x04bind\0", 16, 3),
    "id-server": lambda r, w, t, f, q, o: header(f) + question(b"\x02id\x06server\0", 16, 3),
}
"""Makers of odd messages: (random, name, type, flags, question, OPT) to octets."""
