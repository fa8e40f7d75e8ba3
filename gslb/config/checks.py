"""Checks across declarations: references, what nothing uses, and what cannot work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.config.latency import report_duplicate_rows
from gslb.config.wording import did_you_mean, quote
from gslb.model.site import DistanceStep, GeoStep, LatencyStep, LocationKind, UnknownCounts

if TYPE_CHECKING:
    from gslb.config.declared import Declared
    from gslb.model.site import Pool


def check_declared(declared: Declared) -> None:
    """Run every check; findings go to the report."""
    _check_references(declared)
    _check_unused(declared)
    for pool in declared.pools:
        _check_pool(pool, declared)
    _check_steps(declared)
    report_duplicate_rows(declared.latency, declared.report)


def _check_references(declared: Declared) -> None:
    for kind, name, place, referrer in declared.references:
        known = declared.names_of(kind)
        if name not in known and (kind, name) not in declared.misnamed:
            hint = did_you_mean(name, known)
            message = f"{referrer} refers to {kind} {quote(name)}, which is not defined{hint}"
            declared.report.error(f"site-unknown-{kind}", place, message)


def _check_unused(declared: Declared) -> None:
    used = {
        "pop": {endpoint.pop for pool in declared.pools for endpoint in pool.endpoints},
        "monitor": {pool.monitor for pool in declared.pools},
        "pool": {name.pool for name in declared.names},
        "policy": {name.policy for name in declared.names},
    }
    users = {"pop": "pool", "monitor": "pool", "pool": "name", "policy": "name"}
    for kind, names in used.items():
        user = users[kind]
        if user in declared.unread:
            continue  # a user that could not be read may use any of them
        for name, place in declared.names_of(kind).items():
            if name not in names:
                message = f"no {user} uses {kind} {quote(name)}"
                declared.report.warning(f"site-unused-{kind}", place, message)


def _check_pool(pool: Pool, declared: Declared) -> None:
    report = declared.report
    what = f"pool {quote(pool.name)}"
    if "when_all_down" not in pool.model_fields_set:
        message = f"{what} does not declare when_all_down; the default {pool.when_all_down} holds"
        report.info("site-when-all-down-default", pool.place, message)
    if not pool.monitor and pool.unknown_counts is UnknownCounts.DOWN:
        message = (
            f"{what} has no monitor, so its endpoints stay unknown, and unknown_counts: down makes them "
            "all down; give it a monitor, or unknown_counts: up"
        )
        report.warning("site-pool-always-down", pool.place, message)
    elif not pool.monitor:
        message = f"{what} has no monitor; its endpoints are never probed and count as up"
        report.info("site-pool-without-monitor", pool.place, message)


def _check_steps(declared: Declared) -> None:
    """Steps that lack the data they look at."""
    report = declared.report
    names_database = declared.databases or "database" in declared.unread
    has_rows = declared.latency or "latency" in declared.unread
    for policy in declared.policies:
        what = f"policy {quote(policy.name)}"
        if not names_database and any(map(_needs_database, policy.steps)):
            message = f"{what} looks at clients' locations, but the site names no geo database"
            report.warning("site-geo-without-database", policy.place, message)
        if not has_rows and any(isinstance(step, LatencyStep) for step in policy.steps):
            message = f"{what} orders by latency, but no latency table has rows yet"
            report.warning("site-latency-without-table", policy.place, message)
    _check_coordinates(declared)


def _needs_database(step: object) -> bool:
    if isinstance(step, GeoStep):
        return any(rule.kind not in (LocationKind.SUBNET, LocationKind.DEFAULT) for rule in step.rules)
    return isinstance(step, DistanceStep)


def _check_coordinates(declared: Declared) -> None:
    by_distance = {
        policy.name
        for policy in declared.policies
        if any(isinstance(step, DistanceStep) for step in policy.steps)
    }
    pools = {name.pool for name in declared.names if name.policy in by_distance}
    pops = {endpoint.pop for pool in declared.pools if pool.name in pools for endpoint in pool.endpoints}
    for pop in declared.pops:
        if pop.latitude is None and pop.name in pops:
            message = f"POP {quote(pop.name)} has no coordinates, so a distance step always puts it last"
            declared.report.warning("site-pop-without-coordinates", pop.place, message)
