"""Steering documents written by hand: what a test does not say gets a plain value."""

from __future__ import annotations

from typing import Any

PLACE = {"file": "steering.yaml", "line": 1}

Row = dict[str, Any]


def endpoint(pop: int, address: str | None = None, weight: int = 100, **rest: Any) -> Row:
    """An endpoint; ``rest`` may have its ``cname`` or ``records``."""
    return {"pop": pop, "weight": weight, **({"address": address} if address else {}), **rest, **PLACE}


def pool(*endpoints: Row, members: tuple[int | tuple[int, int], ...] = (), **rest: Any) -> Row:
    """A pool of endpoints, or of ``members``: numbers of pools, or pairs of number and weight."""
    rows = [member if isinstance(member, tuple) else (member, 100) for member in members]
    return {
        "when_all_down": "serve_all",
        "policy": None,
        "min_healthy": {},
        "endpoints": list(endpoints),
        "members": [{"pool": number, "weight": weight} for number, weight in rows],
        **rest,
    }


def rule(kind: str, value: str, *units: int) -> Row:
    """A rule of a geo step."""
    return {"kind": kind, "value": value, "units": list(units), **PLACE}


def geo(*rules: Row, mode: str = "prefer", step: str = "geo") -> Row:
    """A geo step, or ``asn`` or ``subnet``."""
    return {"step": step, "mode": mode, "rules": list(rules)}


def name(root: int, policy: int | None = None, **rest: Any) -> Row:
    """A steered name."""
    plain = {"ttl": 60, "min_ttl": 10, "client_subnet": True, "owner": ""}
    return {"pool": root, "policy": policy, **plain, **rest}


def document(
    pools: list[Row],
    policies: list[list[Row]],
    names: list[Row],
    *,
    pops: tuple[tuple[float, float] | None, ...] = (None, None, None, None),
    **rest: Any,
) -> Row:
    """The whole document. POPs are named a, b, c and so on, pools pool0 and so on."""
    return {
        "databases": [],
        "overrides": [],
        "pops": [
            {
                "name": "abcdefghijklmnopqrstuvwxyz"[number],
                "latitude": place and place[0],
                "longitude": place and place[1],
            }
            for number, place in enumerate(pops)
        ],
        "pools": [{"name": f"pool{number}", **row, **PLACE} for number, row in enumerate(pools)],
        "policies": [
            {"name": f"policy{number}", "steps": steps, **PLACE} for number, steps in enumerate(policies)
        ],
        "names": [{"name": f"n{number}.example.com.", **row, **PLACE} for number, row in enumerate(names)],
        "latency": [],
        **rest,
    }
