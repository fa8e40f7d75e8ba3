"""A site's steering as its YAML files declare it. All durations are seconds, coordinates are degrees."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Literal

from pydantic import Field

from gslb.model.checks import CheckSettings, PolicyRule
from gslb.model.declared import Declared
from gslb.model.finding import NOWHERE, Place


class Pop(Declared):
    """A site that serves users."""

    name: str
    title: str = ""
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    place: Place = NOWHERE


class Monitor(Declared):
    """How endpoints are probed. ``jitter`` is the fraction of the interval by which probes are spread."""

    name: str
    type: Literal["http", "https", "tcp"]
    port: int
    path: str = "/"
    host: str = ""
    expect_status: tuple[int, ...] = (200,)
    verify_tls: bool = True
    interval: float = 10.0
    timeout: float = 2.0
    rise: int = 2
    fall: int = 3
    jitter: float = 0.1
    place: Place = NOWHERE


class WhenAllDown(StrEnum):
    """What a pool answers when no endpoint is serving."""

    SERVE_ALL = "serve_all"
    FALLBACK = "fallback"
    NODATA = "nodata"
    SERVFAIL = "servfail"


class UnknownCounts(StrEnum):
    """How an endpoint that has not been observed yet counts."""

    UP = "up"
    DOWN = "down"


class Endpoint(Declared):
    """One address of a POP for one service. ``probe`` is where to probe it instead of ``address``:port."""

    pop: str
    address: IPv4Address | IPv6Address
    weight: int = 100
    probe: str = ""
    place: Place = NOWHERE


class Pool(Declared):
    """The endpoints that may answer a name."""

    name: str
    endpoints: tuple[Endpoint, ...]
    monitor: str = ""
    when_all_down: WhenAllDown = WhenAllDown.SERVE_ALL
    unknown_counts: UnknownCounts = UnknownCounts.UP
    place: Place = NOWHERE


class LocationKind(StrEnum):
    """What a location selector looks at, most specific first."""

    SUBNET = "subnet"
    ASN = "asn"
    SUBDIVISION = "subdivision"
    COUNTRY = "country"
    CONTINENT = "continent"
    DEFAULT = "default"


class Mode(StrEnum):
    """Whether POPs that a step does not list come last (``prefer``) or drop out (``fence``)."""

    PREFER = "prefer"
    FENCE = "fence"


class GeoRule(Declared):
    """Clients at a location prefer these POPs, best first. ``value`` is empty for the default."""

    kind: LocationKind
    value: str = ""
    pops: tuple[str, ...]
    place: Place = NOWHERE


class GeoStep(Declared):
    """Order by location rules; the most specific matching rule decides."""

    step: Literal["geo"] = "geo"
    rules: tuple[GeoRule, ...]
    mode: Mode = Mode.PREFER


class LatencyStep(Declared):
    """Order by the measured latency table; POPs without a measurement come last."""

    step: Literal["latency"] = "latency"


class DistanceStep(Declared):
    """Order by great-circle distance between the client's location and the POP."""

    step: Literal["distance"] = "distance"


class FailoverStep(Declared):
    """Order by declared tiers of POPs."""

    step: Literal["failover"] = "failover"
    tiers: tuple[tuple[str, ...], ...]
    mode: Mode = Mode.PREFER


class WeightedStep(Declared):
    """Order each group of equals at random, in proportion to endpoint weights."""

    step: Literal["weighted"] = "weighted"


class TakeStep(Declared):
    """Keep the first ``count`` serving endpoints, from then on as equals."""

    step: Literal["take"] = "take"
    count: Annotated[int, Field(ge=1, le=32)]


Step = Annotated[
    GeoStep | LatencyStep | DistanceStep | FailoverStep | WeightedStep | TakeStep,
    Field(discriminator="step"),
]


class Policy(Declared):
    """The ordered steps that choose among a pool for a client."""

    name: str
    steps: tuple[Step, ...]
    place: Place = NOWHERE


class SteeredName(Declared):
    """An owner name that a pool and a policy answer. ``name`` is absolute, lower case, ends with a dot."""

    name: str
    pool: str
    policy: str
    ttl: Annotated[int, Field(ge=0, le=2**31 - 1)] = 30
    owner: str = ""
    place: Place = NOWHERE


class LatencyRow(Declared):
    """Measured milliseconds from clients at a location to a POP."""

    kind: LocationKind
    value: str = ""
    pop: str
    milliseconds: Annotated[float, Field(ge=0, le=60_000)]
    place: Place = NOWHERE


class Nameserver(Declared):
    """Where a recursive resolver answers, over UDP and TCP."""

    address: IPv4Address | IPv6Address
    port: Annotated[int, Field(ge=1, le=65535)] = 53


class ResolverSettings(Declared):
    """How ALIAS targets that no zone here holds are resolved.

    ``min_ttl`` and ``max_ttl`` are the floor and ceiling of what is answered. ``stale`` is how long data is
    served on after it expired, when no name server answers (RFC 8767).
    """

    nameservers: Annotated[tuple[Nameserver, ...], Field(min_length=1)]
    timeout: float = 2.0
    min_ttl: Annotated[int, Field(ge=1)] = 30
    max_ttl: int = 3600
    stale: float = 86_400.0
    place: Place = NOWHERE


class SteeringConfig(Declared):
    """All that a site's YAML files declare, names resolved and checked.

    ``broken_names`` are names with errors, for checks of the zones; a site that has any is never served.
    """

    pops: tuple[Pop, ...] = ()
    monitors: tuple[Monitor, ...] = ()
    pools: tuple[Pool, ...] = ()
    policies: tuple[Policy, ...] = ()
    names: tuple[SteeredName, ...] = ()
    broken_names: tuple[SteeredName, ...] = ()
    databases: tuple[str, ...] = ()
    latency: tuple[LatencyRow, ...] = ()
    checks: CheckSettings = CheckSettings()
    rules: tuple[PolicyRule, ...] = ()
    resolver: ResolverSettings | None = None
