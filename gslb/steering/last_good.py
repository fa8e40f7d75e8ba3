"""Last-good marks: which endpoints served until their pool was not available any more. Pure.

An endpoint is marked for an RR type while it serves, and for ``SETTLE_SECONDS`` after it stopped. Where too
few of its pool serve, those stay marked that were so at the moment when that began: an outage is seen
endpoint by endpoint, and a fault of whoever probes takes all of them one after the other. So the last to go
is no better than the others. What was never seen up, before it was seen down, is not marked.

Marks are what ``when_all_down: last_good`` answers. They are kept in memory alone: after a restart they begin
anew with what serves then.
"""

from __future__ import annotations

from copy import copy
from math import inf
from typing import TYPE_CHECKING

from gslb.model.health import Observed, Verdict
from gslb.steering.availability import is_enough

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gslb.model.site import Endpoint, Pool, SteeringConfig
    from gslb.steering.availability import Need

SETTLE_SECONDS = 300.0
"""An outage may take so long until all of it is seen: intervals of a slow monitor, a failure that spreads."""

NEVER = -inf

Identity = tuple[str, str, str, int]
"""An endpoint over reloads: pool, POP, what it answers, and its place among those alike."""


class LastGood:
    """One mark per endpoint of a configuration, by number.

    Times are seconds of a monotonic clock, the same at every call.
    """

    def __init__(self, config: SteeringConfig, before: LastGood | None = None) -> None:
        """``before`` is that of another configuration: what is known of endpoints and pools in both stays."""
        self._groups: list[tuple[Need, list[int]]] = []
        self._groups_of: list[list[int]] = []
        self._keys: list[tuple[str, int]] = []
        self._identities: list[Identity] = []
        for pool in config.pools:
            self._add(pool)
        served: dict[Identity, float] = {}
        seen_up: frozenset[Identity] = frozenset()
        lost: dict[tuple[str, int], float] = {}
        if before is not None:
            served, seen_up = before._known()
            lost = dict(zip(before._keys, before._lost, strict=True))
        self._served = [served.get(identity, NEVER) for identity in self._identities]
        """When each served last: infinity while it serves."""
        self._seen_up = [identity in seen_up for identity in self._identities]
        self._lost: list[float] = [lost.get(key, inf) for key in self._keys]
        """Since when too few of each group serve: infinity while enough do."""
        self._marks = [False] * len(self._identities)
        self._expiring: set[int] = set()
        """Those that are marked and stopped serving."""

    def __getitem__(self, number: int) -> bool:
        return self._marks[number]

    def copy(self) -> LastGood:
        """The same marks, to be changed apart from these."""
        other = copy(self)
        other._served, other._seen_up = list(self._served), list(self._seen_up)
        other._lost, other._marks = list(self._lost), list(self._marks)
        other._expiring = set(self._expiring)
        return other

    def update(
        self, touched: Iterable[int], verdicts: Sequence[Verdict], observed: Sequence[Observed], now: float
    ) -> set[int]:
        """Mark anew after verdicts of the ``touched`` changed; the endpoints whose mark changed."""
        touched = list(touched)
        for number in touched:
            self._seen_up[number] |= observed[number] is Observed.UP
            if verdicts[number] is Verdict.SERVING:
                self._served[number] = inf
            elif verdicts[number] is Verdict.DOWN and not self._seen_up[number]:
                self._served[number] = NEVER
            elif self._served[number] == inf:
                self._served[number] = now
        groups = {group for number in touched for group in self._groups_of[number]}
        for group in groups:
            need, numbers = self._groups[group]
            if is_enough(need, [verdicts[number] for number in numbers]):
                self._lost[group] = inf
            else:
                self._lost[group] = min(self._lost[group], now)
        return self._mark({number for group in groups for number in self._groups[group][1]}, now)

    def expire(self, now: float) -> set[int]:
        """The endpoints that are marked no more, since they stopped serving too long ago."""
        return self._mark(self._expiring.copy(), now) if self._expiring else set()

    def _mark(self, numbers: Iterable[int], now: float) -> set[int]:
        changed = set()
        for number in numbers:
            mark = any(
                self._served[number] >= min(now, self._lost[group]) - SETTLE_SECONDS
                for group in self._groups_of[number]
            )
            if self._marks[number] is not mark:
                self._marks[number] = mark
                changed.add(number)
            if mark and self._served[number] != inf:
                self._expiring.add(number)
            else:
                self._expiring.discard(number)
        return changed

    def _known(self) -> tuple[dict[Identity, float], frozenset[Identity]]:
        """When each served last, and which were seen up."""
        seen_up = zip(self._identities, self._seen_up, strict=True)
        return (
            dict(zip(self._identities, self._served, strict=True)),
            frozenset(identity for identity, is_seen in seen_up if is_seen),
        )

    def _add(self, pool: Pool) -> None:
        by_kind: dict[int, int] = {}
        alike: dict[tuple[str, str], int] = {}
        for endpoint in pool.endpoints:
            number = len(self._groups_of)
            self._groups_of.append([])
            for kind in endpoint.kinds:
                if kind not in by_kind:
                    by_kind[kind] = len(self._groups)
                    self._keys.append((pool.name, kind))
                    self._groups.append((pool.min_healthy.of(kind), []))
                self._groups[by_kind[kind]][1].append(number)
                self._groups_of[number].append(by_kind[kind])
            key = (endpoint.pop, _target(endpoint))
            alike[key] = alike.get(key, -1) + 1
            self._identities.append((pool.name, *key, alike[key]))


def _target(endpoint: Endpoint) -> str:
    return endpoint.cname or ("" if endpoint.address is None else str(endpoint.address))
