"""``SteeringConfig`` to the JSON document that ``_dataplane.Steering.compile`` takes.

POPs, pools, policies and names are numbered by their order in the config. Endpoints are numbered over all
pools: the endpoints of the first pool in their order, then those of the second, and so on. Verdicts use these
numbers. Units, which policies speak of, are numbered POPs first: POP *i* is *i*, pool *j* is *j* + the number
of POPs::

    {"databases": ["/srv/geo/city.mmdb"],
     "overrides": [{"network": "192.0.2.0/24", "continent": null, "country": "DE", "subdivision": "DE-HE",
                    "asn": 64500, "latitude": 50.1, "longitude": 8.7, "file": "overrides.csv", "line": 2}],
     "pops": [{"name": "fra", "latitude": 50.1, "longitude": 8.7}],
     "pools": [{"name": "eu", "when_all_down": "serve_all", "policy": 0,
                "min_healthy": {"ipv4": {"count": 2}, "ipv6": {"fraction": 0.5}},
                "endpoints": [
                    {"pop": 0, "address": "192.0.2.1", "weight": 100, "file": "pools.yaml", "line": 5},
                    {"pop": 0, "cname": "cdn.example.", "weight": 70, …},
                    {"pop": 0, "records": [{"type": 16, "rdata": ["0568656c6c6f"]}], …}],
                "members": [], "file": "pools.yaml", "line": 3},
               {"name": "world", …, "endpoints": [], "members": [{"pool": 0, "weight": 50}], …}],
     "policies": [{"name": "near", "file": "steering.yaml", "line": 9, "steps": [
         {"step": "geo", "mode": "prefer", "rules": [
             {"kind": "country", "value": "DE", "units": [0, 2], "file": "steering.yaml", "line": 10}]},
         {"step": "failover", "mode": "prefer", "tiers": [[0], [1]]},
         {"step": "latency", "tolerance": {"milliseconds": 5.0}}, {"step": "distance", "bias": [[0, -500.0]]},
         {"step": "weighted"}, {"step": "sticky", "ipv4": 24, "ipv6": 56},
         {"step": "shed", "low": 0.7, "high": 0.95}, {"step": "take", "count": 2}, {"step": "shuffle"},
         {"step": "same_pop"}]}],
     "names": [{"name": "www.example.com.", "pool": 0, "policy": 0, "ttl": 60, "min_ttl": 10,
                "client_subnet": true, "owner": "web team", "file": "steering.yaml", "line": 20},
               {"name": "whoami.example.com.", "reflect": "best", "ttl": 5, …}],
     "latency": [{"kind": "country", "value": "DE", "pop": 0, "milliseconds": 12.5}]}

The steps ``asn`` and ``subnet`` look like ``geo``. ``latitude`` and ``longitude`` are null for a POP without
coordinates, ``policy`` is null for none, and what an override leaves to the databases is null. A need that
``min_healthy`` lacks is one; a tolerance or a target that there is not is left out. AS numbers of rules are
decimal text; RDATA is hexadecimal.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, assert_never

from gslb.model.site import (
    DistanceStep,
    FailoverStep,
    GeoStep,
    LatencyStep,
    SamePopStep,
    ShedStep,
    ShuffleStep,
    StickyStep,
    TakeStep,
    WeightedStep,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gslb.model.finding import Place
    from gslb.model.site import (
        Endpoint,
        GeoOverride,
        LatencyRow,
        Policy,
        Pool,
        Pop,
        SteeredName,
        SteeringConfig,
        Step,
    )

Numbers = dict[str, int]
"""Name to number."""


def steering_document(config: SteeringConfig, latency: Iterable[LatencyRow] | None = None) -> str:
    """The document for ``config``, whose references must be sound, as ``load_site`` checks them.

    ``latency`` replaces the config's own latency rows. Raises KeyError for a reference that leads nowhere.
    """
    pops = _number(config.pops)
    pools = _number(config.pools)
    policies = _number(config.policies)
    units = {**{name: len(pops) + number for name, number in pools.items()}, **pops}
    rows = config.latency if latency is None else latency
    document: dict[str, list[Any]] = {
        "databases": list(config.databases),
        "overrides": [_override(override) for override in config.overrides],
        "pops": [
            {"name": pop.name, "latitude": pop.latitude, "longitude": pop.longitude} for pop in config.pops
        ],
        "pools": [_pool(pool, pops, pools, policies) for pool in config.pools],
        "policies": [_policy(policy, units) for policy in config.policies],
        "names": [_name(name, pools, policies) for name in config.names],
        "latency": [
            {
                "kind": row.kind.value,
                "value": row.value,
                "pop": pops[row.pop],
                "milliseconds": row.milliseconds,
            }
            for row in rows
        ],
    }
    return (
        "{" + ",".join(f"{_json(key)}:[{','.join(map(_json, rows))}]" for key, rows in document.items()) + "}"
    )


def _json(value: object) -> str:
    # Never all at once: to write all endpoints in one go holds up the event loop, whatever thread does it.
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def numbered_endpoints(config: SteeringConfig) -> Iterator[tuple[int, Pool, Endpoint]]:
    """Every endpoint with its number, in order."""
    pairs = ((pool, endpoint) for pool in config.pools for endpoint in pool.endpoints)
    for number, (pool, endpoint) in enumerate(pairs):
        yield number, pool, endpoint


def _number(named: Iterable[Pop | Pool | Policy]) -> Numbers:
    return {item.name: number for number, item in enumerate(named)}


def _place(place: Place) -> dict[str, str | int]:
    return {"file": place.file, "line": place.line}


def _override(override: GeoOverride) -> dict[str, Any]:
    return {**override.model_dump(exclude={"place"}), **_place(override.place)}


def _pool(pool: Pool, pops: Numbers, pools: Numbers, policies: Numbers) -> dict[str, Any]:
    return {
        "name": pool.name,
        "when_all_down": pool.when_all_down.value,
        "policy": policies[pool.policy] if pool.policy else None,
        "min_healthy": pool.min_healthy.model_dump(exclude_none=True),
        "endpoints": [_endpoint(endpoint, pops) for endpoint in pool.endpoints],
        "members": [{"pool": pools[member.pool], "weight": member.weight} for member in pool.members],
        **_place(pool.place),
    }


def _endpoint(endpoint: Endpoint, pops: Numbers) -> dict[str, Any]:
    entry: dict[str, Any] = {"pop": pops[endpoint.pop], "weight": endpoint.weight}
    if endpoint.address is not None:
        entry["address"] = str(endpoint.address)
    if endpoint.cname:
        entry["cname"] = endpoint.cname
    if endpoint.records:
        entry["records"] = [
            {"type": rrset.rtype, "rdata": [rdata.hex() for rdata in rrset.rdata]}
            for rrset in endpoint.records
        ]
    return {**entry, **_place(endpoint.place)}


def _policy(policy: Policy, units: Numbers) -> dict[str, Any]:
    return {
        "name": policy.name,
        "steps": [{"step": step.step, **_settings(step, units)} for step in policy.steps],
        **_place(policy.place),
    }


def _settings(step: Step, units: Numbers) -> dict[str, Any]:
    match step:
        case GeoStep():
            rules = [
                {
                    "kind": rule.kind.value,
                    "value": rule.value,
                    "units": [units[unit] for unit in rule.units],
                    **_place(rule.place),
                }
                for rule in step.rules
            ]
            return {"mode": step.mode.value, "rules": rules}
        case FailoverStep():
            tiers = [[units[unit] for unit in tier] for tier in step.tiers]
            return {"mode": step.mode.value, "tiers": tiers}
        case LatencyStep():
            return {} if step.tolerance is None else {"tolerance": step.tolerance.model_dump()}
        case DistanceStep():
            return {"bias": [[units[unit], kilometres] for unit, kilometres in step.bias]}
        case StickyStep() | ShedStep() | TakeStep():
            return step.model_dump(exclude={"step"})
        case WeightedStep() | ShuffleStep() | SamePopStep():
            return {}
        case _ as unknown:
            assert_never(unknown)


def _name(name: SteeredName, pools: Numbers, policies: Numbers) -> dict[str, Any]:
    if name.reflect is None:
        answer: dict[str, Any] = {
            "pool": pools[name.pool],
            "policy": policies[name.policy] if name.policy else None,
        }
    else:
        answer = {"reflect": name.reflect.value}
    return {
        "name": name.name,
        **answer,
        "ttl": name.ttl,
        "min_ttl": name.ttl if name.least_ttl is None else name.least_ttl,
        "client_subnet": name.client_subnet,
        "owner": name.owner,
        **_place(name.place),
    }
