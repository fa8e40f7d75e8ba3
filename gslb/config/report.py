"""Where the reader is in a document, and what it found so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gslb.config.wording import did_you_mean, quote
from gslb.model.finding import Finding, Place, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from gslb.config.yaml import Document, Path

_SEVERITY_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


class Report:
    """Collects findings."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def error(self, rule: str, place: Place, message: str) -> None:
        """Note an error."""
        self.findings.append(Finding(rule, Severity.ERROR, place, message))

    def warning(self, rule: str, place: Place, message: str) -> None:
        """Note a warning."""
        self.findings.append(Finding(rule, Severity.WARNING, place, message))

    def info(self, rule: str, place: Place, message: str) -> None:
        """Note something worth knowing."""
        self.findings.append(Finding(rule, Severity.INFO, place, message))


def sort_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By place, errors first where places are equal; each finding once."""
    return tuple(sorted(dict.fromkeys(findings), key=_sort_key))


def _sort_key(finding: Finding) -> tuple[str, int, int, int, str, str]:
    place = finding.place
    order = _SEVERITY_ORDER[finding.severity]
    return place.file, place.line, place.column, order, finding.rule, finding.message


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether any finding is an error."""
    return any(finding.severity is Severity.ERROR for finding in findings)


@dataclass(frozen=True, slots=True)
class Cursor:
    """One value of a document and where it stands."""

    file: str
    document: Document
    path: Path
    value: Any

    def child(self, key: str | int) -> Cursor:
        """What stands at a key or index, which must be there."""
        return Cursor(self.file, self.document, (*self.path, key), self.value[key])

    def children(self) -> Iterator[tuple[str, Cursor]]:
        """The keys of a mapping, and what stands there."""
        for key in self.value:
            yield key, self.child(key)

    def items(self) -> Iterator[Cursor]:
        """The items of a sequence."""
        for index in range(len(self.value)):
            yield self.child(index)

    @property
    def place(self) -> Place:
        """The place of the value."""
        return self.place_at(())

    @property
    def key_place(self) -> Place:
        """The place of the key that names the value, or of the item in a sequence."""
        position = self.document.positions.key(self.path)
        return Place(self.file, position.line, position.column)

    def place_at(self, path: Path) -> Place:
        """The place of the value at ``path`` from here on, or of what is nearest to it."""
        position = self.document.positions[(*self.path, *path)]
        return Place(self.file, position.line, position.column)

    def key_place_at(self, path: Path) -> Place:
        """The place of the key that ends ``path`` from here on."""
        position = self.document.positions.key((*self.path, *path))
        return Place(self.file, position.line, position.column)


def report_unknown_key(report: Report, place: Place, key: str, allowed: Collection[str], within: str) -> None:
    """Note a key that nothing reads."""
    suggestion = did_you_mean(key, allowed) or f"; use {', '.join(sorted(allowed))}"
    report.error("site-unknown-key", place, f"unknown key {quote(key)} in {within}{suggestion}")
