"""Recent demand: how often clients ask for each steered name, from the data plane's exact counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

HALF_LIFE = 600.0
"""Seconds after which a query counts half."""

MAXIMUM_CELLS = 262_144
"""Cells that are remembered; beyond it those with the least demand are forgotten."""

NEGLIGIBLE = 1e-6
"""Queries a second below which a cell is forgotten: one in eleven days."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Clients whom no policy step tells apart, in one country, asking for one steered name and type.

    ``name`` is absolute, in lower case; ``rtype`` a type number; ``country`` an ISO 3166-1 code, or empty
    where the geo databases know none; ``client`` an address of one of them.
    """

    name: str
    rtype: int
    country: str
    client: str


class Demand:
    """Exponentially decayed rates, in queries a second, by cell. Times are those of a monotonic clock."""

    def __init__(self, half_life: float = HALF_LIFE) -> None:
        """``half_life`` in seconds, more than 0."""
        self._half_life = half_life
        self._rates: dict[Cell, float] = {}
        self._pending: dict[Cell, int] = {}
        self._since: float | None = None
        self._start: float | None = None
        # What share of the average rests on observations: a young average is not taken for a low one.
        self._weight = 0.0

    def start(self, now: float) -> None:
        """What is added next was counted from ``now`` on."""
        if self._since is None:
            self._since = self._start = now

    @property
    def half_life(self) -> float:
        """Seconds after which a query counts half."""
        return self._half_life

    @property
    def seconds(self) -> float:
        """Seconds from ``start`` to what was added last."""
        return 0.0 if self._since is None or self._start is None else self._since - self._start

    def add(self, counts: Iterable[tuple[Cell, int]], now: float) -> None:
        """Queries counted since the last call, or since ``start``."""
        for cell, count in counts:
            self._pending[cell] = self._pending.get(cell, 0) + count
        elapsed = now - (now if self._since is None else self._since)
        if elapsed <= 0:
            return
        kept = 0.5 ** (elapsed / self._half_life)
        rates = {cell: rate * kept for cell, rate in self._rates.items()}
        for cell, count in self._pending.items():
            rates[cell] = rates.get(cell, 0.0) + count / elapsed * (1 - kept)
        rates = {cell: rate for cell, rate in rates.items() if rate > NEGLIGIBLE}
        if len(rates) > MAXIMUM_CELLS:
            most = sorted(rates.items(), key=lambda item: item[1], reverse=True)
            rates = dict(most[:MAXIMUM_CELLS])
        self._rates = rates
        self._pending = {}
        self._weight = self._weight * kept + 1 - kept
        self._since = now

    def rates(self) -> list[tuple[Cell, float]]:
        """Queries a second by cell, the most first."""
        if not self._weight:
            return []
        ordered = sorted(self._rates.items(), key=lambda item: (-item[1], item[0].name, item[0].client))
        return [(cell, rate / self._weight) for cell, rate in ordered]
