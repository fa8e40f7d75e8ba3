"""What keeps a converted site from loading, told of gdnsd's own files."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gslb.config.files import display_path
from gslb.model.finding import Finding, Place, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from gslb.importers.gdnsd.zonefile import ZoneFile


@dataclass(slots=True)
class Places:
    """Where each line that is written is from. Lists of texts and numbers: there may be millions of lines."""

    files: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    def __getitem__(self, line: int) -> Place:
        """The place of the line with this number, from 1; the whole first file for any other number."""
        if not 1 <= line <= len(self.files):
            return Place(self.files[0])
        return Place(self.files[line - 1], self.numbers[line - 1])


class ZoneSources:
    """Where the lines of the zone files of ``site`` are from.

    ``zones`` has each zone by its file's path within the site, with the number of lines before its text.
    """

    def __init__(self, site: Path, zones: Mapping[str, tuple[ZoneFile, int]]) -> None:
        self._zones = {display_path(site / name): zone for name, zone in zones.items()}
        self._mentioned = re.compile(
            re.escape(display_path(site)) + r"/zones/[^\s:]+\.zone:[0-9]+(?::[0-9]+)?"
        )

    def place(self, place: Place) -> Place | None:
        """The place in the file that gdnsd reads; ``None`` for what is not in a zone file."""
        if place.file not in self._zones:
            return None
        zone, before = self._zones[place.file]
        return zone.places[place.line - before]

    def errors(self, checked: Iterable[Finding]) -> list[Finding]:
        """The errors of a check of the site; that there are no zones the import has said already."""
        found = []
        for finding in checked:
            if finding.severity is not Severity.ERROR or finding.rule == "site-no-zone":
                continue
            message = self._mentioned.sub(lambda match: self._renamed(match[0]), finding.message)
            place = self.place(finding.place)
            if place is None:
                message = f"the site does not load: {message} ({finding.rule})"
                found.append(Finding("import-site", Severity.ERROR, finding.place, message))
            else:
                found.append(Finding("import-record", Severity.ERROR, place, message))
        return found

    def _renamed(self, mentioned: str) -> str:
        """A place within a message."""
        file, line = mentioned.split(".zone:")
        place = self.place(Place(f"{file}.zone", int(line.partition(":")[0])))
        return mentioned if place is None else str(place)
