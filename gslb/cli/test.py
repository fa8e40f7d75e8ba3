"""``gslb test``: the policy tests of a site."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from gslb.cli.render import make_console, print_findings
from gslb.config.wording import count, printable
from gslb.policy_tests import run_policy_tests
from gslb.steering.compile import compile_steering
from gslb.zones.compile import compile_zone
from gslb.zones.site import inspect_site

if TYPE_CHECKING:
    from pathlib import Path

    from gslb.policy_tests import Outcome
    from gslb.zones.site import LoadedSite


def test(site: Path, *, as_json: bool = False) -> None:
    """Run them and print how each went. Exits 1 when one fails, or when the site has errors or no tests."""
    inspected = inspect_site(site)
    if inspected.site is None:
        print_findings(make_console(stderr=True), inspected.findings)
        typer.echo("the site does not load; correct the errors first", err=True)
        raise typer.Exit(1)
    outcomes = run_site(inspected.site)
    if as_json:
        typer.echo(json.dumps([_as_document(outcome) for outcome in outcomes], indent=2))
    else:
        _print(outcomes)
    if not outcomes:
        typer.echo("the site has no tests; write some to tests.yaml (docs/guide/policy-tests.md)", err=True)
    if not outcomes or any(outcome.problem for outcome in outcomes):
        raise typer.Exit(1)


def run_site(site: LoadedSite) -> list[Outcome]:
    """The tests of a site that loads. Raises SteeringError and SiteError when it does not compile."""
    compiled = compile_steering(site.steering)
    zones = [compile_zone(text, site.steered.get(text.origin, ())) for text in site.zone_texts]
    return run_policy_tests(site.tests, site.steering, zones, compiled)


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
