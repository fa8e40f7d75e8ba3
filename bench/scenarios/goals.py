"""The goals, and what a run makes of them: a table with a verdict for each. Pure.

Goals in microseconds were set on a machine in a state where the null server took 3.0 µs for an answer. So a row says
two things: whether the figure itself is reached, and how ours stands to the best peer measured in the same run, beside
how the goal stood to the best peer then.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NULL = ("static", "null-mmsg")
OWN = "gslb"
LEAST_QPS = 1_000

Medians = Mapping[tuple[str, str], float]
"""(workload, server) to the median of a figure."""


@dataclass(frozen=True)
class Goal:
    """At most ``limit``; ``peer`` is what the best peer had when the goal was set."""

    what: str
    limit: float
    unit: str = ""
    peer: float | None = None
    digits: int = 2


@dataclass(frozen=True)
class Row:
    """What was measured for a goal; without a figure it was not."""

    goal: Goal
    ours: float | None
    best: tuple[str, float] | None = None
    """The best peer in the same run, and its figure."""
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the figure itself is reached; ``None`` when there is none."""
        return None if self.ours is None else self.ours <= self.goal.limit

    @property
    def verdict(self) -> str:
        """Met, or by how much it fell short."""
        if self.ours is None:
            return "not measured"
        if self.is_met:
            return "met"
        short = _text(self.ours - self.goal.limit, self.goal.digits)
        return f"short by {short} {self.goal.unit}".rstrip()

    @property
    def against_peer(self) -> str:
        """Ours to the best peer's, and the same of the goal; a dash where there is no peer."""
        if self.ours is None or self.best is None or not self.best[1] or self.goal.peer is None:
            return "–"
        ours, wanted = self.ours / self.best[1], self.goal.limit / self.goal.peer
        return f"{ours:.2f} (goal {wanted:.2f}): {'met' if ours <= wanted else 'short'}"


def medians(results: Sequence[Mapping[str, Any]], field: str) -> Medians:
    """The median of a figure for each workload and server that have it; ``results`` are those of ``peers.py``.

    Runs that answered next to nothing say nothing of what an answer costs.
    """
    found = {}
    for row in results:
        values = [run[field] for run in row["runs"] if field in run and run["qps"] >= LEAST_QPS]
        if values:
            found[row["workload"], row["server"]] = statistics.median(values)
    return found


