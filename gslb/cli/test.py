"""``gslb test``: the policy tests of a site."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NoReturn

import typer

from gslb.cli.output import EXIT_REFUSED, fail
from gslb.cli.render import make_console, print_findings
from gslb.compile import compile_site
from gslb.config.report import sort_findings
from gslb.config.wording import count, printable
from gslb.errors import SiteError
from gslb.policy_tests import run_policy_tests
from gslb.zones.site import inspect_site

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gslb.model.finding import Finding
    from gslb.policy_tests import Outcome
    from gslb.zones.site import LoadedSite


def test(site: Path, *, as_json: bool = False) -> None:
    """Run them and print how each went. Exits 1 when one fails, or when the site has errors or no tests."""
    inspected = inspect_site(site)
    if inspected.site is None:
        _refuse(inspected.findings)
    try:
        outcomes = run_site(inspected.site)
    except SiteError as refused:
        _refuse(sort_findings([*inspected.findings, *refused.findings]))
    if as_json:
        typer.echo(json.dumps([_as_document(outcome) for outcome in outcomes], indent=2))
    else:
        _print(outcomes)
    if not outcomes:
        typer.echo("the site has no tests; write some to tests.yaml (docs/guide/policy-tests.md)", err=True)
    if not outcomes or any(outcome.problem for outcome in outcomes):
        raise typer.Exit(1)


def run_site(site: LoadedSite) -> list[Outcome]:
    """The tests of a site that loads. Raises SiteError when it does not compile."""
    compiled = compile_site(site)
    return run_policy_tests(site.tests, site.steering, compiled.zones, compiled.steering)


def _refuse(findings: Sequence[Finding]) -> NoReturn:
    """What ``gslb check`` finds, and the end of the command."""
    print_findings(make_console(stderr=True), findings)
    fail("the site does not load; correct the errors first", EXIT_REFUSED)


def _print(outcomes: list[Outcome]) -> None:
    console = make_console()
    for outcome in outcomes:
        mark, style = ("FAIL", "bold red") if outcome.problem else ("ok  ", "green")
        console.print(mark, style=style, end=" ")
        console.print(f"{printable(outcome.test.title)} ({count(outcome.clients, 'client')})")
        if outcome.problem:
            console.print(f"     {printable(str(outcome.test.place))}: {printable(outcome.problem)}")
    failed = sum(bool(outcome.problem) for outcome in outcomes)
    console.print(f"{count(len(outcomes), 'test')}, {failed} failed")


def _as_document(outcome: Outcome) -> dict[str, object]:
    return {
        "title": outcome.test.title,
        "file": outcome.test.place.file,
        "line": outcome.test.place.line,
        "clients": outcome.clients,
        "passed": not outcome.problem,
        "problem": outcome.problem,
    }
