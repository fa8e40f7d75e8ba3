"""Findings and tables for people: plain text into files and pipes, colours on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from gslb.config.wording import printable
from gslb.model.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gslb.model.finding import Finding

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def make_console(*, stderr: bool = False) -> Console:
    """A console that neither wraps nor interprets what it prints, and is plain unless it is a terminal."""
    return Console(stderr=stderr, soft_wrap=True, highlight=False, markup=False, emoji=False)


def finding_text(finding: Finding) -> Text:
    """``file:line:column: severity: message [rule]`` on one line, everything unprintable escaped."""
    return Text.assemble(
        (printable(str(finding.place)), "bold"),
        ": ",
        (finding.severity.value, _STYLES[finding.severity]),
        ": ",
        printable(finding.message),
        (f" [{finding.rule}]", "dim"),
    )


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding for programs."""
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "file": finding.place.file,
        "line": finding.place.line,
        "column": finding.place.column,
        "message": finding.message,
    }


def print_findings(console: Console, findings: Iterable[Finding]) -> None:
    """One line for each finding."""
    for finding in findings:
        console.print(finding_text(finding))
