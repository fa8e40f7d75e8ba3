"""``gslb geo diff``: what a new geo database would move."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from gslb.cli.client import RequestError
from gslb.cli.output import EXIT_REFUSED, fail, print_facts, print_json, print_table, say
from gslb.cli.render import make_console, print_findings
from gslb.config.loader import load_steering
from gslb.config.report import has_errors
from gslb.config.wording import count
from gslb.errors import SteeringError
from gslb.steering.compile import compile_steering
from gslb.steering.databases import before_and_after
from gslb.steering.moves import DemandRow, MovedDemand, Moves, moved_demand, moves_between, share

if TYPE_CHECKING:
    from pathlib import Path

    from gslb.cli.client import Client
    from gslb.model.site import SteeringConfig
    from gslb.steering.moves import Amount, Move, TreeMoves

ROWS_SHOWN = 20
NAMES_SHOWN = 5

DEMAND_PAGE = 10_000
DEMAND_PAGES = 200
"""Rows of recent demand that are asked for at once, and how often at most."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The databases before and after, what moves, and recent demand or else why it is not known."""

    config: SteeringConfig
    before: list[str]
    after: list[str]
    moves: Moves
    demand: list[DemandRow]
    demand_unknown: str

    @property
    def names_without_moves(self) -> list[str]:
        """Steered names of whom no client moves."""
        moving = {name for tree in self.moves.trees for name in tree.names}
        return sorted({name.name for name in self.config.names} - moving)


def diff(client: Client, old: Path, new: Path, site: Path, *, limit: int, as_json: bool) -> None:
    """Print what moves. Exits 1 when the site or a database cannot be used."""
    config, findings = load_steering(site)
    if has_errors(findings):
        print_findings(make_console(stderr=True), findings)
        fail("the site does not load; correct the errors first", EXIT_REFUSED)
    try:
        before, after = before_and_after(config.databases, old, new)
        moves = _compare(config, before, after, limit)
    except SteeringError as error:
        fail(str(error), EXIT_REFUSED)
    demand, reason = _recent_demand(client) if moves.trees else ([], "")
    found = Comparison(config, before, after, moves, demand, reason)
    if as_json:
        print_json(_as_document(found))
    else:
        _print(found)


def _compare(config: SteeringConfig, before: list[str], after: list[str], limit: int) -> Moves:
    compiled = [
        compile_steering(config.model_copy(update={"databases": tuple(databases)}))
        for databases in (before, after)
    ]
    return moves_between(compiled[0], compiled[1], config, limit)


def _recent_demand(client: Client) -> tuple[list[DemandRow], str]:
    """All rows of recent demand; without any the reason why there are none."""
    rows: list[DemandRow] = []
    offset: int | None = 0
    try:
        for _ in range(DEMAND_PAGES):
            page = client.try_get(
                "/v1/demand", by="name,type,country", limit=str(DEMAND_PAGE), offset=str(offset)
            )
            rows += [
                DemandRow(row["name"], row["type"], row["country"], row["queries_per_second"])
                for row in page["rows"]
            ]
            offset = page["next_offset"]
            if offset is None:
                break
    except RequestError as error:
        return [], str(error)
    return rows, "" if rows else "the server has answered no query for a steered name lately"


def _print(found: Comparison) -> None:
    moves = found.moves
    replaced = [(old, new) for old, new in zip(found.before, found.after, strict=True) if old != new]
    print_facts([("before", old) for old, _ in replaced] + [("after", new) for _, new in replaced])
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
