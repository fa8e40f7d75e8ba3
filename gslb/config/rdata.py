"""Types and record data in presentation format (RFC 1035 section 5.1, RFC 3597) to wire format and back.

What dnspython reads and writes record data with is imported when it is first used: it is slow to import, and
most sites hold no record that the native reader leaves to it.
"""

from __future__ import annotations

import dns.exception
import dns.rdataclass
import dns.rdatatype

from gslb.config.wording import printable, quote
from gslb.model import alias as alias  # noqa: PLC0414 - makes the type ALIAS known to dnspython

MAXIMUM_RDATA = 65_535
"""Octets: RDLENGTH is 16 bits wide (RFC 1035 section 3.2.1)."""


def read_type(text: str) -> int:
    """The number of an RR type, from its mnemonic or ``TYPEnnn`` (RFC 3597 section 5). Raises ValueError."""
    try:
        return int(dns.rdatatype.from_text(text))
    except (dns.exception.DNSException, ValueError) as error:
        hint = "use a mnemonic such as A, or TYPE65280"
        raise ValueError(f"{quote(text)} is not an RR type: {hint}") from error


def present_type(rtype: int) -> str:
    """The mnemonic of an RR type, or ``TYPEnnn``."""
    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(rtype))


def read_rdata(rtype: int, text: str, origin: str | None) -> tuple[bytes, str]:
    """RDATA in wire format, and in presentation format; names absolute and uncompressed in both.

    ``origin`` completes relative names; with ``None`` they are errors. Raises ValueError that names the type
    and the reason.
    """
    import dns.name  # noqa: PLC0415
    import dns.rdata  # noqa: PLC0415

    from gslb.config import alias_rdata as alias_rdata  # noqa: PLC0414, PLC0415 - makes its data known

    # A line break would end the record early and hide what follows it.
    if any(ord(c) < 0x20 and c != "\t" for c in text):
        raise ValueError("record data holds a control character; write it as an escape such as \\010")
    try:
        number = dns.rdatatype.RdataType.make(rtype)
        completed = None if origin is None else dns.name.from_text(origin)
        rdata = dns.rdata.from_text(dns.rdataclass.IN, number, text, completed, relativize=False)
        wire = rdata.to_wire() or b""
        canonical = rdata.to_text()
    except dns.name.NeedAbsoluteNameOrOrigin as error:
        raise ValueError(f"{_word(rtype)} record data holds a relative name; end it with a dot") from error
    except Exception as error:  # the parsers of rare types let more than their own exceptions out
        reason = printable(str(error)) or type(error).__name__
        raise ValueError(f"{_word(rtype)} record data is not valid: {reason}") from error
    if len(wire) > MAXIMUM_RDATA:
        raise ValueError(
            f"{_word(rtype)} record data takes {len(wire)} octets; a record holds at most {MAXIMUM_RDATA}"
        )
    return wire, canonical


def present_rdata(rtype: int, wire: bytes) -> str:
    """RDATA in presentation format; what dnspython cannot read is in the form of RFC 3597 section 5."""
    import dns.rdata  # noqa: PLC0415

    from gslb.config import alias_rdata as alias_rdata  # noqa: PLC0414, PLC0415 - makes its data known

    try:
        number = dns.rdatatype.RdataType.make(rtype)
        return dns.rdata.from_wire(dns.rdataclass.IN, number, wire, 0, len(wire)).to_text()
    except Exception:  # as above; and every record has a generic form
        return f"\\# {len(wire)} {wire.hex()}".rstrip()


def _word(rtype: int) -> str:
    try:
        return present_type(rtype)
    except ValueError:  # no number of a type at all
        return str(rtype)
