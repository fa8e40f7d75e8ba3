"""Small configurations, converted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.config.loader import load_steering
from gslb.config.yaml import parse
from gslb.importers.gdnsd.run import import_gdnsd
from gslb.model.finding import Severity

if TYPE_CHECKING:
    from pathlib import Path

SOA = "@ 600 SOA ns1 h 1 7200 1800 259200 600\n@ NS ns1\nns1 A 192.0.2.53\n"


class Converted:
    """What a configuration and a zone became."""

    def __init__(self, directory: Path, config: str, zone: str = "", **files: str) -> None:
        source, self.site = directory / "etc", directory / "site"
        written = {"config": config, "zones/example.com": SOA + zone}
        written |= {name.replace("__", "/"): text for name, text in files.items()}
        for name, text in written.items():
            path = source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.done = import_gdnsd(source, self.site)
        self.found = [
            f"{finding.severity} {finding.place.file.removeprefix(f'{source}/')}:{finding.place.line} "
            f"{finding.rule}"
            for finding in self.done.findings
        ]
        self.messages = "\n".join(finding.message for finding in self.done.findings)

    def yaml(self, section: str) -> dict:
        """A section of all YAML files together."""
        found: dict = {}
        for path in sorted(self.site.glob("*.yaml")):
            document, problems = parse(path.read_text())
            assert document is not None
            assert not problems
            found |= document.value.get(section, {})
        return found

    @property
    def load_errors(self) -> list[str]:
        """Why the site does not load."""
        return [str(one) for one in load_steering(self.site)[1] if one.severity is Severity.ERROR]

    @property
    def zone(self) -> str:
        return (self.site / "zones" / "example.com.zone").read_text(encoding="latin-1")

    @property
    def records(self) -> list[str]:
        """The lines of the zone that are no comments, without the first."""
        return [line for line in self.zone.splitlines()[1:] if line.strip() and not line.startswith(";")]
