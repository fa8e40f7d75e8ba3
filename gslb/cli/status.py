"""``gslb status``: what is served, in numbers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from gslb.cli.output import moment, print_json, print_table, say, warn
from gslb.cli.pops import failing_text
from gslb.errors import OTHERS

if TYPE_CHECKING:
    from typing import Any

    from gslb.cli.client import Client


def status(client: Client, *, as_json: bool) -> None:
    """Print what is served."""
    report = client.get("/v1/status")
    if as_json:
        print_json(report)
        return
    verdicts, aliases = report["verdicts"], report["aliases"]
    uptime = timedelta(seconds=int(report["uptime"]))
    print_table(
        ("WHAT", "NOW"),
        [
            ("version", report["version"]),
            ("up", f"{uptime} (since {moment(report['started_at'])})"),
            ("generation", str(report["generation"])),
            ("zones", f"{report['zones']} with {report['records']} records"),
            ("steered names", str(report["names"])),
            ("POPs", str(report["pops"])),
            ("observed", _observed(report["observed"], report["failing"])),
            (
                "verdicts",
                f"{verdicts['serving']} serving, {verdicts['down']} down, {verdicts['drained']} drained",
            ),
            (
                "ALIAS targets",
                f"{aliases['fresh']} fresh, {aliases['stale']} stale, {aliases['unknown']} unknown",
            ),
            ("queries", str(report["queries"])),
        ],
    )
    for drain in report["drains"]:
        until = f"until {moment(drain['expires_at'])}" if drain["expires_at"] else "until undrained"
        say(f"{drain['pop']} is drained {until}: {drain['reason']} ({drain['author']})")
    last = report["last_reload"]
    if last and not last["success"]:
        first, *more = last["message"].splitlines() or [""]
        warn(f"the reload at {moment(last['at'])} failed: {first}{_others(more)}")


def _observed(counts: dict[str, Any], failing: dict[str, int]) -> str:
    text = f"{counts['up']} up, {counts['down']} down, {counts['unknown']} unknown"
    return f"{text} ({failing_text(failing)})" if failing else text


def _others(more: list[str]) -> str:
    if not more:
        return ""
    if more[-1].startswith(OTHERS):
        return f" (and more than {len(more) - 1} more: gslb check shows all)"
    return f" (and {len(more)} more: see the log)"
