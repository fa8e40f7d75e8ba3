"""Requests that change a zone or the latency table, read and checked before anything happens.

Everything wrong with a request is found in one pass; each problem carries the JSON pointer (RFC 6901) of the
part at fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.rdatatype

from gslb.config.locations import parse_location
from gslb.config.wording import quote
from gslb.errors import InvalidChangeError, StateError
from gslb.model.change import Overlay
from gslb.model.site import LatencyRow
from gslb.zones.names import is_within, read_name
from gslb.zones.rdata import present_type, read_rdata, read_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gslb.model.change import RRsetChange, StoredRRset
    from gslb.model.site import LocationKind

RRSETS_LIMIT = 1_000
RECORDS_LIMIT = 1_000
LATENCY_ROWS_LIMIT = 10_000
TTL_LIMIT = 2**31 - 1
PROBLEMS_LIMIT = 100
"""More problems than this are not listed one by one."""


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


def name_rrsets_at_fault(error: InvalidChangeError, read: Sequence[ReadRRset]) -> InvalidChangeError:
    """``error``, which the native zone raised for these RRsets, with pointers to those that it is about.

    The native zone speaks of one owner name, at the beginning of its message. An RRset that is only removed
    breaks no rule, unless nothing else of that name changes. What cannot be told keeps no pointer.
    """
    message = str(error)
    at_owner = [index for index, one in enumerate(read) if message.startswith(f"{one.change[0]} ")]
    adding = [index for index in at_owner if read[index].change[3]]
    problems = [(f"/rrsets/{index}", message) for index in adding or at_owner]
    if not problems:
        return error
    pointer, _ = problems[0]
    return InvalidChangeError(f"{pointer}: {message}", field=pointer, problems=problems)


def _read_rrset(zone: str, rrset: RequestedRRset, pointer: str, problems: _Problems) -> ReadRRset | None:
    name = _read_owner(zone, rrset.name, f"{pointer}/name", problems)
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
    return ReadRRset((name, rtype, ttl, list(wires)), tuple(texts))


def _read_owner(zone: str, text: str, pointer: str, problems: _Problems) -> str | None:
    try:
        name = read_name(text, zone)
    except ValueError as error:
        problems.add(pointer, str(error))
        return None
    if not is_within(name, zone):
        problems.add(pointer, f"{name} is not in the zone {zone}: leave out the final dot of a relative name")
        return None
    return name


def _read_data_type(text: str, pointer: str, problems: _Problems) -> int | None:
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


def stored_overlay(
    rows: Iterable[StoredRRset], serials: Mapping[str, int], latency: Iterable[LatencyRow]
) -> Overlay:
    """What was stored, for the next load of the site. Raises StateError for a record that cannot be read."""
    changes: dict[str, list[RRsetChange]] = {}
    for row in rows:
        try:
            wires = [read_rdata(row.rtype, text, row.zone)[0] for text in row.records]
        except ValueError as error:
            what = f"{row.name} {present_type(row.rtype)} of zone {row.zone}"
            raise StateError(
                f"the state directory holds records of {what} that cannot be read: {error}: "
                "run the release that wrote them, or restore a backup"
            ) from error
        changes.setdefault(row.zone, []).append((row.name, row.rtype, row.ttl, wires))
    return Overlay({zone: tuple(rows) for zone, rows in changes.items()}, serials, tuple(latency))


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
            problems.add(f"/rows/{index}/pop", f"no POP is named {quote(row.pop)}")
        try:
            key = (*parse_location(row.location), row.pop)
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
