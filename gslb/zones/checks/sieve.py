"""Findings as the site's ``checks`` have them: silenced, with other severities, bounded in number."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from gslb.model.finding import Finding, Severity
from gslb.model.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gslb.model.checks import CheckSettings
    from gslb.model.finding import Place

MAXIMUM_FINDINGS = 101
"""Of one rule in one zone; further ones are counted. The native checks stop at 100 and a remark."""


class Sieve:
    """Takes findings zone by zone; ``silenced`` counts those left out."""

    def __init__(self, settings: CheckSettings) -> None:
        self.silenced = 0
        self._settings = settings
        self._kept: list[Finding] = []
        self._counts: Counter[tuple[str, str]] = Counter()
        self._first: dict[tuple[str, str], Place] = {}

    def add(self, origin: str, findings: Iterable[Finding]) -> None:
        """Take the findings of the zone ``origin``, or with an empty origin those of the site."""
        for finding in findings:
            if self._is_silenced(origin, finding.rule):
                self.silenced += 1
                continue
            key = (origin, finding.rule)
            self._counts[key] += 1
            self._first.setdefault(key, finding.place)
            if not origin or self._counts[key] <= MAXIMUM_FINDINGS:
                self._kept.append(self._with_severity(origin, finding))

    def findings(self) -> list[Finding]:
        """What is left, and a remark for each rule that was found too often in a zone."""
        remarks = [
            Finding(
                key[1],
                Severity.INFO,
                replace(self._first[key], line=0, column=0),
                f"{number - MAXIMUM_FINDINGS:,} more findings of this rule in zone {key[0]}",
            )
            for key, number in self._counts.items()
            if key[0] and number > MAXIMUM_FINDINGS
        ]
        return [*self._kept, *remarks]

    def _is_silenced(self, origin: str, rule: str) -> bool:
        if RULES.get(rule) is Severity.ERROR:
            return False
        silenced = self._settings.silenced
        return ("", rule) in silenced or (origin, rule) in silenced

    def _with_severity(self, origin: str, finding: Finding) -> Finding:
        severities = self._settings.severities
        severity = severities.get((origin, finding.rule)) or severities.get(("", finding.rule))
        usual = RULES.get(finding.rule)
        # A remark that counts further findings of a rule is none of its findings.
        if severity is None or usual not in (None, finding.severity):
            return finding
        return replace(finding, severity=severity)
