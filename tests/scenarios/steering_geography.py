"""What a client's address says of its place: plain lists of networks, and the databases built of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any

from mmdb_writer import MmdbF64, MmdbU32, MMDBWriter
from netaddr import IPSet

if TYPE_CHECKING:
    from pathlib import Path

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
EARTH_RADIUS = 6371.0
"""Kilometres."""


@dataclass(frozen=True)
class Location:
    """What is known of a client; ``None`` is unknown. ``subdivision`` is an ISO 3166-2 code, ``US-CA``."""

    continent: str | None = None
    country: str | None = None
    subdivision: str | None = None
    asn: int | None = None
    coordinates: tuple[float, float] | None = None

    def over(self, other: Location) -> Location:
        """What this one knows, and where it knows nothing, what ``other`` does."""
        known = {name: value for name, value in vars(self).items() if value is not None}
        return Location(**{**vars(other), **known})


Database = tuple[tuple[str, Location], ...]
"""Networks and what is at them. A network within another hides it altogether."""


@dataclass(frozen=True)
class Geography:
    """Geo databases, best first, as plain lists, and an operator's overrides, which lie over all of them."""

    databases: tuple[Database, ...] = ()
    overrides: Database = ()
    _found: dict[Address, Location] = field(default_factory=dict, compare=False, repr=False)

    def locate(self, client: Address) -> Location:
        """What all sources together say of a client."""
        if client not in self._found:
            location = Location()
            for database in self.databases:
                found = longest_match(database, client) or Location()
                location = location.over(_of_the_same_place(found, location))
            override = longest_match(self.overrides, client)
            if override:
                location = override.over(_of_the_same_place(location, override))
            self._found[client] = location
        return self._found[client]

    def networks(self) -> list[Network]:
        """Every network that any source names."""
        return [network(text) for source in (self.overrides, *self.databases) for text, _ in source]


def _of_the_same_place(location: Location, known: Location) -> Location:
    """What a further source says, as far as it can be of the place that is known so far."""

    def differ(one: str | None, other: str | None) -> bool:
        return None not in (one, other) and one != other

    if differ(location.continent, known.continent) or differ(location.country, known.country):
        return Location(asn=location.asn)
    if differ(location.subdivision, known.subdivision):
        return replace(location, subdivision=None, coordinates=None)
    return location


_networks: dict[str, Network] = {}


def network(text: str) -> Network:
    """A network, parsed once."""
    if text not in _networks:
        _networks[text] = ip_network(text)
    return _networks[text]


def client_address(text: str) -> Address:
    """An address as decisions see it: an IPv4-mapped one is the IPv4 address."""
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def longest_match(rows: Any, client: Address) -> Any:
    """What stands beside the longest network that holds the client, in rows of (network, value)."""
    holding = [(network(text).prefixlen, value) for text, value in rows if client in network(text)]
    return max(holding, key=lambda found: found[0])[1] if holding else None


def kilometres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The great-circle distance of two points in degrees, by the haversine formula."""
    (latitude1, longitude1), (latitude2, longitude2) = (map(math.radians, one), map(math.radians, other))
    square = (
        math.sin((latitude2 - latitude1) / 2) ** 2
        + math.cos(latitude1) * math.cos(latitude2) * math.sin((longitude2 - longitude1) / 2) ** 2
    )
    return 2 * EARTH_RADIUS * math.asin(math.sqrt(min(1.0, square)))


def write_databases(geography: Geography, directory: Path) -> list[str]:
    """Write each database as an MMDB of GeoIP2's City shape with AS numbers; their paths, best first."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, database in enumerate(geography.databases):
        if not any(_record(location) for _, location in database):
            continue  # it would be refused, and says nothing anyway
        writer = MMDBWriter(
            ip_version=6,
            database_type="GeoIP2-City",
            languages=["en"],
            description="gslb test data",
            ipv4_compatible=True,
        )
        for text, location in sorted(database, key=lambda row: network(row[0]).prefixlen):
            writer.insert_network(IPSet([text]), _record(location))
        path = directory / f"{number}.mmdb"
        writer.to_db_file(str(path))
        paths.append(str(path))
    return paths


def override_rows(geography: Geography) -> list[dict[str, Any]]:
    """The overrides as the steering document has them."""
    rows = []
    for line, (text, location) in enumerate(geography.overrides, 2):
        latitude, longitude = location.coordinates or (None, None)
        rows.append(
            {
                "network": text,
                "continent": location.continent,
                "country": location.country,
                "subdivision": location.subdivision,
                "asn": location.asn,
                "latitude": latitude,
                "longitude": longitude,
                "file": "overrides.csv",
                "line": line,
            }
        )
    return rows


def _record(location: Location) -> dict[str, Any]:
    record: dict[str, Any] = {}
    if location.continent:
        record["continent"] = {"code": location.continent}
    if location.country:
        record["country"] = {"iso_code": location.country}
    if location.subdivision:
        record["subdivisions"] = [{"iso_code": location.subdivision.partition("-")[2]}]
    if location.asn is not None:
        record["autonomous_system_number"] = MmdbU32(location.asn)
    if location.coordinates:
        latitude, longitude = location.coordinates
        record["location"] = {"latitude": MmdbF64(latitude), "longitude": MmdbF64(longitude)}
    return record
