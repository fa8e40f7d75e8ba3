"""Requests that change a zone or the latency table, read and checked before anything happens.

Everything wrong with a request is found in one pass; each problem carries the JSON pointer (RFC 6901) of the
part at fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from gslb.errors import InvalidChangeError, StateError
from gslb.model.change import Overlay
from gslb.model.site import LatencyRow, LocationKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gslb.model.change import RRsetChange, StoredRRset

RRSETS_LIMIT = 1_000
RECORDS_LIMIT = 1_000
LATENCY_ROWS_LIMIT = 10_000
TTL_LIMIT = 2**31 - 1
RDATA_LIMIT = 65_535
PROBLEMS_LIMIT = 100
"""More problems than this are not listed one by one."""

_UNREADABLE = (dns.exception.DNSException, ValueError, OverflowError)


@dataclass(frozen=True, slots=True)
class RequestedRRset:
    """An RRset as a request has it; no ``records`` removes it, and then ``ttl`` may be missing."""

    name: str
    rtype: str
    ttl: int | None
    records: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestedLatency:
    """A latency row as a request has it; no ``milliseconds`` gives the row back to the site's files."""

    location: str
    pop: str
    milliseconds: float | None


@dataclass(frozen=True, slots=True)
class ReadRRset:
    """A checked RRset: wire format for the native zone, presentation format for the store."""

    change: RRsetChange
    records: tuple[str, ...]


class _Problems:
    """Collects (JSON pointer, text) and raises them together."""

    def __init__(self) -> None:
        self._found: list[tuple[str, str]] = []

    def add(self, pointer: str, text: str) -> None:
        if len(self._found) < PROBLEMS_LIMIT:
            self._found.append((pointer, text))

    def raise_any(self) -> None:
        if not self._found:
            return
        pointer, text = self._found[0]
        more = f" (and {len(self._found) - 1} more)" if len(self._found) > 1 else ""
        raise InvalidChangeError(f"{pointer}: {text}{more}", field=pointer, problems=self._found)


def read_origin(text: str) -> str:
    """A zone's name as the published zones are keyed: absolute, lower case, final dot. Raises ValueError."""
    try:
        return dns.name.from_text(text, dns.name.root).canonicalize().to_text()
    except _UNREADABLE as error:
        raise ValueError(f"{text!r} is not a domain name: {error}") from error


def read_type(text: str) -> int:
    """The number of an RR type, from its mnemonic or ``TYPEnnn`` (RFC 3597 section 5). Raises ValueError."""
    try:
        return int(dns.rdatatype.from_text(text))
    except _UNREADABLE as error:
        raise ValueError(f"{text!r} is not an RR type: use a mnemonic such as A, or TYPE65280") from error


def read_rrsets(origin: str, requested: Sequence[RequestedRRset]) -> list[ReadRRset]:
    """Check the changes of one zone.

    Names may be absolute or relative to ``origin``. What depends on the zone's other records, such as a CNAME
    beside other data, is checked when the change is prepared. Raises InvalidChangeError with every problem.
    """
    problems = _Problems()
    if not requested:
        problems.add("/rrsets", "holds no RRset to change")
    if len(requested) > RRSETS_LIMIT:
        problems.add("/rrsets", f"holds {len(requested)} RRsets; at most {RRSETS_LIMIT} fit one request")
        problems.raise_any()
    zone = dns.name.from_text(origin)
    seen: dict[tuple[str, int], int] = {}
    read = []
    for index, rrset in enumerate(requested):
        one = _read_rrset(zone, rrset, f"/rrsets/{index}", problems)
        if one is None:
            continue
        key = one.change[0], one.change[1]
        if key in seen:
            problems.add(f"/rrsets/{index}", f"changes the same RRset as /rrsets/{seen[key]}")
        seen.setdefault(key, index)
        read.append(one)
    problems.raise_any()
    return read


