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
from itertools import chain
from math import inf
from typing import TYPE_CHECKING, TypeVar

from gslb.model.health import Observed, Verdict
from gslb.steering.availability import is_enough

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gslb.steering.roster import Roster, Succession

SETTLE_SECONDS = 300.0
"""An outage may take so long until all of it is seen: intervals of a slow monitor, a failure that spreads."""

NEVER = -inf

_Value = TypeVar("_Value")


class LastGood:
    """One mark per endpoint of a roster, by number.

    Times are seconds of a monotonic clock, the same at every call.
    """

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._served = [NEVER] * len(roster)
        """When each served last: infinity while it serves."""
        self._seen_up = [False] * len(roster)
        self._lost = [inf] * len(roster.groups)
        """Since when too few of each group serve: infinity while enough do."""
        self._marks = [False] * len(roster)
        self._expiring: set[int] = set()
        """Those that stopped serving and are marked only until that is too long ago."""
        self._next_expiry = inf
        """No mark expires before."""

    def __getitem__(self, number: int) -> bool:
        return self._marks[number]

    def copy(self) -> LastGood:
        """The same marks, to be changed apart from these."""
        other = copy(self)
        other._served, other._seen_up = list(self._served), list(self._seen_up)
        other._lost, other._marks = list(self._lost), list(self._marks)
        other._expiring = set(self._expiring)
        return other

    def taken_over(self, succession: Succession) -> LastGood:
        """What is known here of endpoints and groups that stay; ``update`` those that changed thereafter."""
        other = copy(self)
        other._roster = succession.roster
        other._served = moved(self._served, succession.endpoints, NEVER)
        other._seen_up = moved(self._seen_up, succession.endpoints, False)
        other._lost = moved(self._lost, succession.groups, inf)
        other._marks = moved(self._marks, succession.endpoints, False)
        other._expiring = set()
        if self._expiring:
            sources = enumerate(succession.endpoints)
            other._expiring = {number for number, source in sources if source in self._expiring}
        return other

    def update(
        self, touched: Iterable[int], verdicts: Sequence[Verdict], observed: Sequence[Observed], now: float
    ) -> set[int]:
        """Mark anew after verdicts of the ``touched`` changed; the endpoints whose mark changed."""
        touched = list(touched)
        served, seen_up = self._served, self._seen_up
        up, serving, down = Observed.UP, Verdict.SERVING, Verdict.DOWN
        for number in touched:
            if observed[number] is up:
                seen_up[number] = True
            if verdicts[number] is serving:
                served[number] = inf
            elif verdicts[number] is down and not seen_up[number]:
                served[number] = NEVER
            elif served[number] == inf:
                served[number] = now
        groups = set(chain.from_iterable(map(self._roster.groups_of.__getitem__, touched)))
        concerned = set(touched)
        for group in groups:
            need, numbers = self._roster.groups[group]
            is_lost = not is_enough(need, [verdicts[number] for number in numbers])
            lost = min(self._lost[group], now) if is_lost else inf
            if lost != self._lost[group]:
                self._lost[group] = lost
                concerned.update(numbers)
        return self._mark(concerned, now)

    def expire(self, now: float) -> set[int]:
        """The endpoints that are marked no more, since they stopped serving too long ago."""
        if now <= self._next_expiry:
            return set()
        self._next_expiry = inf
        return self._mark(self._expiring.copy(), now)

    def _mark(self, numbers: Iterable[int], now: float) -> set[int]:
        changed = set()
        groups_of, lost = self._roster.groups_of, self._lost
        for number in numbers:
            served = self._served[number]
            holding = [
                lost[group] for group in groups_of[number] if served >= min(now, lost[group]) - SETTLE_SECONDS
            ]
            mark = bool(holding)
            if self._marks[number] is not mark:
                self._marks[number] = mark
                changed.add(number)
            # A group that is lost holds its marks while it is: in an outage of everything none expires.
            if mark and served != inf and min(holding) > now:
                self._expiring.add(number)
                self._next_expiry = min(self._next_expiry, served + SETTLE_SECONDS)
            else:
                self._expiring.discard(number)
        return changed


def moved(values: Sequence[_Value], sources: Iterable[int], new: _Value) -> list[_Value]:
    """The value of each source, a position in ``values`` or ``NEW``."""
    # The last is found at NEW. Many thousands are moved on the event loop: with no line of Python for each.
    return list(map([*values, new].__getitem__, sources))
