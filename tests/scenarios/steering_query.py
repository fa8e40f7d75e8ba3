"""Runs a policy's steps over what counts, and lists everything that the draws can come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations, product
from typing import TYPE_CHECKING, Any

from tests.scenarios.steering_sticky import score, sticky_prefix

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.scenarios.steering_geography import Address
    from tests.scenarios.steering_reference import Reference

A, CNAME, AAAA = 1, 5, 28
SERVING, DOWN, DRAINED, LAST_GOOD = 0, 1, 2, 4
MOST_ENDPOINTS = 64
MOST_SEQUENCES = 4_000

Count = Callable[[int], bool]
Answer = tuple[int, ...]
NOTHING: Answer = ()


class TooManyError(Exception):
    """More sequences are possible than can be listed."""


@dataclass(frozen=True)
class Candidate:
    """What a policy chooses among: an endpoint, or a member pool."""

    unit: int
    weight: int
    identity: bytes
    endpoint: int = -1
    pool: int = -1


Groups = tuple[tuple[Candidate, ...], ...]
"""Candidates in groups of equals, best first."""


class Query:
    """One question of one client at one moment."""

    def __init__(
        self, reference: Reference, kind: int, client: Address, verdicts: bytes, loads: bytes
    ) -> None:
        self.reference = reference
        self.kind = kind
        self.client = client
        self.verdicts = verdicts
        self.loads = loads
        self._answers: dict[Any, frozenset[Answer]] = {}

    def answers(self, pool: int, policy: int | None, counts: Count, healthy: bool) -> frozenset[Answer]:
        """Every sequence of endpoints that the pool may give. ``healthy``: members must be available."""
        if (pool, policy) not in self._answers:
            found = set()
            tried = 0
            for chosen in self._chosen(pool, policy, counts, healthy):
                parts = [
                    [(one.endpoint,)]
                    if one.pool < 0
                    else self.answers(one.pool, None, counts, healthy) - {NOTHING}
                    for one in chosen
                ]
                for sequences in product(*parts):
                    once = dict.fromkeys(number for sequence in sequences for number in sequence)
                    found.add(tuple(once)[:MOST_ENDPOINTS])
                    tried += 1
                    _bound(tried // 10)  # many ways may lead to the same few
            self._answers[pool, policy] = frozenset(found)
        return self._answers[pool, policy]

    def _chosen(
        self, pool: int, policy: int | None, counts: Count, healthy: bool
    ) -> set[tuple[Candidate, ...]]:
        """Every choice among the pool's candidates that the draws can come to, in order."""
        declared = self.reference.candidates(pool, self.kind)
        may_count = [
            (counts(one.endpoint),) if one.pool < 0 else self._may_count(one.pool, counts, healthy)
            for one in declared
        ]
        found: set[tuple[Candidate, ...]] = set()
        for draws in product(*may_count):
            counting = [one for one, does in zip(declared, draws, strict=True) if does]
            found |= self._chosen_of(counting, pool, policy, counts)
            _bound(len(found))
        return found

    def _chosen_of(
        self, candidates: list[Candidate], pool: int, policy: int | None, counts: Count
    ) -> set[tuple[Candidate, ...]]:
        """Every choice of the steps among candidates that all count."""
        reference = self.reference
        steps = reference.steps(pool, policy)
        ranks = reference.ranks(pool, policy, self.kind, self.client)
        same_pop = any(step["step"] == "same_pop" for step in steps)
        if same_pop:
            candidates = self._of_whole_pops(pool, candidates, counts)
        possible: set[Groups] = {(tuple(candidates),)}
        weighed = False  # whether a step since the last `take` went by weight
        for number, step in enumerate(steps):
            if step["step"] == "take":
                possible = {self._spares_last(groups, pool, weighed, same_pop) for groups in possible}
                weighed = False
            weighed = weighed or step["step"] in ("weighted", "sticky")
            rank = ranks.by_step[number]
            after: set[Groups] = set()
            for groups in possible:
                for outcome in self._step(step, rank, groups, pool, same_pop):
                    after.add(tuple(group for group in outcome if group))
                    _bound(len(after))
            possible = after
        possible = {self._spares_last(groups, pool, weighed, same_pop) for groups in possible}
        return {groups[0] if groups else () for groups in possible}

    def _may_count(self, pool: int, counts: Count, healthy: bool) -> tuple[bool, ...]:
        """Whether a member counts, which its draws decide where a fence behind them may leave it nothing."""
        if healthy and not self.reference.available(pool, self.kind, self.verdicts):
            return (False,)
        answers = self.answers(pool, None, counts, healthy)
        return tuple(does for does in (True, False) if (answers - {NOTHING} if does else NOTHING in answers))

    def _of_whole_pops(self, pool: int, candidates: list[Candidate], counts: Count) -> list[Candidate]:
        """Those whose POP counts in each family that it has.

        All of them where none is left, and where POPs have both families, but none counts in both.
        """
        declared = self.reference.candidates(pool, self.kind)
        pops = {one.unit: self._families(pool, one.unit) for one in declared}
        whole = {pop for pop, families in pops.items() if all(any(map(counts, one)) for one in families)}
        of_both = {pop for pop, families in pops.items() if len(families) == 2}
        left = [one for one in candidates if one.unit in whole]
        return candidates if not left or (of_both and not of_both & whole) else left

    def _families(self, pool: int, pop: int) -> list[list[int]]:
        """The endpoints that a POP has in this pool for each family of which it has any."""
        here = self._at(pool, pop)
        families = [[number for number in here if self.reference.has(number, kind)] for kind in (A, AAAA)]
        return [family for family in families if family]

    def _at(self, pool: int, pop: int) -> list[int]:
        """The endpoints of a pool in a POP."""
        reference = self.reference
        return [number for number in reference.numbers[pool] if reference.endpoints[number]["pop"] == pop]

    def _weight(self, one: Candidate, pool: int, same_pop: bool) -> int:
        """The candidate's weight; under ``same_pop`` that of its POP, the sum over both families."""
        if not same_pop:
            return one.weight
        return sum(self.reference.endpoints[number]["weight"] for number in self._at(pool, one.unit))

    def _spares_last(self, groups: Groups, pool: int, weighed: bool, same_pop: bool) -> Groups:
        """Where a step went by weight, what has weight 0 is behind all else."""
        if not weighed:
            return groups
        heavy = {one: self._weight(one, pool, same_pop) > 0 for group in groups for one in group}
        split = (
            tuple(one for one in group if heavy[one] is wanted)
            for wanted in (True, False)
            for group in groups
        )
        return tuple(group for group in split if group)

    def _step(
        self, step: dict[str, Any], rank: dict[int, int] | None, groups: Groups, pool: int, same_pop: bool
    ) -> Iterable[Groups]:
        """Every outcome of one step."""
        match step["step"]:
            case "same_pop":
                return [groups]
            case "take":
                return [(tuple([one for group in groups for one in group][: step["count"]]),)]
            case "shuffle":
                return product(*(permutations(group) for group in groups))
            case "weighted":
                orders = product(*(weighted_orders(group) for group in groups))
                return (tuple((one,) for group in order for one in group) for order in orders)
            case "sticky":
                prefix = sticky_prefix(self.client, step["ipv4"], step["ipv6"])
                ranked = (self._by_score(group, prefix, pool, same_pop) for group in groups)
                return [tuple(equals for order in ranked for equals in order)]
            case "shed":
                return self._shed(step, groups)
        assert rank is not None
        places = sorted(set(rank.values()))
        return [
            tuple(
                tuple(one for one in group if rank.get(one.unit) == place)
                for group in groups
                for place in places
            )
        ]

    def _by_score(
        self, group: tuple[Candidate, ...], prefix: bytes, pool: int, same_pop: bool
    ) -> list[tuple[Candidate, ...]]:
        if not same_pop:
            return [(one,) for one in sorted(group, key=lambda one: score(one.identity, one.weight, prefix))]
        scores = {
            one.unit: score(
                self.reference.pops[one.unit]["name"].encode(), self._weight(one, pool, True), prefix
            )
            for one in group
        }
        return [
            tuple(one for one in group if one.unit == pop) for pop in sorted(scores, key=scores.__getitem__)
        ]

    def _shed(self, step: dict[str, Any], groups: Groups) -> Iterator[Groups]:
        low, high = Fraction(str(step["low"])), Fraction(str(step["high"]))
        chances: list[tuple[bool, ...]] = []
        units = list(dict.fromkeys(one.unit for group in groups for one in group))
        for unit in units:
            load = self.reference.load(unit, self.kind, self.verdicts, self.loads)
            chances.append((False,) if load <= low else (True,) if load >= high else (False, True))
        for draws in product(*chances):
            is_shed = dict(zip(units, draws, strict=True))
            yield tuple(
                tuple(one for one in group if is_shed[one.unit] == later)
                for later in (False, True)
                for group in groups
            )


def weighted_orders(group: tuple[Candidate, ...]) -> Iterator[tuple[Candidate, ...]]:
    """Every order of a group by weight: those of weight 0 after all others."""
    some = permutations(one for one in group if one.weight)
    none = list(permutations(one for one in group if not one.weight))
    return (first + last for first in some for last in none)


def _bound(count: int) -> None:
    if count > MOST_SEQUENCES:
        raise TooManyError


def stand_in(all_down: str, leaves: list[int], verdicts: bytes) -> Count:
    """Which endpoints count while the root pool, with these leaves of the kind, is not available."""

    def not_drained(number: int) -> bool:
        return verdicts[number] & 3 != DRAINED

    def last_good(number: int) -> bool:
        return not_drained(number) and bool(verdicts[number] & LAST_GOOD)

    if all_down == "last_good" and any(map(last_good, leaves)):
        return last_good
    return not_drained if any(map(not_drained, leaves)) else lambda number: True