def _read_rrset(
    zone: dns.name.Name, rrset: RequestedRRset, pointer: str, problems: _Problems
) -> ReadRRset | None:
    name = _read_name(zone, rrset.name, f"{pointer}/name", problems)
    rtype = _read_data_type(rrset.rtype, f"{pointer}/type", problems)
    ttl = rrset.ttl
    if ttl is None:
        if rrset.records:
            problems.add(f"{pointer}/ttl", "is missing; give the TTL in seconds")
        ttl = 0
    elif not 0 <= ttl <= TTL_LIMIT:
        problems.add(f"{pointer}/ttl", f"is {ttl}; a TTL is 0 to {TTL_LIMIT} seconds (RFC 2181 section 8)")
    if len(rrset.records) > RECORDS_LIMIT:
        problems.add(f"{pointer}/records", f"holds {len(rrset.records)} records; at most {RECORDS_LIMIT} fit")
        return None
    if name is None or rtype is None:
        return None
    for part, problem in _apex_problems(zone, name, rtype, len(rrset.records)):
        problems.add(pointer + part, problem)
    wires: dict[bytes, None] = {}
    texts: list[str] = []
    for index, text in enumerate(rrset.records):
        rdata = _read_rdata(zone, rtype, text, f"{pointer}/records/{index}", problems)
        if rdata is None:
            continue
        wire, canonical = rdata
        if wire in wires:
            problems.add(
                f"{pointer}/records/{index}", "is in the RRset already (RFC 2181 section 5 allows one)"
            )
        wires[wire] = None
        texts.append(canonical)
    return ReadRRset((name.to_text(), int(rtype), ttl, list(wires)), tuple(texts))


def _read_name(zone: dns.name.Name, text: str, pointer: str, problems: _Problems) -> dns.name.Name | None:
    try:
        name = dns.name.from_text(text, zone).canonicalize()
    except _UNREADABLE as error:
        problems.add(pointer, f"{text!r} is not a domain name: {error}")
        return None
    if not name.is_subdomain(zone):
        problems.add(pointer, f"{name} is not in the zone {zone}: leave out the final dot of a relative name")
        return None
    return name


def _read_data_type(text: str, pointer: str, problems: _Problems) -> dns.rdatatype.RdataType | None:
    try:
        rtype = dns.rdatatype.RdataType.make(read_type(text))
    except ValueError as error:
        problems.add(pointer, str(error))
        return None
    if rtype == 0 or dns.rdatatype.is_metatype(rtype) or rtype in (dns.rdatatype.MAILA, dns.rdatatype.MAILB):
        problems.add(pointer, f"{text} is not a type of records (RFC 6895 section 3.1)")
        return None
    return rtype


def _apex_problems(
    zone: dns.name.Name, name: dns.name.Name, rtype: int, count: int
) -> Iterator[tuple[str, str]]:
    """What ``count`` records of this type at this name would break, with the part of the RRset at fault."""
    word = present_type(rtype)
    if rtype == dns.rdatatype.SOA and name != zone:
        yield "/name", f"a SOA record stands only at the zone's name, {zone}"
    if name == zone and count == 0 and rtype in (dns.rdatatype.SOA, dns.rdatatype.NS):
        yield "/records", f"would remove the zone's {word} records; give the new ones instead"
    if count > 1 and dns.rdatatype.is_singleton(dns.rdatatype.RdataType.make(rtype)):
        yield "/records", f"a name has at most one {word} record, not {count}"


def _read_rdata(
    zone: dns.name.Name, rtype: int, text: str, pointer: str, problems: _Problems
) -> tuple[bytes, str] | None:
    # A line break would end the record early and hide what follows it.
    if any(ord(c) < 0x20 and c != "\t" for c in text):
        problems.add(pointer, "holds a control character; write it as an escape such as \\010")
        return None
    try:
        wire, canonical = _rdata_from_text(zone, rtype, text)
    except _UNREADABLE as error:
        word = dns.rdatatype.to_text(dns.rdatatype.RdataType.make(rtype))
        problems.add(pointer, f"is not {word} record data: {error}")
        return None
    if len(wire) > RDATA_LIMIT:
        problems.add(pointer, f"takes {len(wire)} octets; a record holds at most {RDATA_LIMIT}")
        return None
    return wire, canonical


def _rdata_from_text(zone: dns.name.Name, rtype: int, text: str) -> tuple[bytes, str]:
    """RDATA in wire format, and in presentation format with every name absolute."""
    number = dns.rdatatype.RdataType.make(rtype)
    rdata = dns.rdata.from_text(dns.rdataclass.IN, number, text, origin=zone, relativize=False)
    return rdata.to_wire() or b"", rdata.to_text()


def present_rdata(rtype: int, wire: bytes) -> str:
    """RDATA in presentation format; what dnspython cannot read is in the form of RFC 3597 section 5."""
    try:
        number = dns.rdatatype.RdataType.make(rtype)
        return dns.rdata.from_wire(dns.rdataclass.IN, number, wire, 0, len(wire)).to_text()
    except _UNREADABLE:
        return f"\\# {len(wire)} {wire.hex()}".rstrip()


def present_type(rtype: int) -> str:
    """The mnemonic of an RR type, or ``TYPEnnn``."""
    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(rtype))


