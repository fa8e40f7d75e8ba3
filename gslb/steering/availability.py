"""Which pools are available, for each RR type that they have, given the verdicts. Pure.

A pool of endpoints is available when enough of its endpoints of a type serve; a pool of pools when enough of
its members are available. Enough is what ``min_healthy`` says, at least one.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from gslb.model.health import Verdict
from gslb.model.site import Count, Fraction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gslb.model.pool_graph import PoolGraph

Need = Count | Fraction | None


def enough(need: Need, there: int) -> int:
    """How many must serve, where ``there`` are not drained: at least one."""
    if isinstance(need, Count):
        return max(1, need.count)
    if isinstance(need, Fraction):
        # 7 % of 100 are 7, not 8 because 0.07 is a little more than that in binary.
        return max(1, ceil(round(need.fraction * there, 9)))
    return 1


def is_enough(need: Need, verdicts: Sequence[Verdict]) -> bool:
    """Whether endpoints with these verdicts are enough to be available."""
    there = len(verdicts) - verdicts.count(Verdict.DRAINED)
    return verdicts.count(Verdict.SERVING) >= enough(need, there)


def available_pools(graph: PoolGraph, verdicts: Sequence[Verdict]) -> frozenset[tuple[str, int]]:
    """(Pool, RR type) of each that is available; ``verdicts`` has one for each endpoint, by its number.

    A member whose endpoints of the type are all drained counts as drained.
    """
    own: dict[str, Sequence[Verdict]] = {}
    first = 0
    for pool in graph.pools.values():
        own[pool.name] = verdicts[first : first + len(pool.endpoints)]
        first += len(pool.endpoints)
    state: dict[tuple[str, int], Verdict] = {}
    for pool in graph.order:
        for kind in graph.kinds[pool.name]:
            pairs = zip(pool.endpoints, own[pool.name], strict=True)
            below = [verdict for endpoint, verdict in pairs if kind in endpoint.kinds]
            below += [state[member, kind] for member in graph.members[pool.name] if (member, kind) in state]
            if is_enough(pool.min_healthy.of(kind), below):
                state[pool.name, kind] = Verdict.SERVING
            else:
                is_drained = all(verdict is Verdict.DRAINED for verdict in below)
                state[pool.name, kind] = Verdict.DRAINED if is_drained else Verdict.DOWN
    return frozenset(key for key, verdict in state.items() if verdict is Verdict.SERVING)
