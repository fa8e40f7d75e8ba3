"""The whole conversion: reads a directory, writes a site."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gslb.config.names import parse_owner_name
from gslb.config.report import Report, sort_findings
from gslb.config.wording import quote
from gslb.errors import GslbError
from gslb.importers.gdnsd.admin_state import report_admin_state
from gslb.importers.gdnsd.convert import Converter
from gslb.importers.gdnsd.reading import read_configuration
from gslb.importers.gdnsd.vscf import VscfError
from gslb.importers.gdnsd.write import site_files
from gslb.importers.gdnsd.zonefile import ZoneReader
from gslb.model.finding import Place

if TYPE_CHECKING:
    from gslb.importers.gdnsd.zonefile import ZoneFile
    from gslb.model.finding import Finding

ROOT_ZONE = "ROOT_ZONE"
_ESCAPE = re.compile(r"\\([0-9]{3}|.)")


class ImportRefusedError(GslbError):
    """Nothing is written: the source cannot be read, or the target is in the way."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a configuration. Findings that are errors concern answers that differ or are gone."""

    findings: tuple[Finding, ...]
    zones: int
    names: int
    pools: int
    policies: int


def import_gdnsd(directory: Path, out: Path, *, force: bool = False) -> Imported:
    """Convert the configuration in ``directory`` to a site in ``out``.

    ``force`` replaces what ``out`` holds. Raises ImportRefusedError.
    """
    if not directory.is_dir():
        raise ImportRefusedError(
            f"{directory} is no directory; name the one that holds gdnsd's config and zones"
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())) and not force:
        raise ImportRefusedError(
            f"{out} is there and not empty; name another directory, or replace it with --force"
        )
    if out.exists() and out.resolve() in {directory.resolve(), *directory.resolve().parents}:
        raise ImportRefusedError(f"{out} holds the source itself; name another directory")
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
    files = site_files(converter.site, f"gdnsd's configuration in {directory}")
    files |= {f"zones/{_file_name(zone.origin)}.zone": _zone_text(zone) for zone in zones}
    _write(out, files)
    site = converter.site
    return Imported(
        sort_findings(report.findings), len(zones), len(site.names), len(site.pools), len(site.policies)
    )


def _read_zones(directory: Path, reader: ZoneReader, report: Report) -> list[ZoneFile]:
    """Every zone file; files that begin with a dot, and directories, are none."""
    zones: dict[str, ZoneFile] = {}
    paths = sorted(directory.iterdir()) if directory.is_dir() else []
    if not paths:
        report.error("import-unreadable", Place(str(directory)), "there are no zone files")
    for path in paths:
        if path.name.startswith(".") or not path.is_file():
            continue
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


def _file_name(origin: str) -> str:
    """A name that a zone file of a site may have."""
    try:
        return parse_owner_name(origin).removesuffix(".")
    except ValueError:
        return re.sub("[^a-z0-9_.-]", "-", origin.removesuffix(".")).strip("-.") or "root"


def _zone_text(zone: ZoneFile) -> str:
    """The text of a zone; an origin at its top where the file's name cannot say it."""
    origin = "" if _file_name(zone.origin) + "." == zone.origin else f"$ORIGIN {zone.origin}\n"
    return origin + zone.text


def _write(out: Path, files: dict[str, str]) -> None:
    """Write the site beside its place, then put it there."""
    beside = out.with_name(f".{out.name}.importing")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        (beside / "zones").mkdir(parents=True)
        for name, text in files.items():
            encoding = "latin-1" if name.startswith("zones/") else "utf-8"
            (beside / name).write_bytes(text.encode(encoding, "replace"))
        if out.exists():
            for entry in sorted(out.iterdir()):
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                else:
                    entry.unlink()
            out.rmdir()
        beside.replace(out)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise ImportRefusedError(
            f"{out} cannot be written: {error.strerror} ({quote(str(error.filename))})"
        ) from error
