"""``gslb pops``: each POP's observed state, intent, verdict and load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gslb.cli.output import moment, print_json, print_table

if TYPE_CHECKING:
    from gslb.cli.client import Client


def pops(client: Client, *, as_json: bool) -> None:
    """Print every POP."""
    report = client.get("/v1/pops")
    if as_json:
        print_json(report)
        return
    print_table(
        ("POP", "OBSERVED", "INTENT", "VERDICT", "LOAD", "TITLE", "NOTE"),
        [
            (
                pop["name"],
                _observed(pop["observed"]),
                pop["intent"],
                _verdict(pop),
                _load(pop["load"]),
                pop["title"] or "-",
                _note(pop),
            )
            for pop in report["pops"]
        ],
    )


def _observed(counts: dict[str, int]) -> str:
    total = sum(counts.values())
    words = [word for word, count in counts.items() if count == total]
    if not total:
        return "-"
    if words:
        return f"{words[0]} {total}/{total}"
    return ", ".join(f"{word} {count}/{total}" for word, count in counts.items() if count)


def _verdict(pop: dict[str, Any]) -> str:
    counts = pop["verdicts"]
    total = sum(counts.values())
    if pop["verdict"] == "serving":
        return f"serving {counts['serving']}/{total}"
    return str(pop["verdict"])


def _load(load: dict[str, Any] | None) -> str:
    """The load in effect; beside it what was reported, where hysteresis keeps the two apart."""
    if load is None:
        return "-"
    held = "" if load["load"] == load["reported"] else f" (reported {load['reported']:.2f})"
    return f"{load['load']:.2f}{held}"


def _note(pop: dict[str, Any]) -> str:
    """Which monitors say of how many endpoints that they are down, why others say nothing, and the drain."""
    failing, drain = pop["failing"], pop["drain"]
    notes = [failing_text(failing)] if failing else []
    notes += [
        f"no result by {one['monitor']} {one['endpoints']}: {one['reason']}" for one in pop["without_result"]
    ]
    if drain is not None:
        until = f" until {moment(drain['expires_at'])}" if drain["expires_at"] else ""
        notes.append(f"{drain['reason']} ({drain['author']}{until})")
    return "; ".join(notes) or "-"


def failing_text(failing: dict[str, int]) -> str:
    """``down by web 2, ssh 1``: monitors, and of how many endpoints they say so."""
    return "down by " + ", ".join(f"{monitor} {count}" for monitor, count in failing.items())
