"""Records whose type the native reader leaves to dnspython, turned to wire format."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from gslb.config.wording import printable

if TYPE_CHECKING:
    from gslb._dataplane import ZoneText

MAXIMUM_RDATA = 65_535
"""Octets: RDLENGTH is 16 bits wide (RFC 1035 section 3.2.1)."""


def resolve_pending(zone: ZoneText) -> None:
    """Fill every pending record, or reject it with the reason. Never raises for what records say."""
    for index, rtype, text, origin in zone.pending():
        try:
            rdata = rdata_to_wire(rtype, text, origin)
        except ValueError as error:
            zone.reject(index, str(error))
        else:
            zone.fill(index, rdata)


def rdata_to_wire(rtype: int | str, text: str, origin: str) -> bytes:
    """RDATA in presentation format to wire format, names absolute and uncompressed.

    ``origin`` completes relative names. Raises ValueError that names the type and the reason.
    """
    try:
        kind = dns.rdatatype.RdataType.make(rtype)
        completed = dns.name.from_text(origin)
        rdata = dns.rdata.from_text(dns.rdataclass.IN, kind, text, completed, relativize=False)
        wire = rdata.to_wire(origin=completed)
    except Exception as error:  # the parsers of rare types let more than their own exceptions out
        reason = printable(str(error)) or type(error).__name__
        raise ValueError(f"{_type_name(rtype)} record data is not valid: {reason}") from error
    if wire is None or len(wire) > MAXIMUM_RDATA:
        raise ValueError(f"{_type_name(rtype)} record data is longer than {MAXIMUM_RDATA} octets")
    return wire


def _type_name(rtype: int | str) -> str:
    try:
        return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(rtype))
    except (ValueError, dns.exception.DNSException):
        return printable(str(rtype))
