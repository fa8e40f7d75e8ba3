"""What a new geo database moves: which networks, what share of demand, get other POPs than before.

The data plane compares two compiled steerings (``Steering.moves_from``) and tells it as JSON::

    {"trees": [{"names": [[0, 1], [0, 28]], "moved": AMOUNT, "countries": {"DE": AMOUNT},
                "moves": [{"country": "DE", "from": ["fra"], "to": ["ams"], "networks": 12, "ipv4": 3072,
                           "ipv6": 16.0, "examples": ["192.0.2.0/24"]}],
                "rest": AMOUNT}],
     "countries": {"DE": AMOUNT}, "omitted": 0}

``names`` are (index into the config's names, type); names whose clients move alike stand together, and names
of whom nobody moves are left out. AMOUNT is ``{"networks": n, "ipv4": addresses, "ipv6": /48s}``. A move's
country is that of the databases after the change, ``countries`` are those of the databases before: by them
demand is known.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gslb.config.rdata import present_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gslb._dataplane import Steering
    from gslb.model.site import SteeringConfig


@dataclass(frozen=True, slots=True)
class Amount:
    """A part of the address space. ``ipv6`` counts networks of length 48, parts of one too."""

    networks: int = 0
    ipv4: int = 0
    ipv6: float = 0.0


@dataclass(frozen=True, slots=True)
class Move:
    """Networks of one country that leave the same POPs for the same others.

    ``country`` is empty where none is known; ``source`` or ``target`` is where the zone's own records answer.
    """

    country: str
    source: tuple[str, ...]
    target: tuple[str, ...]
    amount: Amount
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TreeMoves:
    """How the clients of some names move; ``moves`` the largest first, ``rest`` what is not among them.

    ``names`` has the types of each name, such as ``("A", "AAAA")``; ``countries`` what share of each
    country's addresses moves, 0 to 1, by the country before the change.
    """

    names: dict[str, tuple[str, ...]]
    moved: Amount
    countries: dict[str, float]
    moves: tuple[Move, ...]
    rest: Amount


@dataclass(frozen=True, slots=True)
class Moves:
    """All that moves. ``known``: what the databases, before or after, say anything about.

    ``omitted`` counts what was not compared, for want of time.
    """

    trees: tuple[TreeMoves, ...]
    known: Amount
    omitted: int


@dataclass(frozen=True, slots=True)
class DemandRow:
    """Recent queries a second for one name and type from one country."""

    name: str
    rtype: str
    country: str
    rate: float


@dataclass(frozen=True, slots=True)
class MovedDemand:
    """Queries a second for some names, and how many of them come from networks that move."""

    rate: float
    moved: float


def moves_between(before: Steering, after: Steering, config: SteeringConfig, limit: int) -> Moves:
    """What moves; ``config`` is that of ``after``. ``limit``: examples of each move. Blocks."""
    return read_moves(json.loads(after.moves_from(before, limit)), config)


def read_moves(told: dict[str, Any], config: SteeringConfig) -> Moves:
    """What the data plane tells."""
    countries = {country: _amount(amount) for country, amount in told["countries"].items()}
    known = Amount(
        sum(amount.networks for amount in countries.values()),
        sum(amount.ipv4 for amount in countries.values()),
        sum(amount.ipv6 for amount in countries.values()),
    )
    trees = tuple(_tree(tree, countries, config) for tree in told["trees"])
    return Moves(trees, known, told["omitted"])


def moved_demand(tree: TreeMoves, demand: Iterable[DemandRow]) -> MovedDemand:
    """The demand for the names of a tree, weighted per country by the share of its addresses that moves."""
    rate = moved = 0.0
    for row in demand:
        if row.rtype in tree.names.get(row.name, ()):
            rate += row.rate
            moved += row.rate * tree.countries.get(row.country, 0.0)
    return MovedDemand(rate, moved)


def share(part: float, whole: float) -> float:
    """0 to 1; of nothing nothing moves."""
    return min(1.0, part / whole) if whole else 0.0


def _tree(told: dict[str, Any], known: dict[str, Amount], config: SteeringConfig) -> TreeMoves:
    types = defaultdict[str, list[int]](list)
    for index, rtype in told["names"]:
        types[config.names[index].name].append(rtype)
    return TreeMoves(
        names={name: tuple(map(present_type, sorted(numbers))) for name, numbers in types.items()},
        moved=_amount(told["moved"]),
        countries={
            country: _share(_amount(amount), known.get(country, Amount()))
            for country, amount in told["countries"].items()
        },
        moves=tuple(_move(move) for move in told["moves"]),
        rest=_amount(told["rest"]),
    )


def _share(moved: Amount, known: Amount) -> float:
    """Of a country's addresses: of IPv4 where it has any, which most queries come from, else of IPv6."""
    return share(moved.ipv4, known.ipv4) if known.ipv4 else share(moved.ipv6, known.ipv6)


def _move(told: dict[str, Any]) -> Move:
    examples: Sequence[str] = told["examples"]
    return Move(told["country"], tuple(told["from"]), tuple(told["to"]), _amount(told), tuple(examples))


def _amount(told: dict[str, Any]) -> Amount:
    return Amount(told["networks"], told["ipv4"], told["ipv6"])
