"""Names that are unlikely in real zones and legal all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name

if TYPE_CHECKING:
    from random import Random

Name = dns.name.Name

MAX_NAME = 255
"""Octets of a name in wire format (RFC 1035 section 2.3.4)."""
STAR = b"*"
BARE = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_*")

# Few labels, so that what one record means to another is rarely nothing.
PLAIN = (b"a", b"b", b"c", b"www", b"_tcp")
ODD = (
    b"\x00",
    b"a.b",
    b"\xff\xfe",
    b"a b",
    b'"q"',
    b"\\",
    b"@",
    b"$ttl",
    b";x",
    b"(",
    b"**",
    b"*a",
    b"-",
    b"{}",
    b"[",
    b"`",
    b"\x7f",
    b"\xc1",
    b"x" * 63,
)


def label(random: Random) -> bytes:
    """A label: mostly one of a few, at times a star, an odd one or any octets."""
    draw = random.random()
    if draw < 0.78:
        return random.choice(PLAIN)
    if draw < 0.88:
        return STAR
    if draw < 0.97:
        return random.choice(ODD)
    # Upper-case letters would make two spellings of one name; the writer chooses the case.
    return bytes(random.randrange(256) for _ in range(random.choice((1, 2, 7, 63)))).lower()


def below(origin: Name, *labels: bytes) -> Name | None:
    """``labels`` put before ``origin``, or None where that is longer than a name may be."""
    try:
        return Name(labels + origin.labels)
    except dns.name.NameTooLong:
        return None


def present(name: Name) -> str:
    """Presentation format in which all but letters, digits, ``-``, ``_`` and ``*`` is ``\\DDD``.

    dnspython's own writes more octets as they are than Knot reads.
    """
    if name == dns.name.root:
        return "."
    return ".".join(
        "".join(chr(octet) if octet in BARE else f"\\{octet:03d}" for octet in part) for part in name.labels
    )


def wire_length(name: Name) -> int:
    """Octets of ``name`` in wire format."""
    return sum(len(part) + 1 for part in name.labels)


def long_name(random: Random, origin: Name, octets: int) -> Name:
    """A name below ``origin`` of ``octets`` octets, or of as many as fit below that."""
    name = origin
    while (room := octets - wire_length(name)) >= 2:
        size = min(63, room - 1)
        if room - 1 - size == 1:
            size -= 1
        made = below(name, bytes(random.choice(b"abc") for _ in range(size)))
        if made is None:
            break
        name = made
    return name


def recase(random: Random, wire: bytes) -> bytes:
    """The same name, its letters' case drawn anew; for wire format without pointers and for text."""
    return bytes(
        octet ^ 0x20 if (65 <= octet <= 90 or 97 <= octet <= 122) and random.random() < 0.5 else octet
        for octet in wire
    )


def random_name(random: Random, origin: Name) -> Name:
    """A name at most four labels below ``origin``."""
    depth = random.choice((1, 1, 1, 2, 2, 2, 3, 3, 4))
    return below(origin, *(label(random) for _ in range(depth))) or origin
