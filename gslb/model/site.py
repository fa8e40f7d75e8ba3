"""A site's steering as its YAML files declare it. All durations are seconds, coordinates are degrees."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Literal

from pydantic import Field

from gslb.model.checks import CheckSettings, PolicyRule
from gslb.model.declared import Declared
from gslb.model.finding import NOWHERE, Place

A = 1
AAAA = 28
CNAME = 5
"""Numbers of RR types (RFC 1035 section 3.2.2, RFC 3596)."""


class Pop(Declared):
    """A site that serves users. ``capacity`` is in queries a second for steered names, if it is known."""

    name: str
    title: str = ""
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    capacity: Annotated[float, Field(gt=0)] | None = None
    place: Place = NOWHERE


class Monitor(Declared):
    """How endpoints are probed. ``jitter`` is the fraction of the interval by which probes are spread.

    ``command`` is a program, absolute, and its arguments. ``file`` is the absolute path of a file with
    states, ``missing`` what that says of those that it lacks.
    """

    name: str
    type: Literal["http", "https", "tcp", "command", "file"]
    port: int = 0
    command: tuple[str, ...] = ()
    file: str = ""
    missing: Literal["up", "down", "unknown"] = "unknown"
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

    @property
    def connects(self) -> bool:
        """Whether it connects to a port of what it probes."""
        return self.type not in {"command", "file"}


class WhenAllDown(StrEnum):
    """What a name answers when its pool is not available."""

    SERVE_ALL = "serve_all"
    LAST_GOOD = "last_good"
    FALLBACK = "fallback"
    NODATA = "nodata"
    SERVFAIL = "servfail"


class UnknownCounts(StrEnum):
    """How an endpoint that has not been observed yet counts."""

    UP = "up"
    DOWN = "down"

    __hash__ = str.__hash__  # an enumeration's own is Python, and it is looked up for each of many endpoints


class DeclaredRRset(Declared):
    """Records of one type that an endpoint declares; ``rdata`` is in wire format, names uncompressed."""

    rtype: int
    rdata: tuple[bytes, ...]


class Endpoint(Declared):
    """One address or name of a POP for one service.

    It has a ``cname`` (absolute, lower case, with a final dot), or an ``address``, ``records``, or both of
    these. ``probe`` is where to probe it instead of ``address``:port; without a port it
    leaves each monitor its own.
    """

    pop: str
    address: IPv4Address | IPv6Address | None = None
    cname: str = ""
    records: tuple[DeclaredRRset, ...] = ()
    weight: int = 100
    probe: str = ""
    place: Place = NOWHERE

    @property
    def kinds(self) -> tuple[int, ...]:
        """The RR types that it can answer."""
        if self.cname:
            return (CNAME,)
        own = () if self.address is None else (A if self.address.version == 4 else AAAA,)
        return (*own, *(rrset.rtype for rrset in self.records))


class Member(Declared):
    """A pool within a pool, and its share in a weighted step."""

    pool: str
    weight: int = 100
    place: Place = NOWHERE


class Count(Declared):
    """A number of endpoints, or of member pools."""

    count: Annotated[int, Field(ge=1)]


class Fraction(Declared):
    """A share of the endpoints, or of the member pools."""

    fraction: Annotated[float, Field(gt=0, le=1)]


class MinHealthy(Declared):
    """What must serve for a pool to be available; a need that is ``None`` is one.

    ``other`` is for CNAME and for the types of declared records, each by itself.
    """

    ipv4: Count | Fraction | None = None
    ipv6: Count | Fraction | None = None
    other: Count | Fraction | None = None

    def of(self, kind: int) -> Count | Fraction | None:
        """The need of an RR type."""
        return {A: self.ipv4, AAAA: self.ipv6}.get(kind, self.other)


class Pool(Declared):
    """What may answer a name: ``endpoints``, or ``members`` that are pools, never both.

    ``policy`` chooses within the pool where it is a member, and for names that give none themselves. An
    endpoint is up only while all ``monitors`` say so.
    """

    name: str
    endpoints: tuple[Endpoint, ...] = ()
    members: tuple[Member, ...] = ()
    monitors: tuple[str, ...] = ()
    policy: str = ""
    min_healthy: MinHealthy = MinHealthy.model_construct()
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
    """Whether units that a step does not list come last (``prefer``) or drop out (``fence``)."""

    PREFER = "prefer"
    FENCE = "fence"


class Milliseconds(Declared):
    """A difference in time."""

    milliseconds: float


class Percent(Declared):
    """A difference in percent: of the best measurement, or of the one in effect."""

    percent: float


class GeoRule(Declared):
    """Clients at a location prefer these units, best first. ``value`` is empty for the default."""

    kind: LocationKind
    value: str = ""
    units: tuple[str, ...]
    place: Place = NOWHERE


class GeoStep(Declared):
    """Order by location rules; the most specific matching rule decides.

    ``asn`` and ``subnet`` have rules of that one kind; for clients that none is for they do nothing.
    """

    step: Literal["geo", "asn", "subnet"] = "geo"
    rules: tuple[GeoRule, ...]
    mode: Mode = Mode.PREFER


class LatencyStep(Declared):
    """Order by the measured latency table; units without a measurement come last.

    Within ``tolerance`` of the best, measurements are equal.
    """

    step: Literal["latency"] = "latency"
    tolerance: Milliseconds | Percent | None = None


class DistanceStep(Declared):
    """Order by great-circle distance from the client to the unit, plus ``bias``: (unit, kilometres)."""

    step: Literal["distance"] = "distance"
    bias: tuple[tuple[str, float], ...] = ()


class FailoverStep(Declared):
    """Order by declared tiers of units."""

    step: Literal["failover"] = "failover"
    tiers: tuple[tuple[str, ...], ...]
    mode: Mode = Mode.PREFER


class WeightedStep(Declared):
    """Order each group of equals at random, in proportion to weights; weight 0 comes after all others."""

    step: Literal["weighted"] = "weighted"


class StickyStep(Declared):
    """Order each group of equals by weight and the client's prefix, whose bits are given by family.

    Weight 0 comes after all others.
    """

    step: Literal["sticky"] = "sticky"
    ipv4: Annotated[int, Field(ge=1, le=32)] = 24
    ipv6: Annotated[int, Field(ge=1, le=128)] = 56


class ShedStep(Declared):
    """Put a unit last with a probability that rises from 0 at load ``low`` to 1 at load ``high``."""

    step: Literal["shed"] = "shed"
    low: float
    high: float


class TakeStep(Declared):
    """Keep the first ``count``, from then on as equals."""

    step: Literal["take"] = "take"
    count: Annotated[int, Field(ge=1, le=32)]


class ShuffleStep(Declared):
    """Put each group of equals in random order; they stay equals."""

    step: Literal["shuffle"] = "shuffle"


class SamePopStep(Declared):
    """Send A and AAAA queries of a client to the same POP, while one serves both."""

    step: Literal["same_pop"] = "same_pop"


Step = Annotated[
    GeoStep
    | LatencyStep
    | DistanceStep
    | FailoverStep
    | WeightedStep
    | StickyStep
    | ShedStep
    | TakeStep
    | ShuffleStep
    | SamePopStep,
    Field(discriminator="step"),
]


class Policy(Declared):
    """The ordered steps that choose among a pool for a client.

    They speak of units: POPs in a pool of endpoints, member pools in a pool of pools.
    """

    name: str
    steps: tuple[Step, ...]
    place: Place = NOWHERE


class Reflect(StrEnum):
    """Which addresses of whoever asks a name answers with: the resolver's, the client subnet's.

    ``best`` is the client subnet's if one was sent, else the resolver's.
    """

    DNS = "dns"
    EDNS = "edns"
    BEST = "best"
    BOTH = "both"


class SteeredName(Declared):
    """An owner name that a pool answers. ``name`` is absolute, lower case, ends with a dot.

    A name that answers with the addresses of whoever asks has ``reflect``, and no pool and no policy.

    Without a ``policy`` that of the pool holds. The TTL shrinks from ``ttl`` to ``least_ttl`` as endpoints go
    down; ``None`` is no shrinking. Without ``client_subnet`` the resolver's own address decides.
    """

    name: str
    pool: str = ""
    policy: str = ""
    reflect: Reflect | None = None
    ttl: Annotated[int, Field(ge=0, le=2**31 - 1)] = 30
    least_ttl: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    client_subnet: bool = True
    owner: str = ""
    place: Place = NOWHERE


class LatencyRow(Declared):
    """Measured milliseconds from clients at a location to a POP."""

    kind: LocationKind
    value: str = ""
    pop: str
    milliseconds: Annotated[float, Field(ge=0, le=60_000)]
    place: Place = NOWHERE


class GeoOverride(Declared):
    """What an operator says of a network, over what the databases say; ``None`` leaves it to them."""

    network: str
    continent: str | None = None
    country: str | None = None
    subdivision: str | None = None
    asn: int | None = None
    latitude: float | None = None
    longitude: float | None = None
    place: Place = NOWHERE


class LoadSettings(Declared):
    """How reported loads of POPs count. ``max_age`` is seconds, after which a load is unknown.

    A load falls only by more than ``hysteresis`` at once; it rises freely.
    """

    hysteresis: float = 0.05
    max_age: float = 60.0
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
    overrides: tuple[GeoOverride, ...] = ()
    table_files: tuple[str, ...] = ()
    latency: tuple[LatencyRow, ...] = ()
    latency_hysteresis: Milliseconds | Percent | None = None
    load: LoadSettings = LoadSettings.model_construct()
    checks: CheckSettings = CheckSettings.model_construct()
    rules: tuple[PolicyRule, ...] = ()
    resolver: ResolverSettings | None = None
