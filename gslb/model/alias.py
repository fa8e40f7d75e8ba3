"""The record type ALIAS: the addresses of another name, answered as the owner's own.

No RFC defines it; its number is from the range for private use (RFC 6895 section 3.1). Importing this module
makes the mnemonic known to dnspython; ``gslb/config/alias_rdata.py`` adds the data.
"""

from __future__ import annotations

from enum import StrEnum

import dns.rdatatype

ALIAS = 65401
"""Its number, which the data plane has too."""


dns.rdatatype.register_type(dns.rdatatype.RdataType.make(ALIAS), "ALIAS", is_singleton=True)


class AliasState(StrEnum):
    """How much is known of a target outside the zones served here."""

    FRESH = "fresh"
    STALE = "stale"
    UNKNOWN = "unknown"

    __hash__ = str.__hash__  # an enumeration's own is Python, and the states of many thousands are counted
