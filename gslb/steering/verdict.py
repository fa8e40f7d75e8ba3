"""Observed health and operator intent, merged into the verdict that the data plane reads.

The rules, first match wins:

1. The POP is drained: DRAINED, whatever is observed.
2. The endpoint is observed down: DOWN.
3. The endpoint is unknown and its pool says ``unknown_counts: down``: DOWN.
4. Otherwise: SERVING.

Observed health and intent stay separate inputs: a drain does not stop probing, so an undrain restores what
probes say at that moment.

Beside each verdict goes the endpoint's last-good mark, see ``gslb/steering/last_good.py``.
"""

from __future__ import annotations

import time
from copy import copy
from itertools import product
from typing import TYPE_CHECKING

from gslb.model.health import Observed, Verdict
from gslb.model.site import UnknownCounts
from gslb.steering.last_good import LastGood, moved
from gslb.steering.roster import Roster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gslb.model.site import SteeringConfig
    from gslb.steering.roster import Succession


LAST_GOOD = 4
"""The bit of the last-good mark in an endpoint's octet; the two below it are the verdict."""


def merge(observed: Observed, drained: bool, unknown_counts: UnknownCounts) -> Verdict:
    """The verdict of one endpoint, by the rules above."""
    if drained:
        return Verdict.DRAINED
    if observed is Observed.DOWN:
        return Verdict.DOWN
    if observed is Observed.UNKNOWN and unknown_counts is UnknownCounts.DOWN:
        return Verdict.DOWN
    return Verdict.SERVING


_MERGED = {
    inputs: merge(*inputs) for inputs in product(Observed, (False, True), UnknownCounts)
}  # looked up for many thousands of endpoints at once


class VerdictTable:
    """One verdict per endpoint of a steering configuration, by its number in the ``roster``.

    Both inputs are kept, and only the endpoints that an input touches are merged again.
    """

    def __init__(
        self,
        config: SteeringConfig,
        observed: Sequence[Observed] = (),
        drained: Iterable[str] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``observed`` has one entry per endpoint, or is empty: then all are unknown.

        ``monotonic`` is a clock in seconds.
        """
        self.roster = Roster(config)
        self._monotonic = monotonic
        self._observed = list(observed) or [Observed.UNKNOWN] * len(self.roster)
        self._require_observed()
        self._drained = frozenset(drained)
        self._verdicts = [Verdict.SERVING] * len(self.roster)
        self._last_good = LastGood(self.roster)
        self._octets = bytearray(len(self.roster))
        self._merge(range(len(self.roster)))

    def taken_over(
        self, succession: Succession, observed: Sequence[Observed], drained: Iterable[str]
    ) -> VerdictTable:
        """The table of the roster that follows, as ``observed`` and ``drained`` have it now.

        Verdicts and last-good marks of endpoints that stay go on: only what differs is merged again.
        """
        table = copy(self)
        table.roster = succession.roster
        table._observed = list(observed)
        table._require_observed()
        table._verdicts = moved(self._verdicts, succession.endpoints, Verdict.SERVING)
        table._last_good = self._last_good.taken_over(succession)
        table._octets = bytearray(moved(self._octets, succession.endpoints, 0))
        before = moved(self._observed, succession.endpoints, Observed.UNKNOWN)
        pairs = enumerate(zip(before, table._observed, strict=True))
        touched = {number for number, (was, seen) in pairs if was is not seen}
        touched.update(succession.changed, table._drain(drained))
        table._merge(touched)
        return table

    def __len__(self) -> int:
        return len(self._verdicts)

    def __getitem__(self, number: int) -> Verdict:
        return self._verdicts[number]

    def is_last_good(self, number: int) -> bool:
        """Whether the endpoint has the last-good mark."""
        return self._last_good[number]

    def verdicts(self) -> Sequence[Verdict]:
        """Every endpoint's verdict, by number."""
        return self._verdicts

    @property
    def observed(self) -> Sequence[Observed]:
        """What probes say of every endpoint, by number."""
        return self._observed

    @property
    def drained(self) -> frozenset[str]:
        """The POPs that are drained."""
        return self._drained

    def observe(self, numbers: Iterable[int], observed: Observed) -> None:
        """Probes now say this of these endpoints."""
        touched = list(numbers)
        for number in touched:
            self._observed[number] = observed
        self._merge(touched)

    def set_drained(self, pops: Iterable[str]) -> None:
        """These POPs, and no others, are drained. Names of POPs that do not exist have no effect."""
        self._merge(self._drain(pops))

    def expire_marks(self) -> bool:
        """Take the marks of endpoints that served too long ago; whether there were any."""
        expired = self._last_good.expire(self._monotonic())
        self._write(expired)
        return bool(expired)

    def supposing(self, down: Iterable[int], drained: Iterable[str]) -> VerdictTable:
        """What this table would be if at once these endpoints were observed down and these POPs drained."""
        supposed = copy(self)
        supposed._observed = list(self._observed)
        supposed._verdicts = list(self._verdicts)
        supposed._last_good = self._last_good.copy()
        supposed._octets = bytearray(self._octets)
        touched = set(down)
        for number in touched:
            supposed._observed[number] = Observed.DOWN
        touched.update(supposed._drain(drained))
        supposed._merge(touched)
        return supposed

    def to_bytes(self) -> bytes:
        """One octet per endpoint, as ``_dataplane.DataPlane.publish_verdicts`` takes it."""
        return bytes(self._octets)

    def _require_observed(self) -> None:
        if len(self._observed) != len(self.roster):
            raise ValueError(f"{len(self._observed)} observations for {len(self.roster)} endpoints")

    def _drain(self, pops: Iterable[str]) -> list[int]:
        """Note the POPs that are drained; the endpoints of those that were not, or are not any more."""
        before, self._drained = self._drained, frozenset(pops)
        differing = before ^ self._drained
        return (
            [number for number, pop in enumerate(self.roster.pops) if pop in differing] if differing else []
        )

    def _merge(self, numbers: Iterable[int]) -> None:
        touched = list(numbers)
        pops, unknown_counts = self.roster.pops, self.roster.unknown_counts
        for number in touched:
            self._verdicts[number] = _MERGED[
                self._observed[number], pops[number] in self._drained, unknown_counts[number]
            ]
        now = self._monotonic()
        self._write({*touched, *self._last_good.update(touched, self._verdicts, self._observed, now)})

    def _write(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            mark = LAST_GOOD if self._last_good[number] else 0
            self._octets[number] = self._verdicts[number] | mark
