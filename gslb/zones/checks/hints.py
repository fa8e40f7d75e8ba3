"""HTTPS and SVCB records with address hints that lead to steered names: other owners' hints are static."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import dns.rdatatype

from gslb.config.rdata import present_type
from gslb.config.wording import quote
from gslb.zones.checks.records import name_at, records_of
from gslb.zones.checks.sieve import MAXIMUM_FINDINGS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from gslb._dataplane import ZoneText
    from gslb.model.finding import Finding

MAXIMUM_RECORDS = 100_000
"""Looked at in each zone."""

_TYPES = (int(dns.rdatatype.SVCB), int(dns.rdatatype.HTTPS))
_HINTS = {4: "ipv4hint", 6: "ipv6hint"}
"""SvcParamKeys (RFC 9460 section 14.3.2)."""


def check_hints(zones: Mapping[str, ZoneText], steered: Collection[str]) -> Iterator[Finding]:
    """A finding for each record with hints whose target is one of ``steered``, but not its own owner."""
    for zone in zones.values() if steered else ():
        yield from islice(_static(zone, steered), MAXIMUM_FINDINGS)


def _static(zone: ZoneText, steered: Collection[str]) -> Iterator[Finding]:
    for record in records_of(zone, _TYPES, MAXIMUM_RECORDS):
        try:
            target, at = name_at(record.rdata, 2)
        except ValueError:
            continue
        hints = [_HINTS[key] for key in _keys(record.rdata, at) if key in _HINTS]
        if hints and target in steered and target != record.owner:
            yield record.finding(
                "site-static-hints",
                f"{record.owner} {present_type(record.rtype)} leads to {quote(target)}, which is steered, "
                f"but its {' and '.join(hints)} stays as it is for every client: leave it out, and clients "
                "ask for the addresses",
            )


def _keys(rdata: bytes, at: int) -> Iterator[int]:
    """The SvcParamKeys from ``at`` on (RFC 9460 section 2.2)."""
    while at + 4 <= len(rdata):
        yield int.from_bytes(rdata[at : at + 2], "big")
        at += 4 + int.from_bytes(rdata[at + 2 : at + 4], "big")
