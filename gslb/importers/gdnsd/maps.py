"""Maps of the plugin geoip: gdnsd-plugin-geoip(8) "CONFIGURATION - MAPS"."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING

from gslb.config.locations import CONTINENTS
from gslb.config.wording import quote
from gslb.importers.gdnsd.fields import Fields
from gslb.importers.gdnsd.model import GeoMap, MapRule
from gslb.importers.gdnsd.vscf import Hash, Text, Value, VscfError, items_of, read_file

if TYPE_CHECKING:
    from pathlib import Path

    from gslb.config.report import Report
    from gslb.importers.gdnsd.model import Network
    from gslb.model.finding import Place

KEYS = frozenset(
    {
        "geoip2_db",
        "datacenters",
        "map",
        "nets",
        "auto_dc_coords",
        "auto_dc_limit",
        "ignore_ecs",
        "city_no_region",
        "city_auto_mode",
    }
)
MAXIMUM_AUTO_LIMIT = 255
_COUNTRY = re.compile("[A-Za-z]{2}")
_SUBDIVISION = re.compile("[A-Z0-9]{1,3}|[a-z0-9]{1,3}")
_COMPATIBLE = IPv6Network("::/96")


class MapReader:
    """Reads maps. ``directory`` is where their files are."""

    def __init__(self, report: Report, directory: Path) -> None:
        self._report = report
        self._directory = directory
        self._fields = Fields(report)

    def read(self, name: str, given: Hash) -> GeoMap:
        """One map; what is malformed in it is noted and left out."""
        for key in given.without(*KEYS).values:
            message = f"the map {quote(name)} has the key {quote(key)}, which is not known; leave it out"
            self._report.error("import-invalid", given.place_of(key), message)
        datacenters = self._fields.strings(given.values.get("datacenters"))
        if not datacenters:
            self._report.error("import-invalid", given.place, f"the map {quote(name)} lacks datacenters")
        if self._fields.boolean(given, "city_no_region"):
            message = "city_no_region concerns cities, which are not looked at: the setting is left out"
            self._report.warning("import-location", given.place_of("city_no_region"), message)
        coordinates = self._coordinates(given)
        is_auto = "auto_dc_coords" in given.values or self._fields.boolean(given, "city_auto_mode")
        tree = _Tree(self._report, name, datacenters, is_auto)
        tree.read(self._fields.hash(given, "map"))
        database = self._fields.text(given, "geoip2_db")
        limit = self._fields.integer(given, "auto_dc_limit", 3)
        return GeoMap(
            name=name,
            place=given.place,
            datacenters=datacenters,
            rules=tuple(tree.rules),
            default=tree.default,
            nets=self._nets(name, given, datacenters),
            coordinates=coordinates,
            is_auto=is_auto,
            auto_limit=min(limit, MAXIMUM_AUTO_LIMIT) or MAXIMUM_AUTO_LIMIT,
            ignore_ecs=self._fields.boolean(given, "ignore_ecs"),
            database=self._directory / database if database else None,
            database_place=given.place_of("geoip2_db"),
        )

    def _coordinates(self, given: Hash) -> dict[str, tuple[float, float]]:
        found = {}
        for datacenter, value in self._fields.hash(given, "auto_dc_coords").values.items():
            pair = self._fields.array(value, f"the coordinates of {datacenter}", 2)
            if pair is not None:
                latitude = self._fields.number(pair[0], "the latitude", 0)
                longitude = self._fields.number(pair[1], "the longitude", 0)
                if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
                    self._fields.bad(value, f"the coordinates of {datacenter} are out of range")
                    continue
                found[datacenter] = (latitude, longitude)
        return found

    def _nets(
        self, name: str, given: Hash, datacenters: tuple[str, ...]
    ) -> dict[Network, tuple[tuple[str, ...], Place]]:
        value = given.values.get("nets")
        if isinstance(value, Text):
            path = self._directory / value.text
            try:
                read = read_file(path)
            except VscfError as error:
                self._report.error(
                    "import-unreadable", error.place, f"nets of the map {quote(name)}: {error}"
                )
                return {}
            value = read
        if value is None or not isinstance(value, Hash):
            if value is not None:
                self._fields.bad(value, "nets must be a hash, or the name of a file")
            return {}
        known = set(datacenters)
        lists: dict[tuple[str, ...], tuple[str, ...]] = {}
        nets: dict[Network, tuple[tuple[str, ...], Place]] = {}
        for text, listed in value.values.items():
            place = value.place_of(text)
            network = _network(text)
            if network is None:
                message = (
                    f"{quote(text)} is no network without host bits, such as 192.0.2.0/24; it is left out"
                )
                self._report.error("import-invalid", place, message)
                continue
            names = tuple(item.text for item in items_of(listed) if isinstance(item, Text))
            if names not in lists:
                lists[names] = _known(names, known, listed, self._report)
            if network in nets and nets[network][0] != lists[names]:
                message = (
                    f"{network} already stands at {nets[network][1]} with other datacenters: that one counts"
                )
                self._report.warning("import-nets", place, message)
                continue
            nets[network] = (lists[names], place)
        return nets


class _Tree:
    """Flattens ``map``: continents, countries, subdivisions and cities within one another."""

    def __init__(self, report: Report, name: str, datacenters: tuple[str, ...], is_auto: bool) -> None:
        self._report = report
        self._name = name
        self._known = set(datacenters)
        self._is_auto = is_auto
        self._seen: dict[tuple[str, str], Place] = {}
        self.rules: list[MapRule] = []
        self.default: tuple[str, ...] | None = None if is_auto else datacenters

    def read(self, tree: Hash) -> None:
        """The whole of ``map``."""
        for key, value in tree.values.items():
            place = tree.place_of(key)
            if key == "default":
                self.default = self._list(value)
            elif key.upper() not in CONTINENTS:
                self._report.error("import-invalid", place, f"{quote(key)} is no continent; it is left out")
            elif isinstance(value, Hash):
                self._continent(key.upper(), value)
            else:
                self._add("continent", key.upper(), value, place)

    def _continent(self, code: str, tree: Hash) -> None:
        for key, value in tree.values.items():
            place = tree.place_of(key)
            if key == "default":
                self._add("continent", code, value, place)
            elif not _COUNTRY.fullmatch(key):
                self._report.error("import-invalid", place, f"{quote(key)} is no country; it is left out")
            elif isinstance(value, Hash):
                self._country(key.upper(), value)
            else:
                self._add("country", key.upper(), value, place)

    def _country(self, code: str, tree: Hash) -> None:
        for key, value in tree.values.items():
            place = tree.place_of(key)
            if key == "default":
                self._add("country", code, value, place)
            elif not _SUBDIVISION.fullmatch(key):
                self._drop("city", f"{code} {key}", place)
            elif isinstance(value, Hash):
                self._subdivision(f"{code}-{key.upper()}", value)
            else:
                self._add("subdivision", f"{code}-{key.upper()}", value, place)

    def _subdivision(self, code: str, tree: Hash) -> None:
        for key, value in tree.values.items():
            place = tree.place_of(key)
            if key == "default":
                self._add("subdivision", code, value, place)
            else:
                kind = "smaller subdivision" if _SUBDIVISION.fullmatch(key) else "city"
                self._drop(kind, f"{code} {key}", place)

    def _drop(self, kind: str, what: str, place: Place) -> None:
        message = (
            f"the map {quote(self._name)} looks at the {kind} {quote(what)}; rules look at networks, the "
            "largest subdivisions, countries and continents only: it is left out, and the rule around it "
            "counts"
        )
        self._report.error("import-location", place, message)

    def _add(self, kind: str, value: str, listed: Value, place: Place) -> None:
        first = self._seen.setdefault((kind, value), place)
        if first is not place:
            message = f"{kind} {value} already has datacenters at {first}: these are left out"
            self._report.error("import-location", place, message)
            return
        self.rules.append(MapRule(kind, value, self._list(listed), place))

    def _list(self, value: Value) -> tuple[str, ...] | None:
        items = items_of(value)
        names = tuple(item.text for item in items if isinstance(item, Text))
        if names == ("auto",) and self._is_auto:
            return None
        return _known(names, self._known, value, self._report)


def _known(names: tuple[str, ...], known: set[str], value: Value, report: Report) -> tuple[str, ...]:
    """The datacenters of a list, each once, without those that the map does not have."""
    for name in names:
        if name not in known:
            report.error(
                "import-invalid", value.place, f"the map has no datacenter {quote(name)}; it is left out"
            )
    return tuple(dict.fromkeys(name for name in names if name in known))


def _network(text: str) -> Network | None:
    """The network; IPv4 written as IPv6 (``::192.0.2.0/120``) becomes IPv4."""
    try:
        network = ip_network(text)
    except ValueError:
        return None
    if isinstance(network, IPv6Network) and network.prefixlen >= 96 and network.subnet_of(_COMPATIBLE):
        return IPv4Network((int(network.network_address), network.prefixlen - 96))
    return network
