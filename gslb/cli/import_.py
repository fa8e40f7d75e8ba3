"""``gslb import``: other servers' configurations as sites."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import typer

from gslb.cli.check import check_site
from gslb.cli.output import EXIT_REFUSED, EXIT_USAGE, fail
from gslb.cli.render import make_console, print_findings
from gslb.config.report import has_errors, sort_findings
from gslb.config.wording import count
from gslb.importers.gdnsd.run import import_gdnsd
from gslb.importers.target import ImportRefusedError
from gslb.model.finding import Severity

if TYPE_CHECKING:
    from pathlib import Path


def gdnsd(directory: Path, out: Path, *, force: bool) -> None:
    """Convert gdnsd's configuration, and check the site.

    Exits 1 if something is not carried over, or if the site does not load; 2 if nothing is written.
    """
    try:
        done = import_gdnsd(directory, out, force=force)
    except ImportRefusedError as error:
        fail(str(error), EXIT_USAGE)
    checked = check_site(out)
    findings = sort_findings([*done.findings, *done.sources.errors(checked.findings)])
    console = make_console()
    print_findings(console, findings)
    severities = Counter(finding.severity for finding in findings)
    holds = ", ".join(
        (
            count(done.zones, "zone"),
            count(done.names, "steered name"),
            count(done.pools, "pool"),
            count(done.policies, "policy", "policies"),
        )
    )
    console.print(
        f"{out}: {holds}; {count(severities[Severity.ERROR], 'thing')} not carried over, "
        f"{count(severities[Severity.WARNING], 'warning')}; "
        + (f"next: gslb check {out}" if checked.is_usable else "the site does not load: see the errors")
    )
    if has_errors(findings) or not checked.is_usable:
        raise typer.Exit(EXIT_REFUSED)