def stored_overlay(
    rows: Iterable[StoredRRset], serials: Mapping[str, int], latency: Iterable[LatencyRow]
) -> Overlay:
    """What was stored, for the next load of the site. Raises StateError for a record that cannot be read."""
    changes: dict[str, list[RRsetChange]] = {}
    for row in rows:
        zone = dns.name.from_text(row.zone)
        try:
            wires = [_rdata_from_text(zone, row.rtype, text)[0] for text in row.records]
        except _UNREADABLE as error:
            what = f"{row.name} {present_type(row.rtype)} of zone {row.zone}"
            raise StateError(
                f"the state directory holds records of {what} that cannot be read: {error}: "
                "run the release that wrote them, or restore a backup"
            ) from error
        changes.setdefault(row.zone, []).append((row.name, row.rtype, row.ttl, wires))
    return Overlay({zone: tuple(rows) for zone, rows in changes.items()}, serials, tuple(latency))


def read_location(text: str) -> tuple[LocationKind, str]:
    """A location such as ``country:DE``, ``subnet:192.0.2.0/24`` or ``default``. Raises ValueError.

    Kinds and values: ``subnet`` a network, ``asn`` a number, ``subdivision`` as ISO 3166-2 (US-CA),
    ``country`` as ISO 3166-1 alpha-2, ``continent`` one of AF AN AS EU NA OC SA, ``default`` no value.
    """
    word, _, value = text.partition(":")
    try:
        kind = LocationKind(word)
    except ValueError:
        kinds = ", ".join(LocationKind)
        raise ValueError(f"{text!r} is not a location: write KIND:VALUE with one of {kinds}") from None
    if kind is LocationKind.SUBNET:
        if "/" not in value or "%" in value:
            raise ValueError(f"{value!r} is not a subnet: write subnet:192.0.2.0/24")
        return kind, str(ip_network(value))
    if kind is LocationKind.ASN:
        digits = value.upper().removeprefix("AS")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 10 and int(digits) < 2**32):
            raise ValueError(f"{value!r} is not an AS number: write asn:64500")
        return kind, str(int(digits))
    value = value.upper()
    if kind is LocationKind.DEFAULT:
        fits = value == ""
    elif kind is LocationKind.SUBDIVISION:
        country, _, rest = value.partition("-")
        fits = _is_code(country) and 1 <= len(rest) <= 3 and rest.isascii() and rest.isalnum()
    else:
        fits = _is_code(value)
        if kind is LocationKind.CONTINENT:
            fits = value in ("AF", "AN", "AS", "EU", "NA", "OC", "SA")
    if not fits:
        raise ValueError(f"{text!r} is not a {kind}: see docs/reference/api.md, Latency")
    return kind, value


def _is_code(text: str) -> bool:
    return len(text) == 2 and text.isascii() and text.isalpha()


def write_location(kind: LocationKind, value: str) -> str:
    """The text that ``read_location`` reads."""
    return f"{kind}:{value}" if value else str(kind)


def read_latency(
    requested: Sequence[RequestedLatency], pops: Iterable[str]
) -> tuple[list[LatencyRow], list[tuple[LocationKind, str, str]]]:
    """Check latency rows: those to set, and the (kind, value, POP) of those to forget.

    Raises InvalidChangeError with every problem.
    """
    problems = _Problems()
    if not 1 <= len(requested) <= LATENCY_ROWS_LIMIT:
        problems.add("/rows", f"holds {len(requested)} rows; a request has 1 to {LATENCY_ROWS_LIMIT}")
        problems.raise_any()
    known = set(pops)
    rows: list[LatencyRow] = []
    removed: list[tuple[LocationKind, str, str]] = []
    seen: dict[tuple[LocationKind, str, str], int] = {}
    for index, row in enumerate(requested):
        if row.pop not in known:
            problems.add(f"/rows/{index}/pop", f"no POP is named {row.pop!r}")
        try:
            key = (*read_location(row.location), row.pop)
        except ValueError as error:
            problems.add(f"/rows/{index}/location", str(error))
            continue
        if key in seen:
            problems.add(f"/rows/{index}", f"is about the same location and POP as /rows/{seen[key]}")
        seen.setdefault(key, index)
        if row.milliseconds is None:
            removed.append(key)
        elif 0 <= row.milliseconds <= 60_000:
            rows.append(LatencyRow(kind=key[0], value=key[1], pop=row.pop, milliseconds=row.milliseconds))
        else:
            problems.add(f"/rows/{index}/ms", f"is {row.milliseconds}; milliseconds are 0 to 60000")
    problems.raise_any()
    return rows, removed
