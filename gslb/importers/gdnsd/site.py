"""The site that a configuration becomes. Comments say where things are from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

_UNUSABLE = re.compile("[^A-Za-z0-9._-]+")
LONGEST_NAME = 63

Steps = list[Any]
"""Steps of a policy as YAML has them: words, and mappings of one word to its settings."""


@dataclass(slots=True)
class Pop:
    """A POP."""

    name: str
    note: str
    coordinates: tuple[float, float] | None = None


@dataclass(slots=True)
class Monitor:
    """A monitor; ``settings`` are those of the site's YAML."""

    name: str
    note: str
    settings: dict[str, Any]


@dataclass(slots=True)
class Endpoint:
    """An endpoint; ``target`` is an address, or a CNAME with a final dot; ``probe`` is probed instead."""

    pop: str
    target: str
    weight: int | None = None
    label: str = ""
    probe: str = ""


@dataclass(slots=True)
class Pool:
    """A pool of endpoints, or of pools with their weights. Keys of ``min_healthy``: ipv4, ipv6, other."""

    name: str
    note: str
    endpoints: list[Endpoint] = field(default_factory=list)
    members: list[tuple[str, int | None]] = field(default_factory=list)
    policy: str = ""
    monitors: tuple[str, ...] = ()
    is_down: bool = False
    min_healthy: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Policy:
    """A policy."""

    name: str
    note: str
    steps: Steps


@dataclass(slots=True)
class Name:
    """A steered name, absolute. ``policy`` is empty where the pool has one; with ``reflect`` both are."""

    name: str
    note: str
    ttl: int
    min_ttl: int
    pool: str = ""
    policy: str = ""
    reflect: str = ""
    client_subnet: bool = True


@dataclass(slots=True)
class Site:
    """All of it, each in the order of first use."""

    pops: dict[str, Pop] = field(default_factory=dict)
    monitors: dict[str, Monitor] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    names: list[Name] = field(default_factory=list)
    databases: list[str] = field(default_factory=list)


def fresh_name(wanted: str, *taken: dict[str, Any] | set[str]) -> str:
    """A name for a POP, pool, policy or monitor like ``wanted`` that is not taken."""
    base = _UNUSABLE.sub("-", wanted).lstrip("._-")[: LONGEST_NAME - 6] or "unnamed"
    name, number = base, 1
    while any(name in one for one in taken):
        number += 1
        name = f"{base}.{number}"
    return name
