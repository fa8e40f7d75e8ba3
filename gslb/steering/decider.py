"""Which POPs get which share of the answers to a cell of clients, by the engine that serves."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gslb._dataplane import Steering
    from gslb.model.site import SteeringConfig
    from gslb.steering.demand import Cell

DRAWS = 256
MAXIMUM_DRAWS = 16_384
"""Times that a policy with chance in it is asked. Errors of many cells even out: few cells are asked more."""

ALL_DRAWS = 2_000_000
"""Draws for all cells together, if each has at least ``DRAWS``."""

SEED = 20_240_601
"""Of the draws: the same question gets the same answer."""


class Decider:
    """Decides for cells on one steering, whatever is published meanwhile. Safe to use from any thread."""

    def __init__(self, config: SteeringConfig, compiled: Steering | None) -> None:
        """``compiled`` is ``config``, compiled; ``None`` answers nothing."""
        self._compiled = compiled
        self._names = {name.name: number for number, name in enumerate(config.names)}
        self._pops = [endpoint.pop for pool in config.pools for endpoint in pool.endpoints]

    def knows(self, cell: Cell) -> bool:
        """Whether the cell's name is still steered."""
        return self._compiled is not None and cell.name in self._names

    def shares(self, cells: Sequence[Cell], verdicts: bytes, loads: bytes) -> list[Mapping[str, float]]:
        """For each cell the POPs that get some of its answers, and their shares; what lacks of 1 none gets.

        All cells must be known. ``verdicts`` and ``loads`` as ``Publisher.publish_verdicts`` takes them.
        """
        if self._compiled is None:
            return []
        draws = max(DRAWS, min(MAXIMUM_DRAWS, ALL_DRAWS // max(1, len(cells))))
        questions = [(self._names[cell.name], cell.rtype, cell.client) for cell in cells]
        return [
            self._by_pop(shares)
            for shares in self._compiled.shares(questions, verdicts, loads, draws=draws, seed=SEED)
        ]

    def _by_pop(self, shares: Sequence[tuple[int, float]]) -> Mapping[str, float]:
        found: dict[str, float] = defaultdict(float)
        for endpoint, share in shares:
            found[self._pops[endpoint]] += share
        return found
