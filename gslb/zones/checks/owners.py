"""What the zone says at a steered name, beside the pool that answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rdatatype

from gslb.config.rdata import present_type
from gslb.config.wording import quote
from gslb.model.finding import Place
from gslb.model.site import AAAA, CNAME, A, WhenAllDown
from gslb.zones.last_resort import last_resort_types, missing_last_resort

if TYPE_CHECKING:
    from gslb.config.report import Report
    from gslb.model.pool_graph import PoolGraph
    from gslb.model.site import SteeredName

Rows = list[tuple[int, str, int]]
"""What stands at an owner name: (type, file, line)."""

_ADDRESSES = frozenset({A, AAAA})
_BESIDE_CNAME = frozenset({int(dns.rdatatype.RRSIG), int(dns.rdatatype.NSEC)})


def check_owner(name: SteeredName, origin: str, rows: Rows, graph: PoolGraph, report: Report) -> None:
    """Note what stands at the name, in ``rows``, and does not fit its pool."""
    alias = next((row for row in rows if row[0] == CNAME), None)
    if alias is not None:
        message = (
            f"name {quote(name.name)} is a CNAME at {Place(*alias[1:])}, beside which steering "
            "cannot answer; remove the CNAME, or steer the name it points to"
        )
        report.error("site-name-is-cname", name.place, message)
    if name.reflect is not None:
        hidden = next((row for row in rows if row[0] in _ADDRESSES), None)
        if hidden is not None:
            message = (
                f"name {quote(name.name)} has an address record at {Place(*hidden[1:])}, but answers with "
                "the addresses of whoever asks: it is never answered; remove it"
            )
            report.warning("site-reflect-hides-records", name.place, message)
    pool = graph.pools.get(name.pool)
    if pool is None or pool.name not in graph.kinds:
        return  # it has none, or an error of its own
    kinds = graph.kinds[pool.name]
    if CNAME in kinds:
        _check_cname_pool(name, origin, rows, graph, report)
    types = {rtype for rtype, _, _ in rows}
    wanted = last_resort_types(name, graph)
    if wanted and not wanted & types and CNAME not in types:
        report.findings.append(missing_last_resort(name, origin, wanted, "add last-resort records"))


def _check_cname_pool(name: SteeredName, origin: str, rows: Rows, graph: PoolGraph, report: Report) -> None:
    """A pool of names answers every type with its CNAME (RFC 1034 section 3.6.2)."""
    pool = graph.pools[name.pool]
    if name.name == origin:
        message = (
            f"name {quote(name.name)} is the apex of its zone, where no CNAME can stand, but pool "
            f"{quote(pool.name)} answers with one; steer a name below it"
        )
        report.error("site-cname-at-apex", name.place, message)
        return
    below = graph.below(pool.name)
    if any(endpoint.cname == name.name for one in below for endpoint in one.endpoints):
        message = (
            f"name {quote(name.name)} is a target of its own pool {quote(pool.name)}, which leads nowhere; "
            "name another target"
        )
        report.error("site-cname-to-itself", name.place, message)
    last_resort = _ADDRESSES if pool.when_all_down is WhenAllDown.FALLBACK else frozenset()
    hidden = next((row for row in rows if row[0] not in _BESIDE_CNAME | last_resort | {CNAME}), None)
    if hidden is not None:
        message = (
            f"name {quote(name.name)} has a {present_type(hidden[0])} record at {Place(*hidden[1:])}, but "
            f"pool {quote(pool.name)} answers every type with a CNAME: it is never answered; remove it"
        )
        report.warning("site-cname-hides-records", name.place, message)
