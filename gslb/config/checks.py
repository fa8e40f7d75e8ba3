"""Checks across declarations: references, what nothing uses, and what cannot work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.config.latency import report_duplicate_rows
from gslb.config.overrides import report_duplicate_overrides
from gslb.config.pool_checks import check_pools
from gslb.config.wording import did_you_mean, quote
from gslb.model.pool_graph import PoolGraph
from gslb.model.site import DistanceStep, GeoStep, LatencyStep, LocationKind

if TYPE_CHECKING:
    from gslb.config.declared import Declared


def check_declared(declared: Declared) -> None:
    """Run every check; findings go to the report."""
    graph = PoolGraph(declared.pools)
    _check_references(declared)
    _check_units(declared)
    _check_unused(declared)
    _check_unprobed(declared)
    check_pools(declared, graph)
    _check_steps(declared)
    _check_coordinates(declared, graph)
    report_duplicate_rows(declared.latency, declared.report)
    report_duplicate_overrides(declared.overrides, declared.report)


def _check_references(declared: Declared) -> None:
    for kind, name, place, referrer in declared.references:
        known = declared.names_of(kind)
        if name not in known and (kind, name) not in declared.misnamed:
            hint = did_you_mean(name, known)
            message = f"{referrer} refers to {kind} {quote(name)}, which is not defined{hint}"
            declared.report.error(f"site-unknown-{kind}", place, message)


def _check_units(declared: Declared) -> None:
    """What policies name is a POP or a pool, and clearly one of both."""
    pops, pools, misnamed = declared.names_of("pop"), declared.names_of("pool"), declared.misnamed
    for name, place, referrer in declared.units:
        if name in pops and name in pools:
            message = (
                f"{referrer} refers to {quote(name)}, which is a POP (at {pops[name]}) and a pool (at "
                f"{pools[name]}); rename one of the two"
            )
            declared.report.error("site-ambiguous-unit", place, message)
        elif name not in pops and name not in pools and not misnamed & {("pop", name), ("pool", name)}:
            hint = did_you_mean(name, [*pops, *pools])
            message = f"{referrer} refers to POP or pool {quote(name)}, which is not defined{hint}"
            declared.report.error("site-unknown-pop", place, message)


def _check_unused(declared: Declared) -> None:
    used = {
        "pop": {endpoint.pop for pool in declared.pools for endpoint in pool.endpoints},
        "monitor": {monitor for pool in declared.pools for monitor in pool.monitors},
        "pool": {name.pool for name in declared.names}
        | {member.pool for pool in declared.pools for member in pool.members},
        "policy": {name.policy for name in declared.names} | {pool.policy for pool in declared.pools},
    }
    users = {
        "pop": ("pool",),
        "monitor": ("pool",),
        "pool": ("name", "member"),
        "policy": ("name", "member"),
    }
    for kind, names in used.items():
        if declared.unread.intersection(users[kind]):
            continue  # a user that could not be read may use any of them
        user = " or ".join("pool" if word == "member" else word for word in users[kind])
        for name, place in declared.names_of(kind).items():
            if name not in names:
                message = f"no {user} uses {kind} {quote(name)}"
                declared.report.warning(f"site-unused-{kind}", place, message)


def _check_unprobed(declared: Declared) -> None:
    """Only what connects nowhere can probe a name that nobody resolves for it."""
    connecting = {monitor.name for monitor in declared.monitors if monitor.connects}
    for one in declared.unprobed:
        if not one.has_cname or connecting.intersection(one.monitors):
            message = (
                f"{one.what} lacks the key 'probe': without an address, say what the monitor shall probe"
            )
            declared.report.error("site-missing-key", one.place, message)


def _check_steps(declared: Declared) -> None:
    """Steps that lack the data they look at."""
    report = declared.report
    names_database = declared.databases or declared.overrides or "database" in declared.unread
    has_rows = declared.latency or "latency" in declared.unread
    for policy in declared.policies:
        what = f"policy {quote(policy.name)}"
        if not names_database and any(map(_needs_database, policy.steps)):
            message = f"{what} looks at clients' locations, but the site names no geo database"
            report.warning("site-geo-without-database", policy.place, message)
        if not has_rows and any(isinstance(step, LatencyStep) for step in policy.steps):
            message = f"{what} orders by latency, but no latency table has rows yet"
            report.warning("site-latency-without-table", policy.place, message)


def _needs_database(step: object) -> bool:
    if isinstance(step, GeoStep):
        return any(rule.kind not in (LocationKind.SUBNET, LocationKind.DEFAULT) for rule in step.rules)
    return isinstance(step, DistanceStep)


def _check_coordinates(declared: Declared, graph: PoolGraph) -> None:
    by_distance = {
        policy.name
        for policy in declared.policies
        if any(isinstance(step, DistanceStep) for step in policy.steps)
    }
    ordered = {pool.name for pool in declared.pools if pool.policy in by_distance}
    ordered |= {name.pool for name in declared.names if name.policy in by_distance}
    below = {pool.name: pool for name in ordered & graph.pools.keys() for pool in graph.below(name)}
    pops = {endpoint.pop for pool in below.values() for endpoint in pool.endpoints}
    for pop in declared.pops:
        if pop.latitude is None and pop.name in pops:
            message = f"POP {quote(pop.name)} has no coordinates, so a distance step always puts it last"
            declared.report.warning("site-pop-without-coordinates", pop.place, message)
