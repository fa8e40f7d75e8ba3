"""What the steps that go by location make of units, whatever serves: ranks, fixed for each client."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tests.scenarios.steering_geography import Address, Location, kilometres, longest_match

if TYPE_CHECKING:
    from tests.scenarios.steering_reference import Reference

MOST_SPECIFIC_FIRST = ("subnet", "asn", "subdivision", "country", "continent", "default")
TOO_CLOSE, TOO_CLOSE_BIASED = 0.01, 30
"""Kilometres within which rounding decides, and with a bias the figure taken for the earth's radius."""


class TooCloseError(Exception):
    """Two distances differ by less than the data can tell."""


@dataclass(frozen=True)
class Ranks:
    """Per step the rank of each unit it keeps, least first; None for steps that go by something else.

    ``orders`` are the ordered groups of units at the end, and before them those at each ``take``; ``sticky``
    the steps of that kind that still find equals.
    """

    by_step: list[dict[int, int] | None]
    orders: tuple[tuple[frozenset[int], ...], ...]
    sticky: tuple[dict[str, Any], ...]

    def left_by_all(self, unit: int) -> bool:
        """Whether no fence drops the unit."""
        return all(unit in rank for rank in self.by_step if rank is not None)


def static_ranks(
    reference: Reference, steps: list[dict[str, Any]], units: Counter[int], kind: int, client: Address
) -> Ranks:
    """Run the steps over all declared units of the kind, each with the number of its candidates."""
    location = reference.geography.locate(client)
    left = list(units)
    path: dict[int, tuple[int, ...]] = dict.fromkeys(units, ())
    drawn = False  # each candidate is a group of its own by now, so that later ranks change nothing
    by_step: list[dict[int, int] | None] = []
    orders, sticky = [], []
    hashing: dict[str, Any] | None = None  # the sticky step that orders what is equal
    most = sum(units.values())

    def end_stage() -> None:
        groups = _groups(left, path)
        orders.append(groups)
        if hashing and most > 1 and any(sum(units[unit] for unit in group) > 1 for group in groups):
            sticky.append(hashing)

    for step in steps:
        rank = None
        match step["step"]:
            case "geo" | "asn" | "subnet":
                listed = _matching_rule(step["rules"], client, location)
                # Rules of one kind have no default: a client that none is for passes.
                passes = listed is None and step["step"] != "geo"
                rank = _listed(listed or {}, "prefer" if passes else step["mode"], left)
            case "failover":
                places = {
                    unit: place for place, tier in reversed([*enumerate(step["tiers"])]) for unit in tier
                }
                rank = _listed(places, step["mode"], left)
            case "latency" | "distance":
                rank = {}
                for group in set(path.values()):
                    members = [unit for unit in left if path[unit] == group]
                    if step["step"] == "latency":
                        values = {unit: latency(reference, unit, kind, client, location) for unit in members}
                        rank |= _bands(values, step.get("tolerance"))
                    else:
                        bias = dict(map(tuple, step.get("bias") or ()))
                        values = {
                            unit: distance(reference, unit, kind, location, bias.get(unit, 0))
                            for unit in members
                        }
                        rank |= _near(values, TOO_CLOSE_BIASED if bias else TOO_CLOSE)
            case "weighted" | "sticky":
                if step["step"] == "sticky" and not drawn:
                    hashing = step
                drawn = True
            case "take":
                end_stage()
                path = dict.fromkeys(units, ())
                drawn, hashing, most = False, None, step["count"]
        by_step.append(rank)
        if rank is not None:
            left = [unit for unit in left if unit in rank]
            if not drawn:
                path |= {unit: (*path[unit], rank[unit]) for unit in left}
    end_stage()
    return Ranks(by_step, tuple(orders), tuple(sticky))


def _groups(left: list[int], path: dict[int, tuple[int, ...]]) -> tuple[frozenset[int], ...]:
    paths = sorted({path[unit] for unit in left})
    return tuple(frozenset(unit for unit in left if path[unit] == one) for one in paths)


def _listed(places: dict[int, int], mode: str, units: list[int]) -> dict[int, int]:
    """Units that are listed by their place; the others last, or not at all."""
    last = max(places.values(), default=0) + 1
    return {unit: places.get(unit, last) for unit in units if unit in places or mode == "prefer"}


def matches(kind: str, value: str, client: Address, location: Location) -> bool:
    """Whether a client is at a location of any kind but ``subnet``."""
    match kind:
        case "asn":
            return location.asn is not None and location.asn == int(value)
        case "default":
            return True
    return getattr(location, kind) == value


def _most_specific(rows: list[dict[str, Any]], client: Address, location: Location) -> dict[str, Any] | None:
    for kind in MOST_SPECIFIC_FIRST:
        same = [row for row in rows if row["kind"] == kind]
        if kind == "subnet":
            found = longest_match([(row["value"], row) for row in same], client)
        else:
            found = next((row for row in same if matches(kind, row["value"], client, location)), None)
        if found:
            return found
    return None


def _matching_rule(rules: list[dict[str, Any]], client: Address, location: Location) -> dict[int, int] | None:
    """The places of the units in the rule that decides; None without such a rule."""
    rule = _most_specific(rules, client, location)
    return {unit: place for place, unit in enumerate(rule["units"])} if rule else None


def _pops(reference: Reference, unit: int, kind: int) -> set[int]:
    """The POPs that a unit stands for."""
    if unit < len(reference.pops):
        return {unit}
    return {reference.endpoints[leaf]["pop"] for leaf in reference.leaves(unit - len(reference.pops), kind)}


def latency(
    reference: Reference, unit: int, kind: int, client: Address, location: Location
) -> Fraction | None:
    """Milliseconds to the nearest POP of the unit, by the most specific row of each POP."""
    measured = []
    for pop in _pops(reference, unit, kind):
        rows = [row for row in reference.document["latency"] if row["pop"] == pop]
        row = _most_specific(rows, client, location)
        if row:
            measured.append(Fraction(str(row["milliseconds"])))
    return min(measured, default=None)


def distance(reference: Reference, unit: int, kind: int, location: Location, bias: float) -> float | None:
    """Kilometres to the nearest POP of the unit, with its bias."""
    if location.coordinates is None:
        return None
    places = [reference.pops[pop] for pop in _pops(reference, unit, kind)]
    known = [
        kilometres(location.coordinates, (place["latitude"], place["longitude"]))
        for place in places
        if place["latitude"] is not None
    ]
    return max(0.0, min(known) + bias) if known else None


def _bands(values: dict[int, Fraction | None], tolerance: dict[str, float] | None) -> dict[int, int]:
    """The best opens a band, and all within its tolerance are its equals; then the next one."""
    bands: dict[int, int] = {}
    band, limit = -1, Fraction(-1)
    for unit, value in sorted(values.items(), key=lambda row: (row[1] is None, row[1] or 0)):
        if value is None:
            bands[unit] = len(values)
            continue
        if value > limit:
            band += 1
            limit = value
            if tolerance and "milliseconds" in tolerance:
                limit = value + Fraction(str(tolerance["milliseconds"]))
            elif tolerance:
                limit = value + value * Fraction(str(tolerance["percent"])) / 100
        bands[unit] = band
    return bands


def _near(values: dict[int, float | None], too_close: float) -> dict[int, int]:
    known = sorted({value for value in values.values() if value is not None})
    if any(0 < two - one < too_close for one, two in pairwise(known)):
        raise TooCloseError
    return {unit: len(known) if value is None else known.index(value) for unit, value in values.items()}
