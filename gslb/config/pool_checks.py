"""Checks of pools: what they hold, what they need, and how names and policies fit them."""

from __future__ import annotations

from collections import Counter
from itertools import chain, takewhile
from typing import TYPE_CHECKING

from gslb.config.rdata import present_type
from gslb.config.wording import count, quote
from gslb.model.pool_graph import MAXIMUM_DEPTH, MAXIMUM_POOLS_BELOW, PoolGraph, pools_that_answer
from gslb.model.site import (
    AAAA,
    CNAME,
    A,
    Count,
    DistanceStep,
    FailoverStep,
    GeoStep,
    LatencyStep,
    Mode,
    SamePopStep,
    ShuffleStep,
    StickyStep,
    TakeStep,
    UnknownCounts,
    WeightedStep,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from gslb.config.declared import Declared
    from gslb.model.finding import Place
    from gslb.model.site import Pool, Step

MAXIMUM_ANSWERED = 64
"""Most endpoints of an answer: CAPACITY in dataplane/core/src/steer/selection.rs."""

UNITS_SHOWN = 5

_DRAWING = (WeightedStep, StickyStep, ShuffleStep)
_ORDERING = (GeoStep, LatencyStep, DistanceStep, FailoverStep)
_FAMILIES = {A: "IPv4", AAAA: "IPv6"}


def check_pools(declared: Declared, graph: PoolGraph) -> None:
    """Run every check; findings go to the report."""
    _check_membership(declared, graph)
    for pool in graph.order:
        _check_kinds(pool, declared, graph)
        _check_min_healthy(pool, declared, graph)
    for pool in declared.pools:
        if not pool.members:
            _check_monitor(pool, declared)
    _check_never_answered(declared, graph)
    _check_fences(declared, graph)
    _check_when_all_down(declared)
    _check_names(declared, graph)


def _check_membership(declared: Declared, graph: PoolGraph) -> None:
    for way in graph.cycles():
        message = (
            f"pool {quote(way[0])} holds itself: {', '.join(way[:-1])} and again {way[-1]}; take one out of "
            "the next"
        )
        declared.report.error("site-pool-cycle", graph.pools[way[0]].place, message)
    for pool in graph.order:
        if graph.depth[pool.name] == MAXIMUM_DEPTH + 1:
            message = (
                f"pool {quote(pool.name)} holds pools within pools, more than {MAXIMUM_DEPTH} from top to "
                "bottom; leave some out"
            )
            declared.report.error("site-pool-too-deep", pool.place, message)
        below = max((graph.size[member] for member in graph.members[pool.name]), default=0)
        if graph.size[pool.name] > MAXIMUM_POOLS_BELOW >= below:
            message = (
                f"pool {quote(pool.name)} holds {graph.size[pool.name]:,} pools at all depths, itself and "
                f"each as often as it is a member; at most {MAXIMUM_POOLS_BELOW:,} are possible"
            )
            declared.report.error("site-too-many", pool.place, message)


def _check_kinds(pool: Pool, declared: Declared, graph: PoolGraph) -> None:
    """A CNAME stands alone (RFC 1034 section 3.6.2), so a tree of pools has nothing else or none."""
    kinds = graph.kinds[pool.name]
    below = [graph.kinds[member] for member in graph.members[pool.name]]
    if CNAME in kinds and len(kinds) > 1 and not any(CNAME in one and len(one) > 1 for one in below):
        message = (
            f"pool {quote(pool.name)} holds pools with and without a cname, but a CNAME stands alone; give "
            "one kind a pool of its own"
        )
        declared.report.error("site-mixed-pool", pool.place, message)


def _check_min_healthy(pool: Pool, declared: Declared, graph: PoolGraph) -> None:
    noun = "pool" if pool.members else "endpoint"
    if len(graph.members[pool.name]) < len(pool.members):
        return  # one that is not known may have any kind
    for kind in sorted(graph.kinds[pool.name]):
        need = pool.min_healthy.of(kind)
        if not isinstance(need, Count):
            continue
        if pool.members:
            there = sum(kind in graph.kinds[member] for member in graph.members[pool.name])
        else:
            there = sum(kind in endpoint.kinds for endpoint in pool.endpoints)
        if there < need.count:
            family = _FAMILIES.get(kind, present_type(kind))
            message = (
                f"pool {quote(pool.name)} needs min_healthy: {need.count}, but has only {count(there, noun)} "
                f"with {family}, so it could never be available; lower it, or give it by address family"
            )
            declared.report.error("site-min-healthy-never-met", pool.place, message)


def _check_monitor(pool: Pool, declared: Declared) -> None:
    report = declared.report
    what = f"pool {quote(pool.name)}"
    if not pool.monitors and pool.unknown_counts is UnknownCounts.DOWN:
        message = (
            f"{what} has no monitor, so its endpoints stay unknown, and unknown_counts: down makes them "
            "all down; give it a monitor, or unknown_counts: up"
        )
        report.warning("site-pool-always-down", pool.place, message)
    elif not pool.monitors:
        message = f"{what} has no monitor; its endpoints are never probed and count as up"
        report.info("site-pool-without-monitor", pool.place, message)


def _check_never_answered(declared: Declared, graph: PoolGraph) -> None:
    """Equals beyond what an answer holds: without a step that draws, always the same are left out."""
    policies = {policy.name: policy.steps for policy in declared.policies}
    uses = [(name.pool, name.policy) for name in declared.names]
    uses += [(member.pool, "") for pool in declared.pools for member in pool.members]
    for pool_name, own in dict.fromkeys(uses):
        pool = graph.pools.get(pool_name)
        policy = own or (pool.policy if pool else "")
        if pool is None or pool.members or (policy and policy not in policies):
            continue
        steps = list(takewhile(lambda step: not isinstance(step, TakeStep), policies.get(policy, ())))
        if any(isinstance(step, _DRAWING) for step in steps):
            continue
        is_ordered = any(isinstance(step, _ORDERING) for step in steps)
        # Where POPs are ordered, the endpoints of one are still equals.
        groups = Counter(
            (kind, endpoint.pop if is_ordered else "")
            for endpoint in pool.endpoints
            for kind in endpoint.kinds
        )
        for (kind, pop), number in groups.items():
            if number > MAXIMUM_ANSWERED:
                where = f" in POP {quote(pop)}" if pop else ""
                by = f" by policy {quote(policy)}" if policy else ""
                message = (
                    f"pool {quote(pool.name)} has {number} endpoints with "
                    f"{_FAMILIES.get(kind, present_type(kind))}{where} that are equals{by}, and an answer "
                    f"holds {MAXIMUM_ANSWERED}: always the same are left out; add a step that draws, such as "
                    "shuffle"
                )
                declared.report.warning("site-endpoints-never-answered", pool.place, message)
                break


def _check_fences(declared: Declared, graph: PoolGraph) -> None:
    """Fences that together leave nothing of a pool, whoever asks."""
    policies = {policy.name: policy for policy in declared.policies}
    known = declared.names_of("pop").keys() | declared.names_of("pool").keys()
    uses = [(name.pool, name.policy) for name in declared.names]
    uses += [(member.pool, "") for pool in declared.pools for member in pool.members]
    told = set()
    for pool_name, own in dict.fromkeys(uses):
        pool = graph.pools.get(pool_name)
        policy = policies.get(own or pool.policy) if pool else None
        if pool is None or policy is None or (pool_name, policy.name) in told:
            continue
        told.add((pool_name, policy.name))
        units = {member.pool for member in pool.members} | {endpoint.pop for endpoint in pool.endpoints}
        left = units
        for step in policy.steps:
            passing = _fenced_in(step)
            if passing is None or not passing <= known:
                continue
            left = left & passing
            if not left:
                message = (
                    f"policy {quote(policy.name)} leaves nothing of pool {quote(pool_name)}, so nobody is "
                    f"answered with it: its {step.step} has mode: fence and lists {_some(passing)}, the pool "
                    f"has {_some(units)}; list units of the pool, or use mode: prefer"
                )
                declared.report.warning("site-fence-lets-nothing-pass", policy.place, message)
                break


def _fenced_in(step: Step) -> frozenset[str] | None:
    """All units that a step ever lets pass, or ``None`` where it lets every unit pass for some clients."""
    if isinstance(step, FailoverStep) and step.mode is Mode.FENCE:
        return frozenset(chain.from_iterable(step.tiers))
    # An asn or subnet step does nothing for clients that no rule is for.
    if isinstance(step, GeoStep) and step.mode is Mode.FENCE and step.step == "geo":
        return frozenset(unit for rule in step.rules for unit in rule.units)
    return None


def _some(units: Collection[str]) -> str:
    shown = ", ".join(sorted(units)[:UNITS_SHOWN])
    more = len(units) - UNITS_SHOWN
    return f"{shown} and {count(more, 'more', 'more')}" if more > 0 else shown


def _check_when_all_down(declared: Declared) -> None:
    answering = {pool.name for pool in pools_that_answer(declared.pools, declared.names)}
    for pool in declared.pools:
        what = f"pool {quote(pool.name)}"
        is_set = "when_all_down" in pool.model_fields_set
        if pool.name in answering and not is_set:
            message = f"{what} does not declare when_all_down; the default {pool.when_all_down} holds"
            declared.report.info("site-when-all-down-default", pool.place, message)
        elif pool.name not in answering and is_set and "name" not in declared.unread:
            message = (
                f"when_all_down of {what} has no effect: no name uses it itself, and that of the pool that a "
                "name uses decides"
            )
            declared.report.info("site-when-all-down-of-member", pool.place, message)


def _check_names(declared: Declared, graph: PoolGraph) -> None:
    """A policy for every name, and one that its pool can follow."""
    same_pop = {
        policy.name
        for policy in declared.policies
        if any(isinstance(step, SamePopStep) for step in policy.steps)
    }
    for name in declared.names:
        pool = graph.pools.get(name.pool)
        if pool is None:
            continue
        what = f"name {quote(name.name)}"
        policy = name.policy or pool.policy
        if not policy:
            message = f"{what} lacks the key 'policy', and its pool {quote(pool.name)} has none either"
            declared.report.error("site-missing-key", name.place, message)
        elif pool.members and policy in same_pop and name.policy:
            _report_same_pop(what, name.place, pool, policy, declared)
    for pool in declared.pools:
        if pool.members and pool.policy in same_pop:
            _report_same_pop(f"pool {quote(pool.name)}", pool.place, pool, pool.policy, declared)


def _report_same_pop(what: str, place: Place, pool: Pool, policy: str, declared: Declared) -> None:
    message = (
        f"{what} uses policy {quote(policy)}, whose step same_pop needs endpoints, but pool "
        f"{quote(pool.name)} holds pools; use it as the policy of these"
    )
    declared.report.error("site-same-pop", place, message)