def peer_rows(results: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The rows that compare with other servers, out of what ``peers.py`` wrote."""
    cpu, start = medians(results, "cpu_us"), medians(results, "start_s")
    memory = medians(results, "rss_after_mb")
    null = cpu.get(NULL)
    over = {} if null is None else {key: value - null for key, value in cpu.items() if key != NULL}
    return [
        _row(Goal("static UDP, CPU over null", 0.15, "µs", 0.21), over, "static"),
        _row(Goal("mixed UDP, over null", 0.25, "µs", 0.38), over, "mixed"),
        _row(Goal("geo + distance + weighted + health, over null", 0.25, "µs", 0.27), over, "steer", "geo"),
        _row(Goal("1M names, per answer", 3.5, "µs", 3.71), cpu, "load"),
        _row(Goal("load of 1M records to first answer", 0.6, "s", 0.95), start, "load"),
        _row(Goal("memory with 1M records", 118, "MB", 118, 1), memory, "load"),
        _row(Goal("TCP, 20 pipelined connections, per answer", 5.5, "µs", 5.67), cpu, "tcp"),
    ]


def live_rows(live: Mapping[str, Any]) -> list[Row]:
    """The rows about gslb alone, out of what ``live.py`` wrote."""
    rows = []
    change = Goal("one RRset of 1M names changed, accepted → answered, p99", 10, "ms")
    rows.append(
        Row(change, _at(live, "change", "accepted_to_answered_ms", "p99"), note=_load(live, "change"))
    )
    for name, text in (("full", "full load"), ("paced", "100,000 q/s")):
        note = _reload_note(live, name)
        for goal, key in (
            (Goal(f"reload of 1M names, {text}: lost", 0, "", digits=0), "lost"),
            (Goal(f"reload of 1M names, {text}: SERVFAIL", 0, "", digits=0), "servfail"),
            (Goal(f"reload of 1M names, {text}: p99 latency to before", 2), "p99_ratio"),
            (Goal(f"reload of 1M names, {text}: peak memory to before", 2.2), "peak_ratio"),
        ):
            rows.append(Row(goal, _at(live, "reload", name, key), note=note if key == "p99_ratio" else ""))
    drain = Goal("drain or undrain, accepted → answered, full load, p99", 5, "ms")
    rows.append(Row(drain, _at(live, "drain", "accepted_to_answered_ms", "p99"), note=_load(live, "drain")))
    flip = Goal("health flip, probe answered → answered, full load, p99", 5, "ms")
    rows.append(Row(flip, _at(live, "flip", "probed_to_answered_ms", "p99"), note=_load(live, "flip")))
    for name, text in (
        ("python", "a spinning interpreter"),
        ("reload", "reloads of 1M records"),
        ("scrape", "scrapes of 100,000 series"),
        ("probes", "1,000 probes a second"),
    ):
        goal = Goal(f"p99 at 100,000 q/s moves by, under {text}", 20, "%", digits=1)
        rows.append(
            Row(goal, _at(live, "control", name, "p99_moves_percent"), note=_control_note(live, name))
        )
    return rows


def workers_text(live: Mapping[str, Any]) -> str:
    """What two workers come to against one: a statement, not a goal.

    What an answer costs over the null server, which shares nothing between its threads, says whether workers
    hinder each other: the rest is the system's.
    """
    found = live.get("workers")
    if not found:
        return "Two workers on two cores against one: not measured."
    ratio = {server: found[f"{server}_two_to_one"] for server in (OWN, "null")}
    over = [
        found[f"{OWN}_{one}"]["full_cpu_us"] - found[f"null_{one}"]["full_cpu_us"] for one in ("one", "two")
    ]
    return (
        "Two workers on two cores against one, the generator on one of them: "
        f"{ratio[OWN]['full_qps']:.2f} × the answers a second (the null server {ratio['null']['full_qps']:.2f} ×), "
        f"{ratio[OWN]['full_cpu_us']:.2f} × the CPU for each ({ratio['null']['full_cpu_us']:.2f} ×). "
        f"Over the null server an answer takes {over[0]:.2f} µs with one and {over[1]:.2f} with two. "
        f"At 100,000 q/s from 64 sockets the busier worker does "
        f"{100 * found[f'{OWN}_two']['paced_greatest_share']:.0f} %."
    )


def table(rows: Sequence[Row]) -> str:
    """A table in Markdown."""
    lines = [
        "| what | best peer | ours | goal | verdict | ours ÷ best peer | note |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        digits = row.goal.digits
        best = "–" if row.best is None else f"{row.best[0]} {_text(row.best[1], digits)}"
        ours = "–" if row.ours is None else _text(row.ours, digits)
        goal = f"≤ {_text(row.goal.limit, digits)} {row.goal.unit}".rstrip()
        cells = (row.goal.what, best, ours, goal, row.verdict, row.against_peer, row.note)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _row(goal: Goal, figures: Medians, workload: str, peer_workload: str | None = None) -> Row:
    peers = {
        server: value
        for (of, server), value in figures.items()
        if of == (peer_workload or workload) and server != OWN and not server.startswith("null")
    }
    best = min(peers.items(), key=lambda one: one[1], default=None)
    note = f"peers: {peer_workload}" if peer_workload else ""
    return Row(goal, figures.get((workload, OWN)), best, note)


def _at(found: Any, *keys: str) -> Any:
    """What stands at these keys; ``None`` where one is missing."""
    for key in keys:
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return found


def _load(live: Mapping[str, Any], name: str) -> str:
    load = _at(live, name, "load")
    if not load:
        return ""
    requested = _at(live, name, "requested_to_answered_ms", "p99")
    since = f"requested → answered {requested:.2f} ms, " if requested is not None else ""
    return f"{since}{load['qps']:,} q/s, worker {100 * load['worker_busy']:.0f} % busy"


def _reload_note(live: Mapping[str, Any], name: str) -> str:
    found = _at(live, "reload", name)
    if not found:
        return ""
    return f"{found['p99_us_before']:.0f} → {found['p99_us_during']:.0f} µs, {found['seconds']:.2f} s"


def _control_note(live: Mapping[str, Any], name: str) -> str:
    found = _at(live, "control", name)
    if not found:
        return ""
    rates = [
        f"{value:g} {key.removesuffix('_per_second')}/s" for key, value in found.items() if "_per_s" in key
    ]
    return (
        f"{found['p99_us_quiet']:.0f} → {found['p99_us_disturbed']:.0f} µs, {', '.join(rates)}, "
        f"control plane {100 * found['control_cpu_share']:.0f} % of its core"
    )


def _text(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}"
