"""A DNS response in wire format, as programs and people may read it."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from gslb.config import alias_rdata as alias_rdata  # noqa: PLC0414 - makes ALIAS data known to dnspython
from gslb.config.rdata import present_type
from gslb.model.report import EdnsReport, RecordReport, ResponseReport


def read_response(wire: bytes) -> ResponseReport | None:
    """The response, every section in the order of the wire; ``None`` where there is none.

    Records that dnspython cannot read are left out. Raises dns.exception.DNSException for octets that are not
    a DNS message at all.
    """
    if not wire:
        return None
    message = dns.message.from_wire(wire, one_rr_per_rrset=True, continue_on_error=True)
    return ResponseReport(
        rcode=dns.rcode.to_text(message.rcode()),
        flags=[flag.lower() for flag in dns.flags.to_text(message.flags).split()],
        answer=_records(message.answer),
        authority=_records(message.authority),
        additional=_records(message.additional),
        edns=None if message.edns < 0 else _edns(message),
    )


def _records(section: list[dns.rrset.RRset]) -> list[RecordReport]:
    return [
        RecordReport(
            name=rrset.name.to_text(), type=present_type(rrset.rdtype), ttl=rrset.ttl, data=rdata.to_text()
        )
        for rrset in section
        for rdata in rrset
    ]


def _edns(message: dns.message.Message) -> EdnsReport:
    return EdnsReport(payload=message.payload, options=[option.to_text() for option in message.options])
