"""A configuration directory, read: options, service types, plugins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gslb.config.wording import did_you_mean, quote
from gslb.importers.gdnsd.fields import PARAMETERS, Fields, as_address, is_absolute_name
from gslb.importers.gdnsd.maps import MapReader
from gslb.importers.gdnsd.model import (
    Configuration,
    Datacenter,
    GeoMap,
    MetaResource,
    Options,
    Reference,
    Resource,
    ServiceType,
    label_of,
)
from gslb.importers.gdnsd.resources import PLUGINS, ResourceReader, is_array_or_text, labelled
from gslb.importers.gdnsd.vscf import Hash, Text, Value, read_file

if TYPE_CHECKING:
    from gslb.config.report import Report
    from gslb.model.finding import Place

GENERIC = ("plugin", "up_thresh", "ok_thresh", "down_thresh", "interval", "timeout")
METAS = ("geoip", "metafo")
ELSEWHERE = {
    "listen": "gslb serve --listen",
    "dns_port": "gslb serve --listen",
    "chaos_response": "gslb serve --version-text",
    "nsid": "gslb serve --identity",
    "nsid_ascii": "gslb serve --identity",
    "udp_threads": "gslb serve --workers",
    "run_dir": "",
    "state_dir": "gslb serve --state",
}
"""Options that concern the process, and what sets the like for a server."""
READ = frozenset(
    {
        "zones_default_ttl",
        "min_ttl",
        "max_ttl",
        "max_ncache_ttl",
        "edns_client_subnet",
        "acme_challenge_dns_ttl",
        "zones_strict_data",
        "zones_rfc1035_threads",
        "disable_text_autosplit",
    }
)


def read_configuration(directory: Path, report: Report) -> Configuration:
    """Read ``config`` in a directory. Raises VscfError if a file cannot be read at all."""
    path = directory / "config"
    top = read_file(path) if path.exists() else Hash(_nowhere(path))
    if not isinstance(top, Hash):
        report.error("import-invalid", top.place, "the configuration must be a hash")
        top = Hash(top.place)
    return _Reader(report, directory).read(top)


def _nowhere(path: Path) -> Place:
    from gslb.model.finding import Place  # noqa: PLC0415

    return Place(str(path))


class _Reader:
    """Reads the top of a configuration."""

    def __init__(self, report: Report, directory: Path) -> None:
        self._report = report
        self._directory = directory
        self._fields = Fields(report)
        self._resources = ResourceReader(report)
        self._stanzas: dict[str, Hash] = {}
        self._found: dict[tuple[str, str], Resource] = {}
        self._metas: dict[tuple[str, str], MetaResource] = {}

    def read(self, top: Hash) -> Configuration:
        known = ("options", "service_types", "plugins")
        for key in top.without(*known).values:
            message = f"{quote(key)} is no part of a configuration{did_you_mean(key, known)}"
            self._report.error("import-invalid", top.place_of(key), message)
        plugins = self._fields.hash(top, "plugins")
        geoip = self._fields.hash(plugins, "geoip")
        maps = self._maps(geoip)
        for plugin in PLUGINS:
            self._stanzas[plugin] = self._fields.hash(plugins, plugin)
            for resource in self._resources.read_plugin(plugin, self._stanzas[plugin]):
                self._found[plugin, resource.name] = resource
        for plugin in METAS:
            self._read_metas(plugin, self._fields.hash(plugins, plugin), maps)
        for plugin in plugins.without(*PLUGINS, *METAS, "null", "reflect").values:
            if plugin not in {"extmon", "extfile", "http_status", "tcp_connect"}:
                message = f"the plugin {quote(plugin)} is not gdnsd's own: what it does is not carried over"
                self._report.error("import-plugin", plugins.place_of(plugin), message)
        services = self._fields.hash(top, "service_types")
        return Configuration(
            options=self._options(self._fields.hash(top, "options")),
            service_types={name: self._service(name, services) for name in services.values},
            resources=self._found,
            metas=self._metas,
            maps=maps,
        )

    def _options(self, given: Hash) -> Options:
        for key in given.values:
            if key in ELSEWHERE:
                instead = f": see {ELSEWHERE[key]}" if ELSEWHERE[key] else ""
                message = f"{key} concerns the running server, not the site{instead}"
                self._report.info("import-option", given.place_of(key), message)
            elif key not in READ:
                message = f"{key} has no counterpart in a site: it is left out"
                self._report.info("import-option", given.place_of(key), message)
        state = self._fields.text(given, "state_dir")
        return Options(
            zones_default_ttl=self._fields.integer(given, "zones_default_ttl", 86_400),
            min_ttl=self._fields.integer(given, "min_ttl", 5),
            max_ttl=self._fields.integer(given, "max_ttl", 3_600_000),
            max_ncache_ttl=self._fields.integer(given, "max_ncache_ttl", 10_800),
            acme_ttl=self._fields.integer(given, "acme_challenge_dns_ttl", 0),
            client_subnet=self._fields.boolean(given, "edns_client_subnet", default=True),
            state=Path(state) if state else None,
        )

    def _service(self, name: str, services: Hash) -> ServiceType:
        given = self._fields.hash(services, name)
        interval = self._fields.integer(given, "interval", 10)
        return ServiceType(
            name=name,
            place=services.place_of(name),
            plugin=self._fields.text(given, "plugin"),
            settings=given.without(*GENERIC),
            interval=interval,
            timeout=self._fields.integer(given, "timeout", interval // 2),
            up_thresh=self._fields.integer(given, "up_thresh", 20),
            ok_thresh=self._fields.integer(given, "ok_thresh", 10),
            down_thresh=self._fields.integer(given, "down_thresh", 10),
        )

    def _maps(self, geoip: Hash) -> dict[str, GeoMap]:
        given = self._fields.hash(geoip, "maps")
        reader = MapReader(self._report, self._directory / "geoip")
        return {name: reader.read(name, self._fields.hash(given, name)) for name in given.values}

    def _read_metas(self, plugin: str, stanza: Hash, maps: dict[str, GeoMap]) -> None:
        defaults = stanza.without("maps", "resources", "undefined_datacenters_ok")
        undefined_ok = self._fields.boolean(stanza, "undefined_datacenters_ok")
        resources = self._fields.hash(stanza, "resources")
        for name in resources.values:
            given = self._fields.hash(resources, name).inheriting(defaults)
            place = resources.place_of(name)
            map_name = self._fields.text(given, "map") if plugin == "geoip" else ""
            if plugin == "geoip" and map_name not in maps:
                message = f"geoip!{name} uses the map {quote(map_name)}, which does not exist: it is left out"
                self._report.error("import-invalid", place, message)
                continue
            order = (
                maps[map_name].datacenters
                if map_name
                else self._fields.strings(given.values.get("datacenters"))
            )
            dcmap = self._fields.hash(given, "dcmap", required=f"{plugin}!{name}")
            datacenters = self._datacenters(plugin, name, given, order, dcmap)
            missing = [one for one in order if one not in dcmap.values]
            if missing and not undefined_ok and isinstance(given.values.get("dcmap"), Hash):
                message = f"{plugin}!{name}: dcmap lacks {', '.join(missing)}"
                self._report.error("import-invalid", place, message)
            skip_first = self._fields.boolean(given, "skip_first")
            skipped = None
            if skip_first and plugin == "metafo" and len(order) > 1:
                skipped = datacenters.pop(order[0], None)
            self._metas[plugin, name] = MetaResource(
                plugin,
                name,
                place,
                datacenters,
                map=map_name,
                skip_first=skip_first and plugin == "geoip",
                skipped=skipped,
                undefined=frozenset(missing),
            )

    def _datacenters(
        self, plugin: str, name: str, given: Hash, order: tuple[str, ...], dcmap: Hash
    ) -> dict[str, Datacenter]:
        """In the order of the map or of ``datacenters``."""
        for datacenter in dcmap.without(*order).values:
            message = f"{plugin}!{name}: dcmap has {quote(datacenter)}, which is no datacenter of it"
            self._report.error("import-invalid", dcmap.place_of(datacenter), message)
        inherited = given.without("dcmap", "map", "skip_first", "datacenters", "undefined_datacenters_ok")
        found = {}
        for datacenter in order:
            if datacenter in dcmap.values:
                place = dcmap.place_of(datacenter)
                label = label_of(plugin, name, datacenter)
                target = self._target(label, dcmap.values[datacenter], inherited, place)
                services = inherited.values.get("service_types")
                if target is not None:
                    found[datacenter] = Datacenter(
                        datacenter,
                        place,
                        target,
                        ("up",) if services is None else self._fields.strings(services),
                    )
        return found

    def _cname(self, value: Text) -> str | None:
        """A CNAME, ``None`` after noting that there is none."""
        if is_absolute_name(value.text):
            return value.text
        message = (
            f"{quote(value.text)} is neither an address nor a domain name with a final dot: the datacenter "
            "is left out, its clients get the next one"
        )
        self._fields.bad(value, message)
        return None

    def _target(self, label: str, value: Value, inherited: Hash, place: Place) -> Reference | str | None:
        """``%plugin!resource``, a CNAME, or a resource of its own made of addresses or a hash."""
        default_plugin = self._fields.text(inherited, "plugin", "multifo")
        if isinstance(value, Text):
            if value.text.startswith(("%", "!")):
                named, _, resource = value.text.removeprefix("%").partition("!")
                return Reference(named or default_plugin, resource, place)
            if as_address(value.text) is None:
                return self._cname(value)
        plugin = "multifo" if is_array_or_text(value) else default_plugin
        made = labelled(value) if is_array_or_text(value) else value
        if not isinstance(made, Hash):
            return None
        plugin = self._fields.text(made, "plugin", plugin)
        if plugin not in PLUGINS:
            message = f"a datacenter cannot be made of the plugin {quote(plugin)}: it is left out"
            self._report.error("import-plugin", place, message)
            return None
        made = made.inheriting(inherited, *PARAMETERS).inheriting(self._stanzas[plugin], *PARAMETERS)
        made = made.without("plugin")
        resource_read = self._resources.read(plugin, label, made, place)
        if resource_read is None:
            return None
        self._found[plugin, label] = resource_read
        return Reference(plugin, label, place)
