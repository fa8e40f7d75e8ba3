"""Records of a zone as checks read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import dns.rdatatype

from gslb.model.finding import Finding, Place
from gslb.model.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gslb._dataplane import ZoneText

A = int(dns.rdatatype.A)
AAAA = int(dns.rdatatype.AAAA)
NS = int(dns.rdatatype.NS)
SOA = int(dns.rdatatype.SOA)
TXT = int(dns.rdatatype.TXT)
CAA = int(dns.rdatatype.CAA)

MAXIMUM_LABEL = 63

_PRESENTATION = (
    {octet: f"\\{octet:03}" for octet in range(256) if not 0x20 < octet < 0x7F}
    | {ord(character): f"\\{character}" for character in '"().;\\@$'}
    | {ord(character): character.lower() for character in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
)
"""What an octet of a label is in presentation format (RFC 1035 section 5.1), where that is not itself."""


class Record(NamedTuple):
    """One record: ``owner`` in lower case, ``ttl`` in seconds, ``rdata`` in wire format."""

    owner: str
    rtype: int
    ttl: int
    rdata: bytes
    file: str
    line: int

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.file, self.line)

    def finding(self, rule: str, message: str) -> Finding:
        """A finding about it, of the severity that the rule has."""
        return Finding(rule, RULES[rule], self.place, message)


def records_of(
    zone: ZoneText, types: Sequence[int], limit: int, owners: Sequence[str] | None = None
) -> Iterator[Record]:
    """The records of ``types`` whose RDATA could be read."""
    rows = zone.records(list(types), limit, owners=None if owners is None else list(owners))
    return (record for record in map(Record._make, rows) if record.rdata)


def name_at(rdata: bytes, offset: int = 0) -> tuple[str, int]:
    """The name in RDATA at ``offset``, lower case, and where it ends. Raises ValueError."""
    labels = []
    at = offset
    try:
        while length := rdata[at]:
            labels.append(rdata[at + 1 : at + 1 + length])
            at += 1 + length
            if length > MAXIMUM_LABEL:  # no pointers either: record data is read without a message
                raise ValueError("no name in record data")
    except IndexError as error:
        raise ValueError("no name in record data") from error
    text = ".".join([label.decode("latin-1").translate(_PRESENTATION) for label in labels])
    return f"{text}.", at + 1


def name_end(rdata: bytes, offset: int = 0) -> int:
    """Where the name in RDATA at ``offset`` ends. Raises ValueError."""
    at = offset
    try:
        while length := rdata[at]:
            at += 1 + length
            if length > MAXIMUM_LABEL:
                raise ValueError("no name in record data")
    except IndexError as error:
        raise ValueError("no name in record data") from error
    return at + 1


def text_of(rdata: bytes) -> str:
    """The character-strings of TXT RDATA as one text (RFC 7208 section 3.3), an octet a character."""
    parts = []
    at = 0
    while at < len(rdata):
        end = at + 1 + rdata[at]
        parts.append(rdata[at + 1 : end])
        at = end
    return b"".join(parts).decode("latin-1")


def type_text(rtype: int) -> str:
    """The mnemonic of an RR type."""
    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(rtype))
