"""RRsets that an endpoint declares: ``{MX: ["10 mx1.example.com."], TXT: "v=spf1 -all"}``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rdatatype

from gslb.config import patterns
from gslb.config.rdata import read_rdata
from gslb.config.wording import quote
from gslb.model.alias import ALIAS
from gslb.model.site import AAAA, CNAME, A, DeclaredRRset

if TYPE_CHECKING:
    from gslb.config.declared import Declared
    from gslb.config.report import Cursor

MAXIMUM_TYPES = 16
"""Types of records that an endpoint declares."""
MAXIMUM_RECORDS = 64
"""Records of one type that an endpoint declares."""
MAXIMUM_OCTETS = 16_384
"""RDATA of one type that an endpoint declares: answers join those of several endpoints."""

_OTHERWISE = {
    A: "write it as the endpoint's address",
    AAAA: "write it as the endpoint's address",
    CNAME: "write it as the endpoint's cname",
}
_OF_ZONES = frozenset(
    map(
        int,
        (
            dns.rdatatype.SOA,
            dns.rdatatype.NS,
            dns.rdatatype.DNAME,
            dns.rdatatype.DS,
            dns.rdatatype.CDS,
            dns.rdatatype.CDNSKEY,
            dns.rdatatype.DNSKEY,
            dns.rdatatype.RRSIG,
            dns.rdatatype.NSEC,
            dns.rdatatype.NSEC3,
            dns.rdatatype.NSEC3PARAM,
            ALIAS,
        ),
    )
)
"""Types that say how a zone is made, which no client can be steered by."""


def read_records(cursor: Cursor, what: str, declared: Declared) -> tuple[DeclaredRRset, ...] | None:
    """The RRsets of an endpoint, or ``None`` after noting every error in them.

    Names in the data are absolute: nothing completes them.
    """
    rrsets: dict[int, DeclaredRRset] = {}
    is_whole = 1 <= len(cursor.value) <= MAXIMUM_TYPES
    if not is_whole:
        message = f"records of {what} must have 1 to {MAXIMUM_TYPES} types, not {len(cursor.value)}"
        declared.report.error("site-invalid-value", cursor.place, message)
    for word, listed in cursor.children():
        try:
            rtype = _type(word)
            if rtype in rrsets:
                raise ValueError(f"has records of type {quote(word)} twice")
        except ValueError as error:
            declared.report.error("site-invalid-value", listed.key_place, f"records of {what} {error}")
            is_whole = False
            continue
        rdata = _read_rdata(rtype, word, listed, what, declared)
        if rdata is None:
            is_whole = False
        else:
            rrsets[rtype] = DeclaredRRset(rtype=rtype, rdata=rdata)
    return tuple(rrsets.values()) if is_whole else None


def _type(word: str) -> int:
    """The number of a type that an endpoint may declare. Raises ValueError."""
    rtype = patterns.rr_type(word)
    if rtype in _OTHERWISE:
        raise ValueError(f"cannot hold {word}; {_OTHERWISE[rtype]}")
    if rtype in _OF_ZONES or dns.rdatatype.is_metatype(dns.rdatatype.RdataType.make(rtype)) or rtype == 0:
        raise ValueError(f"cannot hold {quote(word)}: no client can be steered by this type")
    return rtype


def _read_rdata(
    rtype: int, word: str, cursor: Cursor, what: str, declared: Declared
) -> tuple[bytes, ...] | None:
    """The records of one type, each once; ``None`` after noting every error in them."""
    items = list(cursor.items()) if isinstance(cursor.value, list) else [cursor]
    report = declared.report
    if not 1 <= len(items) <= MAXIMUM_RECORDS:
        message = f"{word} of {what} must list 1 to {MAXIMUM_RECORDS} records, not {len(items)}"
        report.error("site-invalid-value", cursor.place, message)
        return None
    read: dict[bytes, None] = {}
    is_whole = True
    for item in items:
        if not isinstance(item.value, str):
            message = f"{word} of {what} must be record data as text, not {quote(item.value)}; quote it"
            report.error("site-invalid-value", item.place, message)
            is_whole = False
            continue
        try:
            read[read_rdata(rtype, item.value, None)[0]] = None
        except ValueError as error:
            report.error("site-invalid-value", item.place, f"{word} of {what}: {error}")
            is_whole = False
    size = sum(map(len, read))
    if size > MAXIMUM_OCTETS:
        message = f"{word} of {what} takes {size:,} octets; at most {MAXIMUM_OCTETS:,} are possible"
        report.error("site-invalid-value", cursor.place, message)
        return None
    return tuple(read) if is_whole else None
