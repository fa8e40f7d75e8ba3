"""What a steering configuration says of its endpoints, by number. Pure; made in any thread, then immutable.

A table of the live state (``gslb/steering/verdict.py``) hangs on a roster. Another configuration has another
one: a ``Succession`` says what of the old state goes where in the new. Both take long to make for a large
site, so a reload makes them off the event loop, and only moves the state there.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gslb.model.site import Endpoint, Pool, SteeringConfig, UnknownCounts
    from gslb.steering.availability import Need

Identity = tuple[str, str, str, int]
"""An endpoint over reloads: pool, POP, what it answers, and its place among those alike."""

NEW = -1
"""Stands for the number before of what is new."""


class Roster:
    """The endpoints of a configuration, numbered from 0: pools in their order, endpoints in that of the pool.

    ``pops``, ``pool_names`` and ``unknown_counts`` have one entry per endpoint. A *group* are the endpoints
    of one pool that have one RR type: ``groups`` has for each how many of them must serve, and their numbers;
    ``groups_of`` the groups of each endpoint.
    """

    def __init__(self, config: SteeringConfig) -> None:
        self._pools = config.pools
        sizes = [len(pool.endpoints) for pool in config.pools]
        self._firsts = [0, *accumulate(sizes)][: len(sizes)]
        self.pops: list[str] = [endpoint.pop for pool in config.pools for endpoint in pool.endpoints]
        self.pool_names: list[str] = [pool.name for pool in config.pools for _ in pool.endpoints]
        self.unknown_counts: list[UnknownCounts] = [
            pool.unknown_counts for pool in config.pools for _ in pool.endpoints
        ]
        self.groups: list[tuple[Need, list[int]]] = []
        self.groups_of: list[tuple[int, ...]] = []
        self._keys: list[tuple[str, int]] = []
        for pool in config.pools:
            self._add(pool)

    def __len__(self) -> int:
        return len(self.pops)

    def endpoint(self, number: int) -> tuple[Pool, Endpoint]:
        """The endpoint with this number and its pool."""
        position = bisect_right(self._firsts, number) - 1
        pool = self._pools[position]
        return pool, pool.endpoints[number - self._firsts[position]]

    def numbers_of(self, pop: str) -> list[int]:
        """The endpoints of a POP."""
        return [number for number, own in enumerate(self.pops) if own == pop]

    def after(self, before: Roster) -> Succession:
        """What of the state of ``before`` goes on here, and where."""
        known = {identity: number for number, identity in enumerate(_identities(before._pools))}
        endpoints = [known.get(identity, NEW) for identity in _identities(self._pools)]
        groups_before = {key: group for group, key in enumerate(before._keys)}
        groups = [groups_before.get(key, NEW) for key in self._keys]
        changed = {
            number
            for number, source in enumerate(endpoints)
            if source == NEW
            or self.unknown_counts[number] is not before.unknown_counts[source]
            or [groups[group] for group in self.groups_of[number]] != list(before.groups_of[source])
        }
        for (need, numbers), source in zip(self.groups, groups, strict=True):
            if (
                source == NEW
                or (need, sorted(endpoints[number] for number in numbers)) != before.groups[source]
            ):
                changed.update(numbers)
        return Succession(self, endpoints, groups, frozenset(changed))

    def _add(self, pool: Pool) -> None:
        by_kind: dict[int, int] = {}
        shared: dict[tuple[int, ...], tuple[int, ...]] = {}
        for endpoint in pool.endpoints:
            number = len(self.groups_of)
            kinds = endpoint.kinds
            for kind in kinds:
                if kind not in by_kind:
                    by_kind[kind] = len(self.groups)
                    self._keys.append((pool.name, kind))
                    self.groups.append((pool.min_healthy.of(kind), []))
                self.groups[by_kind[kind]][1].append(number)
            own = tuple(by_kind[kind] for kind in kinds)
            self.groups_of.append(shared.setdefault(own, own))


@dataclass(frozen=True, slots=True)
class Succession:
    """A roster, and where what is known of its endpoints and groups was before: their numbers, or ``NEW``.

    ``changed`` are the endpoints that are judged anew even if nothing is observed of them: those that are
    new, and those whose pool asks for something else now, or has others beside them.
    """

    roster: Roster
    endpoints: Sequence[int]
    groups: Sequence[int]
    changed: frozenset[int]


def _identities(pools: Iterable[Pool]) -> Iterator[Identity]:
    """Of each endpoint, by number. Not kept: to free many thousands would hold up the event loop."""
    for pool in pools:
        alike: dict[tuple[str, str], int] = {}
        for endpoint in pool.endpoints:
            key = (endpoint.pop, _target(endpoint))
            alike[key] = alike.get(key, -1) + 1
            yield (pool.name, *key, alike[key])


def _target(endpoint: Endpoint) -> str:
    return endpoint.cname or ("" if endpoint.address is None else str(endpoint.address))
