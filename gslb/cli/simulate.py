"""``gslb simulate``: what a drain or a failure would do to the load of each POP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gslb.cli.output import print_facts, print_json, print_table, say, warn
from gslb.config.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gslb.cli.client import Client
    from gslb.cli.what_if import WhatIf


def simulate(client: Client, what_if: WhatIf, *, countries: int, as_json: bool) -> None:
    """Print each POP's load before and after, and by country where it changes most."""
    report = client.post("/v1/simulate", {**what_if.body(), "countries": countries})
    if as_json:
        print_json(report)
        return
    print_facts(_basis(report))
    pops = [*report["pops"], *([report["nobody"]] if report["nobody"] else [])]
    say("")
    print_table(("POP", "BEFORE", "AFTER", "CHANGE", "CAPACITY", "USE"), [_row(pop) for pop in pops])
    rows = [row for pop in pops for row in _country_rows(pop)]
    if rows:
        say("")
        print_table(("POP", "COUNTRY", "BEFORE", "AFTER", "CHANGE"), rows)
    for pop in pops:
        if pop["overloaded"]:
            warn(
                f"{pop['pop']} would get {_rate(pop['after'])} q/s, above its capacity of "
                f"{_rate(pop['capacity'])}"
            )


def _basis(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "supposing", report["supposing"]["text"] or "nothing: this is how it is"
    demand = report["demand"]
    if not demand["cells"]:
        yield "demand", "none seen yet: counts are read every few seconds"
        return
    over, half_life = (format_duration(round(demand[key])) for key in ("seconds", "half_life"))
    yield (
        "demand",
        f"{_rate(demand['queries_per_second'])} q/s of {demand['cells']:,} groups of clients, "
        f"counted over {over}; a query counts half after {half_life}",
    )
    if report["left_out"] >= 0.0005:
        yield "left out", f"{report['left_out']:.1%} of recent demand"


def _row(pop: dict[str, Any]) -> tuple[str, ...]:
    before, after, capacity = pop["before"], pop["after"], pop["capacity"]
    use = (
        "-" if capacity is None else f"{after / capacity:.0%}" + (" overloaded" if pop["overloaded"] else "")
    )
    return (
        pop["pop"] or "(no POP)",
        _rate(before),
        _rate(after),
        _change(before, after),
        "-" if capacity is None else _rate(capacity),
        use,
    )


def _country_rows(pop: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for row in pop["countries"]:
        before, after = row["before"], row["after"]
        if before != after:
            country = row["country"] or "unknown"
            yield pop["pop"] or "(no POP)", country, _rate(before), _rate(after), _change(before, after)


def _rate(rate: float) -> str:
    """Queries a second, with decimals where there are few."""
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:,.2f}"


def _change(before: float, after: float) -> str:
    if after == before:
        return "-"
    return ("+" if after > before else "-") + _rate(abs(after - before))
