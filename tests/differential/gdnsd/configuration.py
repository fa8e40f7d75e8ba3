"""Random gdnsd configurations over the fixture geo databases, and the clients that ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from gslb.config.yaml import parse

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
    from pathlib import Path
    from random import Random

    Address = IPv4Address | IPv6Address
    Network = IPv4Network | IPv6Network

CONTINENTS = ("AF", "AN", "AS", "EU", "NA", "OC", "SA")
COUNTRIES = {
    "EU": ("DE", "NL", "FR", "GB", "NO"),
    "NA": ("US", "MX", "CA"),
    "AS": ("SG", "JP", "IN"),
    "OC": ("AU", "NZ", "WS"),
    "SA": ("BR",),
    "AF": ("ZA", "EG"),
}
SUBDIVISIONS = {"US": ("CA", "VA"), "DE": ("BE", "BY"), "GB": ("ENG",), "CA": ("ON",), "JP": ("13",)}
COORDINATES = ((38.9, -77.0), (50.1, 8.7), (1.3, 103.9), (-33.9, 151.2), (35.7, 139.7), (-23.5, -46.6))
NO_DATACENTERS = 0.08
"""The share of lists that are empty."""
ZONE = "example.com."
EXTRA = """\
@ 600 SOA ns1 hostmaster ( 7 ; serial
  7200 30M 3D 900 )
@ NS ns1
@ 7200 MX 10 mail.@Z
ns1 A 192.0.2.53
mail 2 A 192.0.2.25
text 300 TXT "one" "two;three"
_srv._tcp 300 SRV 5 500 80 mail
_acme-challenge 300 TXT "token"
*.wild 120 A 192.0.2.26
alias 300 CNAME www.example.net.
sub NS ns1.sub
ns1.sub A 192.0.2.27
none DYNA null
static4 60 DYNA static!four
static6 60/60 DYNA static!six
staticc 60 DYNC static!name
$INCLUDE inc/part deep
$ORIGIN down.@Z
a 300 A 192.0.2.28
"""
PART = """\
$TTL 77
$ORIGIN low
b A 192.0.2.29
$ORIGIN side.@F
c A 192.0.2.30
  TXT "@Z"
