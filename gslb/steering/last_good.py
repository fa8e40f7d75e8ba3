"""Last-good marks: which endpoints served when their pool was last available. Pure.

While a pool is available for an RR type, its endpoints of that type are marked if they serve, and not if they
do not. While it is not, the marks stay as they are: they are what ``when_all_down: last_good`` answers. Marks
are kept in memory alone: after a restart they begin anew with what serves then.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from gslb.model.health import Verdict
from gslb.steering.availability import is_enough

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gslb.model.site import Endpoint, Pool, SteeringConfig
    from gslb.steering.availability import Need

Identity = tuple[str, str, str, int]
"""An endpoint over reloads: pool, POP, what it answers, and its place among those alike."""


class LastGood:
    """One mark per endpoint of a configuration, by number."""

    def __init__(self, config: SteeringConfig, before: LastGood | None = None) -> None:
        """``before`` has the marks of another configuration: those of endpoints in both stay."""
        self._groups: list[tuple[Need, list[int]]] = []
        self._groups_of: list[list[int]] = []
        self._identities: list[Identity] = []
        for pool in config.pools:
            self._add(pool)
        marked = before.marked() if before is not None else frozenset()
        self._marks = [identity in marked for identity in self._identities]

    def __getitem__(self, number: int) -> bool:
        return self._marks[number]

    def copy(self) -> LastGood:
        """The same marks, to be changed apart from these."""
        other = copy(self)
        other._marks = list(self._marks)
        return other

    def marked(self) -> frozenset[Identity]:
        """The endpoints that are marked."""
        pairs = zip(self._identities, self._marks, strict=True)
        return frozenset(identity for identity, mark in pairs if mark)

    def update(self, touched: Iterable[int], verdicts: Sequence[Verdict]) -> set[int]:
        """Mark anew after the ``verdicts`` of the ``touched`` changed; the endpoints whose mark changed."""
        changed: set[int] = set()
        for group in {group for number in touched for group in self._groups_of[number]}:
            need, numbers = self._groups[group]
            own = [verdicts[number] for number in numbers]
            if not is_enough(need, own):
                continue
            for number, verdict in zip(numbers, own, strict=True):
                mark = verdict is Verdict.SERVING
                if self._marks[number] is not mark:
                    self._marks[number] = mark
                    changed.add(number)
        return changed

    def _add(self, pool: Pool) -> None:
        by_kind: dict[int, int] = {}
        alike: dict[tuple[str, str], int] = {}
        for endpoint in pool.endpoints:
            number = len(self._groups_of)
            self._groups_of.append([])
            for kind in endpoint.kinds:
                if kind not in by_kind:
                    by_kind[kind] = len(self._groups)
                    self._groups.append((pool.min_healthy.of(kind), []))
                self._groups[by_kind[kind]][1].append(number)
                self._groups_of[number].append(by_kind[kind])
            key = (endpoint.pop, _target(endpoint))
            alike[key] = alike.get(key, -1) + 1
            self._identities.append((pool.name, *key, alike[key]))


def _target(endpoint: Endpoint) -> str:
    return endpoint.cname or ("" if endpoint.address is None else str(endpoint.address))
