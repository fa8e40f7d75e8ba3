"""``gslb check``: every error and warning of a site at once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from gslb.cli.render import finding_document, make_console, print_findings
from gslb.compile import compile_site
from gslb.config.report import has_errors, sort_findings
from gslb.config.wording import count
from gslb.errors import SiteError
from gslb.model.finding import Severity
from gslb.model.pool_graph import pools_that_answer
from gslb.policy_tests import failures, run_policy_tests
from gslb.steering.compile import compile_steering
from gslb.zones.site import inspect_site
from gslb.zones.source import read_zone_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gslb._dataplane import Steering
    from gslb.model.finding import Finding
    from gslb.model.site import SteeringConfig
    from gslb.zones.site import LoadedSite
    from gslb.zones.source import ReadZone


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found. ``site`` is ``None`` when it does not load; ``silenced`` counts findings."""

    site: LoadedSite | None
    findings: tuple[Finding, ...]
    silenced: int = 0

    @property
    def is_usable(self) -> bool:
        """Whether a server would take the site over."""
        return self.site is not None and not has_errors(self.findings)


def check(site: Path, *, as_json: bool = False) -> None:
    """Check a site: every error and warning at once, with file, line and rule. Exits 1 on errors."""
    checked = check_site(site)
    if as_json:
        typer.echo(json.dumps(as_document(checked), indent=2))
    else:
        console = make_console()
        print_findings(console, checked.findings)
        for line in summary_lines(checked):
            console.print(line)
    if not checked.is_usable:
        raise typer.Exit(1)


def check_site(
    directory: Path,
    read_zone: ReadZone = read_zone_text,
    compile_steering: Callable[[SteeringConfig], Steering] = compile_steering,
) -> Checked:
    """Load a site and compile it: an unusable geo database, or a zone too large to answer, shows then."""
    inspected = inspect_site(directory, read_zone, with_history=True)
    site, findings = inspected.site, inspected.findings
    if site is None:
        return Checked(None, findings, inspected.silenced)
    try:
        compiled = compile_site(site, compile_steering)
    except SiteError as refused:
        findings = sort_findings([*findings, *refused.findings])
    else:
        outcomes = run_policy_tests(site.tests, site.steering, compiled.zones, compiled.steering)
        findings = sort_findings([*findings, *compiled.findings, *failures(outcomes)])
        return Checked(site, findings, inspected.silenced + compiled.silenced)
    return Checked(site, findings, inspected.silenced)


def summary_lines(checked: Checked) -> list[str]:
    """What the site holds, and how many errors and warnings there are."""
    errors = sum(finding.severity is Severity.ERROR for finding in checked.findings)
    warnings = sum(finding.severity is Severity.WARNING for finding in checked.findings)
    totals = f"{count(errors, 'error')}, {count(warnings, 'warning')}"
    if checked.silenced:
        totals += f", {checked.silenced:,} silenced"
    if checked.site is None:
        return [f"{totals}; the site does not load"]
    steering = checked.site.steering
    records = sum(zone.record_count for zone in checked.site.zone_texts)
    holds = ", ".join(
        (
            count(len(checked.site.zone_texts), "zone"),
            count(records, "record"),
            count(len(steering.names), "steered name"),
            count(len(steering.pops), "POP"),
            count(len(steering.pools), "pool"),
            *([count(len(checked.site.tests), "policy test")] if checked.site.tests else []),
        )
    )
    pools = [
        f"pool {pool.name}: when all down, {pool.when_all_down}"
        + ("" if "when_all_down" in pool.model_fields_set else " (default)")
        for pool in pools_that_answer(steering.pools, steering.names)
    ]
    return [*pools, f"{holds}; {totals}"]


def as_document(checked: Checked) -> dict[str, Any]:
    """The same for programs; ``summary`` is null when the site does not load."""
    return {
        "ok": checked.is_usable,
        "findings": [finding_document(finding) for finding in checked.findings],
        "silenced": checked.silenced,
        "summary": None if checked.site is None else _summary(checked.site),
    }


def _summary(site: LoadedSite) -> dict[str, Any]:
    steering = site.steering
    return {
        "zones": [
            {
                "origin": zone.origin,
                "records": zone.record_count,
                "names": len(site.steered[zone.origin]),
            }
            for zone in site.zone_texts
        ],
        "names": len(steering.names),
        "pops": [pop.name for pop in steering.pops],
        "pools": [
            {
                "name": pool.name,
                "endpoints": len(pool.endpoints),
                "pools": [member.pool for member in pool.members],
                "when_all_down": pool.when_all_down.value,
                "is_default": "when_all_down" not in pool.model_fields_set,
            }
            for pool in steering.pools
        ],
    }
