"""The record data of ALIAS: importing this makes it known to dnspython."""

from __future__ import annotations

import dns.immutable
import dns.rdata
import dns.rdataclass
import dns.rdtypes.nsbase

from gslb.model.alias import ALIAS


@dns.immutable.immutable
class AliasRdata(dns.rdtypes.nsbase.UncompressedNS):
    """ALIAS data: the target's name."""


dns.rdata.register_type(AliasRdata, ALIAS, "ALIAS", is_singleton=True, rdclass=dns.rdataclass.IN)
