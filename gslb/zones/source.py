"""Zone files: found in the site directory, read by the native reader, completed by dnspython."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from gslb.config.files import UnreadableFileError, display_path, display_paths, find_paths
from gslb.config.names import parse_owner_name
from gslb.model.finding import Finding, Place, Severity
from gslb.zones.pending import resolve_pending

if TYPE_CHECKING:
    from pathlib import Path

    from gslb._dataplane import ZoneText

SUFFIX = ".zone"

ReadZone = Callable[[str, str], "ZoneText"]
"""Reads the master file at a path, with an origin."""


def read_zone_text(path: str, origin: str) -> ZoneText:
    """Read a master file with the native reader."""
    from gslb._dataplane import ZoneText  # noqa: PLC0415 - YAML alone is checked without the native module

    return ZoneText.read(path, origin)


def load_zone_texts(
    directory: Path, read_zone: ReadZone = read_zone_text
) -> tuple[tuple[ZoneText, ...], list[Finding]]:
    """Read every ``NAME.zone`` below ``directory``, at any depth.

    The origin is the file's name unless an ``$ORIGIN`` stands before the SOA. Findings are about files that
    cannot be zones of their own; the zones are yet to be checked. Never raises for content.
    """
    findings: list[Finding] = []
    try:
        paths = find_paths(directory, lambda name: name.endswith(SUFFIX))
    except UnreadableFileError as error:
        return (), [_error("zone-unreadable", display_path(error.path), str(error))]
    if not paths:
        message = "the site has no zone file; put one for each zone in it, named such as example.com.zone"
        return (), [_error("site-no-zone", display_path(directory), message)]
    zones: dict[str, ZoneText] = {}
    first_files: dict[str, str] = {}
    for file in display_paths(paths):
        try:
            origin = parse_owner_name(file.rpartition(os.sep)[2].removesuffix(SUFFIX))
            file.encode()
        except ValueError as error:
            message = f"the file's name must be the zone's name and {SUFFIX}: {error}"
            findings.append(_error("zone-file-name", file, message))
            continue
        zone = read_zone(file, origin)
        resolve_pending(zone)
        origin = zone.origin
        if origin in zones:
            message = f"zone {origin} is already read from {first_files[origin]}; remove one of the two"
            findings.append(_error("zone-duplicate", file, message))
            findings.extend(
                Finding(rule, Severity(severity), Place(where, line, column), text)
                for rule, severity, where, line, column, text in zone.check()[0]
            )
            continue
        zones[origin] = zone
        first_files[origin] = file
    return tuple(zones.values()), findings


def _error(rule: str, file: str, message: str) -> Finding:
    return Finding(rule, Severity.ERROR, Place(file), message)
