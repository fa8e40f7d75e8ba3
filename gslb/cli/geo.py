"""``gslb geo diff``: what a new geo database would move, and whether a reload would take it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from gslb.cli.geo_server import api_latency, recent_demand
from gslb.cli.output import EXIT_REFUSED, fail, print_facts, print_json, print_table, say
from gslb.cli.render import finding_document, make_console, print_findings
from gslb.compile import compile_site
from gslb.config.report import sort_findings
from gslb.config.wording import count
from gslb.errors import SiteError, SteeringError
from gslb.model.finding import Severity
from gslb.model.site import LatencyStep
from gslb.policy_tests import failures, run_policy_tests
from gslb.steering.compile import compile_steering
from gslb.steering.databases import before_and_after
from gslb.steering.geo_checks import check_exchanged
from gslb.steering.latency import with_latency
from gslb.steering.moves import MovedDemand, Moves, moved_demand, moves_between, share
from gslb.zones.site import inspect_site

if TYPE_CHECKING:
    from pathlib import Path

    from gslb._dataplane import Steering
    from gslb.cli.client import Client
    from gslb.model.finding import Finding
    from gslb.model.site import SteeringConfig
    from gslb.steering.moves import Amount, DemandRow, Move, TreeMoves
    from gslb.zones.site import LoadedSite

ROWS_SHOWN = 20
NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Comparison:
    """The databases before and after, what moves, and recent demand or else why it is not known.

    ``latency_rows`` is how many rows the API set, ``latency_unknown`` why that is not known; ``findings`` are
    what a reload would say.
    """

    config: SteeringConfig
    before: list[str]
    after: list[str]
    moves: Moves
    demand: list[DemandRow]
    demand_unknown: str
    latency_rows: int
    latency_unknown: str
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> list[Finding]:
        """What a reload would be refused for."""
        return [finding for finding in self.findings if finding.severity is Severity.ERROR]

    @property
    def names_without_moves(self) -> list[str]:
        """Steered names of whom no client moves."""
        moving = {name for tree in self.moves.trees for name in tree.names}
        return sorted({name.name for name in self.config.names} - moving)


def diff(client: Client, old: Path, new: Path, site: Path, *, limit: int, as_json: bool) -> None:
    """Print what moves, and why a reload would be refused.

    Exits 1 when it would be, and when the site or a database cannot be used.
    """
    inspected = inspect_site(site)
    loaded = inspected.site
    if loaded is None:
        print_findings(make_console(stderr=True), inspected.findings)
        fail("the site does not load; correct the errors first", EXIT_REFUSED)
    rows, latency_reason = api_latency(client) if _looks_at_latency(loaded.steering) else ([], "")
    config = with_latency(loaded.steering, rows)
    try:
        before, after = before_and_after(config.databases, old, new)
        compiled = compile_steering(_with_databases(config, before))
        changed = compile_steering(_with_databases(config, after))
        moves = moves_between(compiled, changed, config, limit)
    except SteeringError as error:
        fail(str(error), EXIT_REFUSED)
    findings = _findings(replace(loaded, steering=_with_databases(config, after)), compiled, changed)
    demand, reason = recent_demand(client) if moves.trees else ([], "")
    found = Comparison(config, before, after, moves, demand, reason, len(rows), latency_reason, findings)
    if as_json:
        print_json(_as_document(found))
    else:
        _print(found)
    print_findings(make_console(stderr=True), found.findings)
    if found.errors:
        fail(f"a reload with {new} would be refused: {count(len(found.errors), 'error')}", EXIT_REFUSED)


def _looks_at_latency(config: SteeringConfig) -> bool:
    return any(isinstance(step, LatencyStep) for policy in config.policies for step in policy.steps)


def _with_databases(config: SteeringConfig, databases: list[str]) -> SteeringConfig:
    return config.model_copy(update={"databases": tuple(databases)})


def _findings(site: LoadedSite, old: Steering, new: Steering) -> tuple[Finding, ...]:
    """What a reload of ``site``, which is compiled to ``new``, would say where ``old`` is served."""
    try:
        compiled = compile_site(site, lambda _: new)
    except SiteError as refused:
        return sort_findings(refused.findings)
    outcomes = run_policy_tests(site.tests, site.steering, compiled.zones, new)
    replaced = check_exchanged(old, site.steering, new)
    return sort_findings([*compiled.findings, *replaced, *failures(outcomes)])


def _print(found: Comparison) -> None:
    moves = found.moves
    replaced = [(old, new) for old, new in zip(found.before, found.after, strict=True) if old != new]
    print_facts([("before", old) for old, _ in replaced] + [("after", new) for _, new in replaced])
    if found.latency_rows:
        print_facts([("latency", f"with {count(found.latency_rows, 'row')} that the API set")])
    if moves.trees:
        print_facts([("known", _known(moves.known))])
    for tree in moves.trees:
        say("")
        _print_tree(tree, moves.known, found.demand)
    say("")
    still = len(found.names_without_moves)
    if still or not moves.trees:
        say(f"nothing moves for {count(still, 'name')}" + (" more" if moves.trees else ""))
    if moves.omitted:
        say(f"{count(moves.omitted, 'table')} of locations not compared: there is too much to compare")
    if found.demand_unknown:
        say(f"recent demand is not known: {found.demand_unknown.splitlines()[0]}")
    if found.latency_unknown:
        say(f"latency rows that the API set are left out: {found.latency_unknown.splitlines()[0]}")


def _print_tree(tree: TreeMoves, known: Amount, demand: list[DemandRow]) -> None:
    names = [f"{name} {', '.join(types)}" for name, types in tree.names.items()]
    more = f" and {count(len(names) - NAMES_SHOWN, 'name')} more" if len(names) > NAMES_SHOWN else ""
    say("; ".join(names[:NAMES_SHOWN]) + more)
    parts = [
        f"{_percent(tree.moved.ipv4, known.ipv4)} of IPv4 addresses",
        f"{_percent(tree.moved.ipv6, known.ipv6)} of IPv6 /48s",
    ]
    if demand:
        moved = moved_demand(tree, demand)
        rates = f"{moved.moved:.1f} of {moved.rate:.1f} q/s"
        parts.append(f"{_percent(moved.moved, moved.rate)} of recent demand ({rates})")
    say(f"  moves: {', '.join(parts)}, in {count(tree.moved.networks, 'network')}")
    headings = ("FROM", "TO", "COUNTRY", "NETWORKS", "IPV4", "SHARE", "IPV6/48", "SHARE", "EXAMPLES")
    print_table(headings, [_row(move, known) for move in tree.moves[:ROWS_SHOWN]], indent=2)
    hidden = len(tree.moves) - ROWS_SHOWN
    if hidden > 0:
        say(f"  and {count(hidden, 'smaller move')}; --json shows all")


def _row(move: Move, known: Amount) -> tuple[str, ...]:
    return (
        "+".join(move.source) or "(zone)",
        "+".join(move.target) or "(zone)",
        move.country or "-",
        f"{move.amount.networks:,}",
        f"{move.amount.ipv4:,}",
        _percent(move.amount.ipv4, known.ipv4),
        f"{move.amount.ipv6:,.0f}",
        _percent(move.amount.ipv6, known.ipv6),
        " ".join(move.examples) or "-",
    )


def _known(known: Amount) -> str:
    return f"{known.ipv4:,} IPv4 addresses and {known.ipv6:,.0f} IPv6 /48s"


def _percent(part: float, whole: float) -> str:
    found = 100 * share(part, whole)
    return f"{found:.2f}%" if found >= 0.005 or not part else "<0.01%"


def _as_document(found: Comparison) -> dict[str, Any]:
    known = found.moves.known
    return {
        "before": found.before,
        "after": found.after,
        "known": asdict(known),
        "trees": [_tree_document(tree, known, found.demand) for tree in found.moves.trees],
        "names_without_moves": found.names_without_moves,
        "omitted": found.moves.omitted,
        "demand_unknown": found.demand_unknown or None,
        "latency_rows": found.latency_rows,
        "latency_unknown": found.latency_unknown or None,
        "refused": [finding_document(finding) for finding in found.errors],
    }


def _tree_document(tree: TreeMoves, known: Amount, demand: list[DemandRow]) -> dict[str, Any]:
    return {
        "names": [{"name": name, "types": list(types)} for name, types in tree.names.items()],
        "moved": _amount_document(tree.moved, known),
        "demand": _demand_document(moved_demand(tree, demand)) if demand else None,
        "moves": [
            {
                "country": move.country,
                "from": list(move.source),
                "to": list(move.target),
                **_amount_document(move.amount, known),
                "examples": list(move.examples),
            }
            for move in tree.moves
        ],
        "rest": _amount_document(tree.rest, known),
    }


def _amount_document(amount: Amount, known: Amount) -> dict[str, float]:
    return {
        **asdict(amount),
        "ipv4_share": share(amount.ipv4, known.ipv4),
        "ipv6_share": share(amount.ipv6, known.ipv6),
    }


def _demand_document(demand: MovedDemand) -> dict[str, float]:
    return {
        "queries_per_second": demand.rate,
        "moved": demand.moved,
        "share": share(demand.moved, demand.rate),
    }