$ORIGIN @Z
d CNAME c.side.@F
"""
PLAIN_NAMES = (
    "@", "mail", "text", "_srv._tcp", "_acme-challenge", "x.wild", "alias", "sub", "x.sub", "none", "static4",
    "static6", "staticc", "a.down", "b.low.deep", "c.side.deep", "d", "nothing", "deep", "low.deep",
)  # fmt: skip


@dataclass
class Steered:
    """A DYNA or DYNC name: ``draws`` says that its answers are drawn at random."""

    name: str
    record: str
    draws: bool = False
    limited: bool = False
    """For some clients its map lists only some datacenters, or some that it has not."""
    is_automatic: bool = False
    """Its map orders by distance."""
    has_pairs: bool = False
    """Datacenters may have addresses of both families, of which one may be down."""
    ttls_differ: bool = False
    """Datacenters are monitored differently."""


@dataclass
class Made:
    """A configuration: its files, its names, and all that can be forced down."""

    files: dict[str, str] = field(default_factory=dict)
    names: list[Steered] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    datacenters: list[str] = field(default_factory=list)
    clients: list[str] = field(default_factory=list)
    coordinates: dict[Network, bool] = field(default_factory=dict)
    """Whether the networks of the database have coordinates."""

    def has_coordinates(self, address: Address) -> bool:
        """Whether a location has coordinates, or is none at all."""
        around = [net for net in self.coordinates if net.version == address.version and address in net]
        return not around or self.coordinates[max(around, key=lambda net: net.prefixlen)]

    def write(self, directory: Path) -> None:
        """Write the files."""
        for name, text in self.files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


class Maker:
    """Makes one configuration."""

    def __init__(self, random: Random, databases: Path, networks: Path) -> None:
        self.random = random
        self.databases = databases
        document, _ = parse(networks.read_text())
        assert document is not None
        rows = {ip_network(text): row for text, row in document.value["networks"].items()}
        self.networks = list(rows)
        self.made = Made(coordinates={net: "at" in row for net, row in rows.items()})
        self.next = 0
        self.limited: dict[str, bool] = {}
        self.may_be_empty = False

    def make(self) -> Made:
        self.made.datacenters = [f"dc-{letter}" for letter in "abcdef"[: self.random.randint(3, 6)]]
        maps = "".join(self._map(f"map{index}", index) for index in range(5))
        multifo, simplefo, weighted = self._multifo(), self._simplefo(), self._weighted()
        geo = "".join(self._geo_resource(f"geo{index}", f"map{index % 4}") for index in range(8))
        geo += self._geo_resource("geo8", "map4")
        geo += "".join(self._lacking_resource(f"lack{index}", f"map{index % 5}") for index in range(8))
        geo += "".join(self._mixed_resource(f"mixed{index}", f"map{index}") for index in range(5))
        geo += "".join(
            self._partial_resource(f"part{index}", f"map{(0, 1, 4)[index % 3]}") for index in range(6)
        )
        meta = "".join(self._metafo(f"meta{index}") for index in range(9))
        for mode in ("", "!dns", "!edns", "!best", "!both"):
            self._name(f"reflect{mode.replace('!', '-')}", f"DYNA reflect{mode}")
        self.made.files["config"] = (
            "options => { listen => 127.0.0.1:@PORT@ udp_threads => 1 tcp_threads => 1\n"
            "  run_dir => @RUN@ state_dir => @STATE@ zones_default_ttl => 4000 }\n"
            "service_types => { ok => { plugin => static, state => UP, ttl => 250 } }\n"
            f"plugins => {{ null => {{}} reflect => {{}}\n multifo => {{\n{multifo} }}\n"
            f" simplefo => {{\n{simplefo} }}\n weighted => {{\n{weighted} }}\n"
            " static => { four => 192.0.2.31 six => 2001:db8::31"
            " name => elsewhere.example.net. }\n $include{parts/*}\n"
            f" metafo => {{ resources => {{\n{meta} }} }} }}\n"
        )
        self.made.files["parts/geoip"] = (
            f"geoip => {{ undefined_datacenters_ok => true maps => {{\n{maps} }}\n"
            f" resources => {{\n{geo} }} }}\n"
        )
        zone = EXTRA + "$ORIGIN @Z\n"
        zone += "".join(f"{one.name} {one.record}\n" for one in self.made.names)
        self.made.files["zones/example.com"] = zone
        self.made.files["zones/inc/part"] = PART
        self._clients()
        return self.made

    def _address(self, version: int = 4) -> str:
        self.next += 1
        text = (
            f"192.0.{2 + self.next // 200}.{self.next % 200 + 32}"
            if version == 4
            else f"2001:db8:f::{self.next:x}"
        )
        self.made.targets.append(text)
        return text

    def _name(
        self,
        name: str,
        record: str,
        *,
        draws: bool = False,
        map_name: str = "",
        most: int = 0,
        has_pairs: bool = False,
        ttls_differ: bool = False,
        is_partial: bool = False,
    ) -> None:
        most = most or self.random.choice((30, 60, 300, 600))
        ttl = self.random.choice((f"{most}", f"{most}/{most}", f"{most}/{most // 3}"))
        limited = is_partial or self.limited.get(map_name, False)
        automatic = map_name in {"map2", "map3"}
        self.made.names.append(
            Steered(name, f"{ttl} {record}", draws, limited, automatic, has_pairs, ttls_differ)
        )

    def _list(self, *, least: int = 1) -> str:
        if self.may_be_empty and self.random.random() < NO_DATACENTERS:
            return "[]"
        count = self.random.randint(least, len(self.made.datacenters))
        return f"[{', '.join(self.random.sample(self.made.datacenters, count))}]"

    def _map(self, name: str, index: int) -> str:
        """Map 0 by places with full lists, 1 by places with short ones, 2 automatic, 3 both, 4 as 0.

        Some lists are empty, but for those of map 0.
        """
        count = len(self.made.datacenters)
        least = count if index in {0, 4} else 1
        self.limited[name] = index in {1, 2, 3}
        self.may_be_empty = index > 0
        is_automatic = index in {2, 3}
        lines = [
            f"geoip2_db => {self.databases}/city.mmdb",
            f"datacenters => [{', '.join(self.made.datacenters)}]",
        ]
        if is_automatic:
            coordinates = zip(self.made.datacenters, COORDINATES, strict=False)
            at = " ".join(f"{name} => [{y}, {x}]" for name, (y, x) in coordinates)
            lines += [f"auto_dc_coords => {{ {at} }}", f"auto_dc_limit => {self.random.choice((0, 2, 3))}"]
        if index != 2:
            lines.append(f"map => {{ {self._tree(least, auto=index == 3)} }}")
        nets = {}
        for _ in range(25):
            net = self.random.choice(self.networks)
            length = min(net.prefixlen + self.random.randint(0, 12), net.max_prefixlen - 4)
            start = int(net.network_address) + self.random.getrandbits(net.max_prefixlen - net.prefixlen)
            address = ip_address(start) if net.version == 4 else ip_address(start.to_bytes(16, "big"))
            nets[str(ip_network(f"{address}/{length}", strict=False))] = self._list(least=least)
        inside = "\n".join(f"      {net} => {listed}" for net, listed in nets.items())
        if index % 2:
            self.made.files[f"geoip/{name}.nets"] = inside + "\n"
            lines.append(f"nets => {name}.nets")
        else:
            lines.append(f"nets => {{\n{inside} }}")
        self.nets = nets
        self.made.clients += [
            f"{ip_network(net).network_address}/{ip_network(net).prefixlen}" for net in nets
        ]
        return f"  {name} => {{ " + "\n    ".join(lines) + " }\n"

    def _tree(self, least: int, *, auto: bool) -> str:
        def listed() -> str:
            return "auto" if auto and self.random.random() < 0.4 else self._list(least=least)

        # In auto mode gdnsd 3.8 reads past the end of a default that lists only some datacenters.
        every = f"[{', '.join(self.random.sample(self.made.datacenters, len(self.made.datacenters)))}]"
        default = every if auto else listed()
        parts = [f"default => {default}"] if self.random.random() < 0.5 else []
        for continent in CONTINENTS:
            if self.random.random() < 0.3:
                continue
            countries = [f"default => {listed()}"] if self.random.random() < 0.6 else []
            for country in COUNTRIES.get(continent, ()):
                choice = self.random.random()
                if choice < 0.3:
                    countries.append(f"{country} => {listed()}")
                elif choice < 0.7 and country in SUBDIVISIONS:
                    inner = [f"default => {listed()}"] if self.random.random() < 0.5 else []
                    inner += [f"{code} => {listed()}" for code in SUBDIVISIONS[country]]
                    countries.append(f"{country} => {{ {', '.join(inner)} }}")
            parts.append(
                f"{continent} => {{ {', '.join(countries)} }}" if countries else f"{continent} => {listed()}"
            )
        return "\n      ".join(parts)

    def _addresses(self, version: int, count: int) -> str:
        return " ".join(f"lb{index} => {self._address(version)}" for index in range(count))

    def _multifo(self) -> str:
        lines = ["service_types => ok"]
        for index in range(5):
            thresh = self.random.choice((0.01, 0.3, 0.5, 0.7, 1.0))
            both = " ".join(
                f"addrs_v{version} => {{ {self._addresses(version, self.random.randint(1, 5))} }}"
                for version in (4, 6)
            )
            body = (
                both if index % 2 else self._addresses(self.random.choice((4, 6)), self.random.randint(1, 5))
            )
            lines.append(f"mfo{index} => {{ up_thresh => {thresh} {body} }}")
            self._name(f"mfo{index}", f"DYNA multifo!mfo{index}")
        lines.append(f"plain => [ {self._address()}, {self._address()} ]")
        self._name("*.plain", "DYNA multifo!plain")
        return "\n".join(lines)

    def _simplefo(self) -> str:
        pair = "primary => {} secondary => {}"
        one = pair.format(self._address(), self._address())
        both = " ".join(
            f"addrs_v{v} => {{ {pair.format(self._address(v), self._address(v))} }}" for v in (4, 6)
        )
        self._name("sfo0", "DYNA simplefo!sfo0")
        self._name("sfo1", "DYNA simplefo!sfo1")
        return f"service_types => ok sfo0 => {{ {one} }} sfo1 => {{ {both} }}"

    def _weighted(self) -> str:
        def items(weights: tuple[int, ...], version: int = 4) -> str:
            return " ".join(f"w{i} => [ {self._address(version)}, {w} ]" for i, w in enumerate(weights))

        for name in ("single", "several", "group", "groups", "six"):
            self._name(f"w{name}", f"DYNA weighted!{name}", draws=name != "several")
        self._name("wcname", "DYNC weighted!cname", draws=True)
        groups = "one => {{ {} }} two => {{ {} }}"
        return (
            "service_types => ok up_thresh => 0.01\n"
            f"single => {{ {items((30, 50, 20))} }}\n"
            f"several => {{ multi => true {items((7, 7, 7))} }}\n"
            f"group => {{ {groups.format(items((10, 10)), items((30, 30)))} }}\n"
            f"groups => {{ multi => true {groups.format(items((10, 20)), items((15, 15)))} }}\n"
            f"six => {{ addrs_v4 => {{ {items((1, 2))} }} addrs_v6 => {{ {items((3, 2), 6)} }} }}\n"
            "cname => { service_types => up"
            " a => [ a.cdn.example.net., 3 ] b => [ b.cdn.example.net., 1 ] }"
        )

    def _geo_resource(self, name: str, map_name: str) -> str:
        is_wide = int(name[3:]) >= 4
        parts = []
        for datacenter in self.made.datacenters:
            if is_wide:
                parts.append(
                    f"{datacenter} => {{ up_thresh => 0.6 {self._addresses(4, self.random.randint(1, 4))} }}"
                )
            else:
                parts.append(f"{datacenter} => [ {self._address()}, {self._address()} ]")
        datacenter = self.random.choice(self.made.datacenters)
        self._name(name, f"DYNA geoip!{name}", map_name=map_name)
        self._name(f"{name}-one", f"DYNA geoip!{name}/{datacenter}")
        return f"  {name} => {{ map => {map_name} service_types => ok dcmap => {{ {' '.join(parts)} }} }}\n"

    def _lacking_resource(self, name: str, map_name: str) -> str:
        """Datacenters that have one family each, or in the second half of these resources also both."""
        pairs = int(name.removeprefix("lack")) >= 4
        # Both families are there.
        kinds = ["v4", "v6", *(self.random.choice(("v4", "v6")) for _ in self.made.datacenters[2:])]
        if pairs:
            kinds[2] = "both"
        self.random.shuffle(kinds)
        parts = []
        for datacenter, kind in zip(self.made.datacenters, kinds, strict=True):
            families = (4, 6) if kind == "both" else (int(kind[1]),)
            inside = " ".join(
                f"addrs_v{version} => {{ {self._addresses(version, self.random.randint(1, 3))} }}"
                for version in families
            )
            parts.append(f"{datacenter} => {{ up_thresh => {self.random.choice((0.01, 0.6))} {inside} }}")
        self._name(name, f"DYNA geoip!{name}", map_name=map_name, has_pairs=pairs)
        self._name(f"{name}-one", f"DYNA geoip!{name}/{self.random.choice(self.made.datacenters)}")
        return f"  {name} => {{ map => {map_name} service_types => ok dcmap => {{ {' '.join(parts)} }} }}\n"

    def _mixed_resource(self, name: str, map_name: str) -> str:
        """Some datacenters are monitored, others not."""
        services = ["ok", "up", *(self.random.choice(("ok", "up")) for _ in self.made.datacenters[2:])]
        self.random.shuffle(services)
        parts = [
            f"{datacenter} => {{ service_types => {service} {self._addresses(4, 2)} up_thresh => 0.01 }}"
            for datacenter, service in zip(self.made.datacenters, services, strict=True)
        ]
        self._name(name, f"DYNA geoip!{name}", map_name=map_name, most=300, ttls_differ=True)
        return f"  {name} => {{ map => {map_name} dcmap => {{ {' '.join(parts)} }} }}\n"

    def _partial_resource(self, name: str, map_name: str) -> str:
        """Without some datacenters of its map; the second half of these resources skip the first."""
        skips = int(name.removeprefix("part")) >= 3
        own = self.random.sample(
            self.made.datacenters, self.random.randint(1, len(self.made.datacenters) - 1)
        )
        parts = " ".join(f"{datacenter} => [ {self._address()}, {self._address()} ]" for datacenter in own)
        self._name(name, f"DYNA geoip!{name}", map_name=map_name, is_partial=True)
        self._name(f"{name}-one", f"DYNA geoip!{name}/{self.random.choice(own)}")
        skip = "skip_first => true " if skips else ""
        return f"  {name} => {{ map => {map_name} {skip}service_types => ok dcmap => {{ {parts} }} }}\n"

    def _metafo(self, name: str) -> str:
        kinds = {
            "meta0": lambda: [self._address(), f"[ {self._address()}, {self._address()} ]", self._address()],
            "meta1": lambda: ["%multifo!mfo1", "%simplefo!sfo1", f"{{ {self._addresses(4, 3)} }}"],
            "meta2": lambda: ["%geoip!geo0", self._address()],
            "meta3": lambda: ["x.cdn.example.net.", "y.cdn.example.net."],
            "meta4": lambda: [self._address(6), f"{{ {self._addresses(4, 3)} }}", self._address(6)],
            "meta5": lambda: ["%geoip!lack0", self._address(6), self._address(4)],
            "meta6": lambda: [f"{{ service_types => up {self._addresses(4, 2)} }}", "%multifo!mfo1"],
            "meta7": lambda: ["%multifo!mfo1", f"{{ service_types => up {self._addresses(6, 2)} }}"],
            "meta8": lambda: [self._address(), self._address(), self._address()],
        }
        targets = kinds[name]()
        if name == "meta3":
            self.made.targets += targets
        datacenters = [f"{name}-{index}" for index in range(len(targets))]
        dcmap = " ".join(f"{one} => {target}" for one, target in zip(datacenters, targets, strict=True))
        record = "DYNC" if name == "meta3" else "DYNA"
        self._name(
            name,
            f"{record} metafo!{name}",
            map_name="map0" if name in {"meta2", "meta5"} else "",
            most=300 if name in {"meta6", "meta7"} else 0,
            has_pairs=name in {"meta1", "meta6", "meta7"},
        )
        skip = "skip_first => true " if name == "meta8" else ""
        if skip:
            self._name(f"{name}-skipped", f"{record} metafo!{name}/{datacenters[0]}")
        return (
            f"  {name} => {{ {skip}service_types => ok datacenters => [ {', '.join(datacenters)} ]"
            f" dcmap => {{ {dcmap} }} }}\n"
        )

    def _clients(self) -> None:
        clients = [f"{net.network_address}/{net.prefixlen}" for net in self.networks]
        for net in self.networks:
            offset = self.random.getrandbits(net.max_prefixlen - net.prefixlen)
            clients.append(f"{net.network_address + offset}/{24 if net.version == 4 else 56}")
        clients += [
            f"{ip_address(self.random.getrandbits(32))}/{self.random.choice((24, 32))}" for _ in range(10)
        ]
        clients += [
            f"{ip_address((2 << 124) | self.random.getrandbits(124))}/{length}"
            for length in (48, 56, 64, 128)
            for _ in range(3)
        ]
        self.made.clients += clients
