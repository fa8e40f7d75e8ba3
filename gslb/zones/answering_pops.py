"""Which POPs the records of an answer are of: of those records that steering chose, and no others."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from dns.rdtypes.svcbbase import IPv4HintParam, IPv6HintParam, ParamKey, SVCBBase

from gslb.config.names import parent_names, wildcard_below
from gslb.config.rdata import present_rdata
from gslb.model.pool_graph import PoolGraph
from gslb.model.site import AAAA, CNAME, A, WhenAllDown
from gslb.zones.reach import Reach, steered_targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import dns.message
    import dns.rdata

    from gslb._dataplane import Steering, Zone
    from gslb.model.site import Endpoint, SteeringConfig

_HINTS = {A: ParamKey.IPV4HINT, AAAA: ParamKey.IPV6HINT}

Record = tuple[int, str]
"""Type, and presentation format."""


@dataclass(frozen=True, slots=True)
class Matches:
    """The POPs whose records an answer may have from steering."""

    always: frozenset[str]
    if_chosen: tuple[tuple[str, int, frozenset[str]], ...]
    """Steered name, type and POPs where the zone's own records stand in, maybe like those of an endpoint."""


class AnsweringPops:
    """Says it of answers from these zones under ``config``, which is compiled as ``steering``."""

    def __init__(self, config: SteeringConfig, zones: Iterable[Zone], steering: Steering) -> None:
        self._zones = {zone.origin: zone for zone in zones}
        self._reach = Reach(self._zones, steered_targets(config))
        self._numbers = {name.name: number for number, name in enumerate(config.names)}
        self._names = config.names
        self._graph = PoolGraph(config.pools)
        self._steering = steering
        self._records: dict[str, Mapping[Record, frozenset[str]]] = {}

    def matches(self, message: dns.message.Message) -> Matches:
        """The POPs that an answer has records of, whoever got it."""
        always: set[str] = set()
        if_chosen: dict[tuple[str, int, frozenset[str]], None] = {}
        for rrset in message.answer:
            owner = rrset.name.to_text()
            for rdata in rrset:
                for rtype, text in _records_in(owner, rdata):
                    for name in self._answering(owner, rtype):
                        pops = self._records_of(name).get((rtype, text), frozenset())
                        if self._has_last_resort(name):
                            if_chosen |= {(name, rtype, pops): None} if pops else {}
                        else:
                            always |= pops
        return Matches(frozenset(always), tuple(if_chosen))

    def of(self, matches: Matches, client: str, verdicts: bytes, loads: bytes) -> frozenset[str]:
        """POPs of an answer with these matches, which ``client`` got under these verdicts and loads."""
        found = matches.always
        for name, rtype, pops in matches.if_chosen:
            if self._steering.decide(self._numbers[name], rtype, client, verdicts, loads)[0] == "answer":
                found |= pops
        return found

    def _answering(self, owner: str, rtype: int) -> Iterable[str]:
        """The steered names that may have answered with records of ``owner``."""
        own = self._steered_at(owner, rtype)
        if own:
            return (own,)
        # At another name there are addresses of steering only by an ALIAS.
        reached = self._reach.of(owner) if rtype in (A, AAAA) else None
        return reached.steered if reached is not None and reached.aliases else ()

    def _steered_at(self, owner: str, rtype: int) -> str:
        """The steered name that answers for ``owner``, itself or a wildcard; empty if there is none."""
        if owner in self._numbers:
            return owner
        for parent in parent_names(owner)[1:]:
            wildcard = wildcard_below(parent)
            if wildcard in self._numbers:
                return wildcard
            zone = next((self._zones[one] for one in parent_names(parent) if one in self._zones), None)
            if zone is None or zone.origin == parent or zone.rrset(wildcard, rtype) is not None:
                return ""
        return ""

    def _records_of(self, name: str) -> Mapping[Record, frozenset[str]]:
        """The POPs of whose endpoints a record is, in the pools of a steered name: mostly one."""
        pool = self._names[self._numbers[name]].pool
        known = self._records.get(pool)
        if known is None:
            found: dict[Record, set[str]] = {}
            for one in self._graph.below(pool) if pool in self._graph.pools else ():
                for endpoint in one.endpoints:
                    for record in _records_of(endpoint):
                        found.setdefault(record, set()).add(endpoint.pop)
            known = self._records[pool] = {record: frozenset(pops) for record, pops in found.items()}
        return known

    def _has_last_resort(self, name: str) -> bool:
        pool = self._names[self._numbers[name]].pool
        return self._graph.pools[pool].when_all_down is WhenAllDown.FALLBACK


def _records_of(endpoint: Endpoint) -> Iterable[Record]:
    for rrset in endpoint.records:
        yield from ((rrset.rtype, present_rdata(rrset.rtype, rdata)) for rdata in rrset.rdata)
    if endpoint.cname:
        yield CNAME, endpoint.cname
    if endpoint.address is not None:
        yield A if endpoint.address.version == 4 else AAAA, str(endpoint.address)


def _records_in(owner: str, rdata: dns.rdata.Rdata) -> Iterable[Record]:
    """The record itself, and the addresses that it hints at for its own name (RFC 9460 section 7.3)."""
    rtype = int(rdata.rdtype)
    if rtype in (A, AAAA):
        yield rtype, str(ip_address(rdata.to_text()))
        return
    yield rtype, rdata.to_text()
    if not isinstance(rdata, SVCBBase) or rdata.target.to_text() not in (".", owner):
        return
    for kind, key in _HINTS.items():
        hint = rdata.params.get(key)
        if isinstance(hint, (IPv4HintParam, IPv6HintParam)):
            yield from ((kind, str(ip_address(address))) for address in hint.addresses)
