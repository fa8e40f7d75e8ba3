"""What stands at the apex of a zone: the numbers and names of its SOA, and how many servers it has."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from gslb.config.durations import format_duration
from gslb.config.wording import quote
from gslb.zones.checks.records import NS, SOA, Record, name_at, name_end

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gslb.model.finding import Finding

RANGES = {
    "refresh": (1200, 86_400),
    "retry": (180, 28_800),
    "expire": (604_800, 5_184_000),
    "minimum": (60, 86_400),
}
"""Seconds: RFC 1912 section 2.2 and RIPE-203, for the minimum RFC 2308 section 5."""


SERIAL_OCTETS = 4


def check_apex(apex: Sequence[Record]) -> Iterator[Finding]:
    """Check the records at the apex, of which the zone is known to have all."""
    # Names are compared in wire format, where lower case leaves lengths as they are: zones may be very many.
    servers = {record.rdata.lower() for record in apex if record.rtype == NS}
    soa = next((record for record in apex if record.rtype == SOA), None)
    if soa is not None:
        try:
            mailbox_at = name_end(soa.rdata)
            numbers_at = name_end(soa.rdata, mailbox_at)
        except ValueError:
            return
        for problem in _number_problems(soa.rdata[numbers_at + SERIAL_OCTETS :]):
            yield soa.finding("zone-soa-values", f"SOA: {problem} (RFC 1912 section 2.2)")
        if b"@" in soa.rdata[mailbox_at:numbers_at]:
            mailbox, _ = name_at(soa.rdata, mailbox_at)
            message = (
                f"the mailbox {quote(mailbox)} of the SOA has an @ in it: write a dot for it, such as "
                "hostmaster.example.com."
            )
            yield soa.finding("zone-soa-values", message)
        if servers and soa.rdata[:mailbox_at].lower() not in servers:
            primary, _ = name_at(soa.rdata)
            message = (
                f"the primary {quote(primary)} of the SOA is none of the zone's NS records: right for a "
                "hidden primary, else correct it"
            )
            yield soa.finding("zone-soa-mname", message)
    if len(servers) == 1:
        only = next(record for record in apex if record.rtype == NS)
        message = "the zone has one name server only: name two or more (RFC 1034 section 4.1)"
        yield only.finding("zone-single-ns", message)


@lru_cache
def _number_problems(octets: bytes) -> tuple[str, ...]:
    """What is wrong with the numbers that follow the serial; the zones of a site mostly have the same."""
    if len(octets) != 16:
        return ()
    values = [int.from_bytes(octets[at : at + 4], "big") for at in range(0, 16, 4)]
    numbers = dict(zip(RANGES, values, strict=True))
    problems = [
        f"{name} {format_duration(numbers[name])} is not {format_duration(low)} to {format_duration(high)}"
        for name, (low, high) in RANGES.items()
        if not low <= numbers[name] <= high
    ]
    if numbers["retry"] >= numbers["refresh"]:
        problems.append("retry is not less than refresh")
    if numbers["expire"] <= numbers["refresh"] + numbers["retry"]:
        problems.append("expire is not more than refresh and retry together")
    return tuple(problems)
