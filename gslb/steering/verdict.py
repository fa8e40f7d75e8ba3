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
from typing import TYPE_CHECKING

from gslb.model.health import Observed, Verdict
from gslb.model.site import UnknownCounts
from gslb.steering.last_good import LastGood

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gslb.model.site import SteeringConfig


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


class VerdictTable:
    """One verdict per endpoint of a steering configuration.

    Endpoints are numbered from 0: pools in the order of the configuration, endpoints in the order of the
    pool. Both inputs are kept, and only the endpoints that an input touches are merged again.
    """

    def __init__(
        self,
        config: SteeringConfig,
        observed: Sequence[Observed] = (),
        drained: Iterable[str] = (),
        before: VerdictTable | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``observed`` has one entry per endpoint, or is empty: then all are unknown.

        Last-good marks go on from those of the table ``before``, where the endpoints were in it.
        ``monotonic`` is a clock in seconds, the same as that table's.
        """
        self._monotonic = monotonic
        self._pops = [endpoint.pop for pool in config.pools for endpoint in pool.endpoints]
        self._unknown_counts = [pool.unknown_counts for pool in config.pools for _ in pool.endpoints]
        self._observed = list(observed) or [Observed.UNKNOWN] * len(self._pops)
        if len(self._observed) != len(self._pops):
            raise ValueError(f"{len(self._observed)} observations for {len(self._pops)} endpoints")
        self._drained = frozenset(drained)
        self._verdicts = [Verdict.SERVING] * len(self._pops)
        self._last_good: LastGood = LastGood(config, None if before is None else before._last_good)
        self._octets = bytearray(len(self._pops))
        self._merge(range(len(self._pops)))

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

    def _drain(self, pops: Iterable[str]) -> list[int]:
        """Note the POPs that are drained; the endpoints of those that were not, or are not any more."""
        before, self._drained = self._drained, frozenset(pops)
        differing = before ^ self._drained
        return [number for number, pop in enumerate(self._pops) if pop in differing] if differing else []

    def _merge(self, numbers: Iterable[int]) -> None:
        touched = list(numbers)
        for number in touched:
            self._verdicts[number] = merge(
                self._observed[number], self._pops[number] in self._drained, self._unknown_counts[number]
            )
        now = self._monotonic()
        self._write({*touched, *self._last_good.update(touched, self._verdicts, self._observed, now)})

    def _write(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            mark = LAST_GOOD if self._last_good[number] else 0
            self._octets[number] = self._verdicts[number] | mark
