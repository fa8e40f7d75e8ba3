"""Which pools are members of which, and what follows from it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gslb.model.site import Pool, SteeredName

MAXIMUM_DEPTH = 8
"""Pools on the way from a name's pool down to an endpoint, both ends counted."""
MAXIMUM_POOLS_BELOW = 1024
"""Pools that a pool holds at all depths, itself included, each as often as it is a member."""


class PoolGraph:
    """Pools by name, with their members. Members that are no pool are left out.

    ``order`` has each pool after its members, without those that are on a cycle or above one. ``depth`` is 1
    for a pool of endpoints, ``size`` counts the pool and what it holds at all depths, each as often as it is
    a member, ``kinds`` are the RR types that its endpoints can answer: all three of the pools in ``order``.
    """

    def __init__(self, pools: Iterable[Pool]) -> None:
        self.pools = {pool.name: pool for pool in pools}
        self.members = {
            pool.name: list(dict.fromkeys(one.pool for one in pool.members if one.pool in self.pools))
            for pool in self.pools.values()
        }
        self.order: list[Pool] = []
        self.depth: dict[str, int] = {}
        self.size: dict[str, int] = {}
        self.kinds: dict[str, frozenset[int]] = {}
        self._sort()

    def _sort(self) -> None:
        above: dict[str, list[str]] = {}
        for name, members in self.members.items():
            for member in members:
                above.setdefault(member, []).append(name)
        waits_for = {name: len(members) for name, members in self.members.items()}
        ready = [name for name, number in waits_for.items() if not number]
        while ready:
            name = ready.pop()
            pool, members = self.pools[name], self.members[name]
            self.order.append(pool)
            self.depth[name] = 1 + max((self.depth[member] for member in members), default=0)
            self.size[name] = 1 + sum(self.size[member] for member in members)
            own = {kind for endpoint in pool.endpoints for kind in endpoint.kinds}
            self.kinds[name] = frozenset(own).union(*(self.kinds[member] for member in members))
            for upper in above.get(name, ()):
                waits_for[upper] -= 1
                if not waits_for[upper]:
                    ready.append(upper)

    def below(self, name: str) -> list[Pool]:
        """A pool and all that it holds at any depth, each once."""
        found = {name: None}
        pending = [name]
        while pending:
            fresh = [member for member in self.members[pending.pop()] if member not in found]
            found.update(dict.fromkeys(fresh))
            pending += fresh
        return [self.pools[one] for one in found]

    def cycles(self) -> list[list[str]]:
        """Pools that hold themselves: each way round once, from the first declared pool it was found from."""
        seen = {pool.name for pool in self.order}
        found = []
        for start in self.pools:
            way: dict[str, int] = {}
            name: str | None = start
            while name is not None and name not in seen and name not in way:
                way[name] = len(way)
                # A pool that is not in the order has a member that is not.
                name = next((one for one in self.members[name] if one not in self.depth), None)
            if name in way:
                found.append([*list(way)[way[name] :], name])
            seen.update(way)
        return found


def pools_that_answer(pools: Sequence[Pool], names: Iterable[SteeredName]) -> list[Pool]:
    """The pools whose ``when_all_down`` counts: those of names, and those that are no other's member."""
    members = {member.pool for pool in pools for member in pool.members}
    of_names = {name.pool for name in names}
    return [pool for pool in pools if pool.name in of_names or pool.name not in members]
