"""``gslb import``: other servers' configurations as sites."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import typer

from gslb.cli.output import EXIT_REFUSED, EXIT_USAGE, fail
from gslb.cli.render import make_console, print_findings
from gslb.config.report import has_errors
from gslb.config.wording import count
from gslb.importers.gdnsd.run import ImportRefusedError, import_gdnsd
from gslb.model.finding import Severity

if TYPE_CHECKING:
    from pathlib import Path


def gdnsd(directory: Path, out: Path, *, force: bool) -> None:
    """Convert gdnsd's configuration. Exits 1 if something is not carried over, 2 if nothing is written."""
    try:
        done = import_gdnsd(directory, out, force=force)
    except ImportRefusedError as error:
        fail(str(error), EXIT_USAGE)
    console = make_console()
    print_findings(console, done.findings)
    severities = Counter(finding.severity for finding in done.findings)
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
        f"{count(severities[Severity.WARNING], 'warning')}; next: gslb check {out}"
    )
    if has_errors(done.findings):
        raise typer.Exit(EXIT_REFUSED)
