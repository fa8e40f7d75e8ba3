"""``SteeringConfig`` to the JSON document that ``_dataplane.Steering.compile`` takes.

POPs, pools, policies and names are numbered by their order in the config. Endpoints are numbered over all
pools: the endpoints of the first pool in their order, then those of the second, and so on. Verdicts use these
numbers::

    {"databases": ["/srv/geo/city.mmdb"],
     "pops": [{"name": "fra", "latitude": 50.1, "longitude": 8.7}],
     "pools": [{"name": "web", "when_all_down": "serve_all", "file": "steering.yaml", "line": 3,
                "endpoints": [{"pop": 0, "address": "192.0.2.1", "weight": 100}]}],
     "policies": [{"name": "near", "file": "steering.yaml", "line": 9, "steps": [
         {"step": "geo", "mode": "prefer", "rules": [
             {"kind": "country", "value": "DE", "units": [0], "file": "steering.yaml", "line": 10}]},
         {"step": "failover", "mode": "prefer", "tiers": [[0], [1]]},
         {"step": "latency"}, {"step": "distance"}, {"step": "weighted"}, {"step": "take", "count": 2}]}],
     "names": [{"name": "www.example.com.", "pool": 0, "policy": 0, "ttl": 30, "owner": "web team",
                "file": "steering.yaml", "line": 20}],
     "latency": [{"kind": "country", "value": "DE", "pop": 0, "milliseconds": 12.5}]}

``latitude`` and ``longitude`` are null for a POP without coordinates. AS numbers are decimal text.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, assert_never

from gslb.model.site import DistanceStep, FailoverStep, GeoStep, LatencyStep, TakeStep, WeightedStep

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gslb.model.finding import Place
    from gslb.model.site import Endpoint, LatencyRow, Policy, Pool, Pop, SteeredName, SteeringConfig, Step

Numbers = dict[str, int]
"""Name to number."""


def steering_document(config: SteeringConfig, latency: Iterable[LatencyRow] | None = None) -> str:
    """The document for ``config``, whose references must be sound, as ``load_site`` checks them.

    ``latency`` replaces the config's own latency rows. Raises KeyError for a reference that leads nowhere.
    """
    pops = _number(config.pops)
    pools = _number(config.pools)
    policies = _number(config.policies)
    rows = config.latency if latency is None else latency
    document = {
        "databases": list(config.databases),
        "pops": [
            {"name": pop.name, "latitude": pop.latitude, "longitude": pop.longitude} for pop in config.pops
        ],
        "pools": [_pool(pool, pops) for pool in config.pools],
        "policies": [_policy(policy, pops) for policy in config.policies],
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
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def numbered_endpoints(config: SteeringConfig) -> Iterator[tuple[int, Pool, Endpoint]]:
    """Every endpoint with its number, in order."""
    number = 0
    for pool in config.pools:
        for endpoint in pool.endpoints:
            yield number, pool, endpoint
            number += 1


def _number(named: Iterable[Pop | Pool | Policy]) -> Numbers:
    return {item.name: number for number, item in enumerate(named)}


def _place(place: Place) -> dict[str, str | int]:
    return {"file": place.file, "line": place.line}


def _pool(pool: Pool, pops: Numbers) -> dict[str, Any]:
    return {
        "name": pool.name,
        "when_all_down": pool.when_all_down.value,
        "endpoints": [
            {"pop": pops[endpoint.pop], "address": str(endpoint.address), "weight": endpoint.weight}
            for endpoint in pool.endpoints
        ],
        **_place(pool.place),
    }


def _policy(policy: Policy, pops: Numbers) -> dict[str, Any]:
    return {
        "name": policy.name,
        "steps": [_step(step, pops) for step in policy.steps],
        **_place(policy.place),
    }


def _step(step: Step, pops: Numbers) -> dict[str, Any]:
    match step:
        case GeoStep():
            rules = [
                {
                    "kind": rule.kind.value,
                    "value": rule.value,
                    "units": [pops[pop] for pop in rule.pops],
                    **_place(rule.place),
                }
                for rule in step.rules
            ]
            return {"step": step.step, "mode": step.mode.value, "rules": rules}
        case FailoverStep():
            tiers = [[pops[pop] for pop in tier] for tier in step.tiers]
            return {"step": step.step, "mode": step.mode.value, "tiers": tiers}
        case TakeStep():
            return {"step": step.step, "count": step.count}
        case LatencyStep() | DistanceStep() | WeightedStep():
            return {"step": step.step}
        case _ as unknown:
            assert_never(unknown)


def _name(name: SteeredName, pools: Mapping[str, int], policies: Mapping[str, int]) -> dict[str, Any]:
    return {
        "name": name.name,
        "pool": pools[name.pool],
        "policy": policies[name.policy],
        "ttl": name.ttl,
        "owner": name.owner,
        **_place(name.place),
    }
