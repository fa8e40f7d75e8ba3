"""The whole conversion: reads a directory, writes a site."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gslb.config.names import parse_owner_name
from gslb.config.report import Report, sort_findings
from gslb.importers.gdnsd.admin_state import report_admin_state
from gslb.importers.gdnsd.convert import Converter
from gslb.importers.gdnsd.reading import read_configuration
from gslb.importers.gdnsd.sources import ZoneSources
from gslb.importers.gdnsd.vscf import VscfError
from gslb.importers.gdnsd.write import site_files
from gslb.importers.gdnsd.zonefile import ZoneReader
from gslb.importers.target import ImportRefusedError, Target
from gslb.model.finding import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gslb.importers.gdnsd.model import Configuration
    from gslb.importers.gdnsd.site import Site
    from gslb.importers.gdnsd.zonefile import ZoneFile
    from gslb.model.finding import Finding

ROOT_ZONE = "ROOT_ZONE"
_ESCAPE = re.compile(r"\\([0-9]{3}|.)")


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a configuration. Findings that are errors concern answers that differ or are gone.

    ``sources`` tells where lines of the site's zone files are from.
    """

    findings: tuple[Finding, ...]
    zones: int
    names: int
    pools: int
    policies: int
    sources: ZoneSources


def import_gdnsd(directory: Path, out: Path, *, force: bool = False) -> Imported:
    """Convert the configuration in ``directory`` to a site in ``out``.

    ``force`` replaces what ``out`` holds. What is read is never written to. Whether the site loads is for the
    caller to check. Raises ImportRefusedError, after which nothing has changed.
    """
    if not directory.is_dir():
        raise ImportRefusedError(
            f"{directory} is no directory; name the one that holds gdnsd's config and zones"
        )
    target = Target(out, force=force)
    target.keep_apart([directory, directory / "zones", directory / "geoip"])
    report = Report()
    try:
        configuration = read_configuration(directory, report)
    except VscfError as error:
        raise ImportRefusedError(f"{error.place}: {error}") from error
    converter = Converter(report, configuration)
    reader = ZoneReader(report, configuration.options, converter.static_records)
    zones = _read_zones(directory / "zones", reader, report)
    for zone in zones:
        for dynamic in zone.dynamics:
            converter.add(dynamic)
    report_admin_state(configuration, directory, report)
    site = converter.site
    target.keep_apart((), [directory / "config", *_files_needed(configuration, site), *reader.files])
    files = site_files(site, f"gdnsd's configuration in {directory}")
    octets = {name: text.encode("utf-8", "replace") for name, text in files.items()}
    named = _named(zones)
    octets |= {name: _zone_text(name, zone).encode("latin-1", "replace") for name, zone in named.items()}
    left = target.put(octets)
    if left:
        report.warning("import-site", Place(str(out)), left)
    return Imported(
        sort_findings(report.findings),
        len(zones),
        len(site.names),
        len(site.pools),
        len(site.policies),
        ZoneSources(out, {name: (zone, _lines_before(name, zone)) for name, zone in named.items()}),
    )


def _files_needed(configuration: Configuration, site: Site) -> Iterator[Path]:
    """Files that the configuration was read from, and those that gdnsd and the site read while they run."""
    maps = configuration.maps.values()
    places = [one.place for one in configuration.service_types.values()]
    places += [one.place for one in configuration.resources.values()]
    places += [one.place for one in configuration.metas.values()]
    places += [place for map_ in maps for place in (map_.place, *(place for _, place in map_.nets.values()))]
    yield from map(Path, {place.file for place in places})
    yield from (map_.database for map_ in maps if map_.database is not None)
    for monitor in site.monitors.values():
        match monitor.settings:
            case {"type": "file", "file": file} | {"type": "command", "command": [file, *_]}:
                yield Path(file)


def _read_zones(directory: Path, reader: ZoneReader, report: Report) -> list[ZoneFile]:
    """Every zone file; files that begin with a dot, and directories, are none."""
    zones: dict[str, ZoneFile] = {}
    try:
        paths = sorted(directory.iterdir()) if directory.is_dir() else []
        files = [path for path in paths if not path.name.startswith(".") and path.is_file()]
    except OSError as error:
        message = f"the directory cannot be read: {error.strerror}"
        report.error("import-unreadable", Place(str(directory)), message)
        return []
    if not files:
        report.error("import-unreadable", Place(str(directory)), "there are no zone files")
    for path in files:
        origin = _origin(path.name)
        if origin in zones:
            report.error("import-name", Place(str(path)), f"there are two files for the zone {origin}")
            continue
        zone = reader.read(path, origin)
        if zone is not None:
            zones[origin] = zone
    return list(zones.values())


def _origin(file: str) -> str:
    """The zone of a file's name, gdnsd(8) "ZONE FILES": ``@`` stands for a slash."""
    if file == ROOT_ZONE:
        return "."
    name = _ESCAPE.sub(lambda found: chr(int(found[1])) if len(found[1]) == 3 else found[0], file)
    return name.replace("@", "/").lower().removesuffix(".") + "."


def _named(zones: list[ZoneFile]) -> dict[str, ZoneFile]:
    """The zones by the names of their files in the site, each a name of its own."""
    named: dict[str, ZoneFile] = {}
    for zone in sorted(zones, key=lambda zone: not _is_file_name(zone.origin)):
        base = name = f"zones/{_file_name(zone.origin)}"
        number = 1
        while f"{name}.zone" in named:
            number += 1
            name = f"{base}-{number}"
        named[f"{name}.zone"] = zone
    return named


def _is_file_name(origin: str) -> bool:
    return _file_name(origin) + "." == origin


def _file_name(origin: str) -> str:
    """A name that a zone file of a site may have."""
    try:
        return parse_owner_name(origin).removesuffix(".")
    except ValueError:
        return re.sub("[^a-z0-9_.-]", "-", origin.removesuffix(".")).strip("-.") or "root"


def _zone_text(name: str, zone: ZoneFile) -> str:
    """The text of a zone; an origin at its top where the file's name cannot say it."""
    return f"$ORIGIN {zone.origin}\n" * _lines_before(name, zone) + zone.text


def _lines_before(name: str, zone: ZoneFile) -> int:
    """How many lines stand before the text of a zone in its file."""
    return int(name != f"zones/{zone.origin}zone")
