"""The record type ALIAS: the addresses of another name, answered as the owner's own.

No RFC defines it; its number is from the range for private use (RFC 6895 section 3.1). Importing this module
makes the mnemonic and the data known to dnspython, for every reader and writer of records.
"""

from __future__ import annotations

from enum import StrEnum
from types import SimpleNamespace

import dns.immutable
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.nsbase

ALIAS = 65401
"""Its number, which the data plane has too."""


@dns.immutable.immutable
class AliasRdata(dns.rdtypes.nsbase.UncompressedNS):
    """ALIAS data: the target's name."""


dns.rdata.register_type(
    SimpleNamespace(ALIAS=AliasRdata), ALIAS, "ALIAS", is_singleton=True, rdclass=dns.rdataclass.IN
)


class AliasState(StrEnum):
    """How much is known of a target outside the zones served here."""

    FRESH = "fresh"
    STALE = "stale"
    UNKNOWN = "unknown"
