"""What a gdnsd configuration says, as far as a site can say it too. Durations are seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from gslb.importers.gdnsd.vscf import Hash
    from gslb.model.finding import Place

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class ServiceType:
    """How something is monitored. ``settings`` holds what belongs to the plugin."""

    name: str
    place: Place
    plugin: str
    settings: Hash
    interval: int = 10
    timeout: int = 5
    up_thresh: int = 20
    ok_thresh: int = 10
    down_thresh: int = 10


@dataclass(frozen=True, slots=True)
class Member:
    """One address or CNAME of a resource. ``weight`` is 1 but for the plugin weighted."""

    label: str
    place: Place
    target: Address | str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Family:
    """The addresses of one family, or the CNAMEs, of a resource.

    ``groups`` has one group without a name unless the plugin weighted groups its addresses.
    """

    place: Place
    groups: tuple[tuple[str, tuple[Member, ...]], ...]
    service_types: tuple[str, ...] = ("up",)
    up_thresh: float = 0.5
    ignore_health: bool = False
    multi: bool = False

    @property
    def members(self) -> tuple[Member, ...]:
        """Of all groups."""
        return tuple(member for _, members in self.groups for member in members)

    @property
    def is_grouped(self) -> bool:
        """Whether the groups are the configuration's own."""
        return self.groups[0][0] != ""


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of multifo, simplefo, weighted or static. Keys of ``families``: ipv4, ipv6, cname."""

    plugin: str
    name: str
    place: Place
    families: dict[str, Family]


@dataclass(frozen=True, slots=True)
class Reference:
    """A resource named by another, or by a zone: ``plugin!name``, ``/datacenter`` included."""

    plugin: str
    name: str
    place: Place

    def __str__(self) -> str:
        return f"{self.plugin}!{self.name}"


@dataclass(frozen=True, slots=True)
class Datacenter:
    """What a datacenter of a resource of geoip or metafo answers: a resource's addresses, or a CNAME.

    ``service_types`` are those of the CNAME; addresses have those of their resource.
    """

    name: str
    place: Place
    target: Reference | str
    service_types: tuple[str, ...] = ("up",)


def label_of(plugin: str, resource: str, datacenter: str) -> str:
    """What gdnsd calls the resource that it makes of a datacenter's addresses: gdnsd-plugin-metafo(8)."""
    return f"{plugin}_{resource}_{datacenter}"


@dataclass(frozen=True, slots=True)
class MetaResource:
    """A resource of geoip (``map`` is its map) or of metafo (its datacenters are in order).

    ``undefined`` are the datacenters of the map that it has not. ``skip_first`` is set of geoip only. Of
    metafo ``skipped`` is the datacenter that it leaves out: only ``resource/datacenter`` leads there.
    """

    plugin: str
    name: str
    place: Place
    datacenters: dict[str, Datacenter]
    map: str = ""
    skip_first: bool = False
    skipped: Datacenter | None = None
    undefined: frozenset[str] = frozenset()

    @property
    def named(self) -> dict[str, Datacenter]:
        """The datacenters that ``resource/datacenter`` may name."""
        return (
            self.datacenters
            if self.skipped is None
            else {self.skipped.name: self.skipped, **self.datacenters}
        )

    def shown_name(self, datacenter: Datacenter) -> str:
        """What the pool of a datacenter is called: as its resource, or by both if that is its own."""
        target = datacenter.target
        if isinstance(target, str) or target.name == label_of(self.plugin, self.name, datacenter.name):
            return f"{self.name}.{datacenter.name}"
        return target.name

    def choices(self, listed: tuple[str, ...]) -> tuple[str, ...]:
        """What is left of a list of the map. gdnsd looks at what is undefined before it skips the first."""
        defined = tuple(name for name in listed if name not in self.undefined)
        return defined[1:] if self.skip_first and len(defined) > 1 else defined

    def leaves_clients_out(self, map_: GeoMap) -> bool:
        """Whether its map lists no datacenters for some clients, or none that it has: they get no records."""
        return any(listed is not None and not self.choices(listed) for listed in map_.lists)


@dataclass(frozen=True, slots=True)
class MapRule:
    """Clients at a location get these datacenters, in order; ``None`` is ``auto``.

    ``kind`` and ``value`` are those of a rule of the step ``geo``.
    """

    kind: str
    value: str
    datacenters: tuple[str, ...] | None
    place: Place


@dataclass(frozen=True, slots=True)
class GeoMap:
    """A map of geoip. ``rules`` lacks the nets; ``default`` counts where no rule matches."""

    name: str
    place: Place
    datacenters: tuple[str, ...]
    rules: tuple[MapRule, ...]
    default: tuple[str, ...] | None
    nets: dict[Network, tuple[tuple[str, ...], Place]] = field(default_factory=dict)
    coordinates: dict[str, tuple[float, float]] = field(default_factory=dict)
    is_auto: bool = False
    auto_limit: int = 3
    ignore_ecs: bool = False
    database: Path | None = None
    database_place: Place | None = None

    @property
    def lists(self) -> frozenset[tuple[str, ...] | None]:
        """The datacenters that clients may get."""
        nets = (names for names, _ in self.nets.values())
        return frozenset((self.default, *(rule.datacenters for rule in self.rules), *nets))


@dataclass(frozen=True, slots=True)
class Options:
    """The global options that bear on answers."""

    zones_default_ttl: int = 86_400
    min_ttl: int = 5
    max_ttl: int = 3_600_000
    max_ncache_ttl: int = 10_800
    acme_ttl: int = 0
    client_subnet: bool = True
    state: Path | None = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """The whole. Resources are found by plugin and name."""

    options: Options
    service_types: dict[str, ServiceType]
    resources: dict[tuple[str, str], Resource]
    metas: dict[tuple[str, str], MetaResource]
    maps: dict[str, GeoMap]
