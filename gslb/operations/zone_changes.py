"""Requests that change a zone, read and checked before anything happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.rdatatype

from gslb.config.rdata import present_type, read_rdata, read_type
from gslb.errors import InvalidChangeError
from gslb.model.change import StoredRRset
from gslb.operations.problems import Problems
from gslb.zones.names import is_within, read_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from gslb.model.change import RRsetChange

RRSETS_LIMIT = 1_000
RECORDS_LIMIT = 1_000
TTL_LIMIT = 2**31 - 1


@dataclass(frozen=True, slots=True)
class RequestedRRset:
    """An RRset as a request has it; no ``records`` removes it, and then ``ttl`` may be missing.

    ``None`` for ``records`` gives it back to the zone file, and then ``ttl`` must be missing.
    """

    name: str
    rtype: str
    ttl: int | None
    records: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class ReadRRset:
    """A checked RRset: wire format for the native zone, presentation format for the store.

    ``records`` is ``None`` for one given back to the zone file. ``pointer`` is its place in the request.
    """

    change: RRsetChange
    records: tuple[str, ...] | None
    pointer: str


def read_rrsets(origin: str, requested: Sequence[RequestedRRset]) -> list[ReadRRset]:
    """Check the changes of one zone.

    Names may be absolute or relative to ``origin``. What depends on the zone's other records, such as a CNAME
    beside other data, is checked when the change is prepared. Raises InvalidChangeError with every problem.
    """
    problems = Problems()
    if not requested:
        problems.add("/rrsets", "holds no RRset to change")
    if len(requested) > RRSETS_LIMIT:
        problems.add("/rrsets", f"holds {len(requested)} RRsets; at most {RRSETS_LIMIT} fit one request")
        problems.raise_any()
    seen: dict[tuple[str, int], int] = {}
    read = []
    for index, rrset in enumerate(requested):
        one = _read_rrset(origin, rrset, f"/rrsets/{index}", problems)
        if one is None:
            continue
        key = one.change[0], one.change[1]
        if key in seen:
            problems.add(f"/rrsets/{index}", f"changes the same RRset as /rrsets/{seen[key]}")
        seen.setdefault(key, index)
        read.append(one)
    problems.raise_any()
    return read


def stored_rrsets(zone: str, read: Sequence[ReadRRset], author: str, at: datetime) -> list[StoredRRset]:
    """What the store shall hold of these changes: nothing of an RRset that is given back."""
    return [
        StoredRRset(zone, one.change[0], one.change[1], one.change[2], one.records, author, at)
        for one in read
        if one.records is not None
    ]


def name_rrsets_at_fault(error: InvalidChangeError, changes: Sequence[ReadRRset]) -> InvalidChangeError:
    """``error``, which was raised for these RRsets, with pointers to where the request has those it is about.

    The publisher points to changes by their number. The native zone speaks of one owner name, at the
    beginning of its message; an RRset that is only removed breaks no rule, unless nothing else of that name
    changes. What cannot be told gets no pointer.
    """
    message = str(error)
    at_owner = [one for one in changes if message.startswith(f"{one.change[0]} ")]
    adding = [one for one in at_owner if one.change[3]]
    problems = [(one.pointer, message) for one in adding or at_owner]
    if error.problems:
        problems = [(changes[int(number)].pointer, text) for number, text in error.problems]
        message = problems[0][1]
    if not problems:
        return error
    pointer, _ = problems[0]
    return InvalidChangeError(
        f"{pointer}: {message}", field=pointer, problems=problems, findings=error.findings
    )


def _read_rrset(zone: str, rrset: RequestedRRset, pointer: str, problems: Problems) -> ReadRRset | None:
    name = _read_owner(zone, rrset.name, f"{pointer}/name", problems)
    rtype = _read_data_type(rrset.rtype, f"{pointer}/type", problems)
    ttl = rrset.ttl
    if rrset.records is None:
        if ttl is not None:
            problems.add(
                f"{pointer}/ttl", "is for an RRset that is given back to the zone file; leave it out"
            )
        return None if name is None or rtype is None else ReadRRset((name, rtype, 0, []), None, pointer)
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
        try:
            wire, canonical = read_rdata(rtype, text, zone)
        except ValueError as error:
            problems.add(f"{pointer}/records/{index}", str(error))
            continue
        if wire in wires:
            problems.add(
                f"{pointer}/records/{index}", "is in the RRset already (RFC 2181 section 5 allows one)"
            )
        wires[wire] = None
        texts.append(canonical)
    return ReadRRset((name, rtype, ttl, list(wires)), tuple(texts), pointer)


def _read_owner(zone: str, text: str, pointer: str, problems: Problems) -> str | None:
    try:
        name = read_name(text, zone)
    except ValueError as error:
        problems.add(pointer, str(error))
        return None
    if not is_within(name, zone):
        problems.add(pointer, f"{name} is not in the zone {zone}: leave out the final dot of a relative name")
        return None
    return name


def _read_data_type(text: str, pointer: str, problems: Problems) -> int | None:
    try:
        rtype = read_type(text)
    except ValueError as error:
        problems.add(pointer, str(error))
        return None
    is_meta = dns.rdatatype.is_metatype(dns.rdatatype.RdataType.make(rtype))
    if rtype == 0 or is_meta or rtype in (dns.rdatatype.MAILA, dns.rdatatype.MAILB):
        problems.add(pointer, f"{text} is not a type of records (RFC 6895 section 3.1)")
        return None
    return rtype


def _apex_problems(zone: str, name: str, rtype: int, count: int) -> Iterator[tuple[str, str]]:
    """What ``count`` records of this type at this name would break, with the part of the RRset at fault."""
    word = present_type(rtype)
    if rtype == dns.rdatatype.SOA and name != zone:
        yield "/name", f"a SOA record stands only at the zone's name, {zone}"
    if name == zone and count == 0 and rtype in (dns.rdatatype.SOA, dns.rdatatype.NS):
        yield "/records", f"would remove the zone's {word} records; give the new ones instead"
    if count > 1 and dns.rdatatype.is_singleton(dns.rdatatype.RdataType.make(rtype)):
        yield "/records", f"a name has at most one {word} record, not {count}"
