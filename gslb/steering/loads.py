"""Reported loads of POPs: hysteresis, and an age after which they are unknown. Pure.

A load is what a POP's own monitoring says, 1 for a POP that is full. The value in effect follows a report at
once when it is higher, but falls only when the report is lower by more than the hysteresis: a POP whose load
wavers about a watermark does not swing. A report that is older than the maximum age is forgotten.

Loads are measurements, not intent: they are kept in memory alone, and a restart begins with none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gslb.model.site import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MAXIMUM_LOAD = 65.0
UNKNOWN = 65_535
"""What crosses the native boundary for a POP without a load; others are thousandths."""


@dataclass(frozen=True, slots=True)
class Load:
    """A POP's load: ``value`` is in effect, ``reported`` is what was said last, at a monotonic time."""

    value: float
    reported: float
    at: float


def load_octets(pops: Sequence[str], loads: Mapping[str, float]) -> bytes:
    """Two octets for each of ``pops``, from loads of 0 to ``MAXIMUM_LOAD``; empty while none is known."""
    if not any(pop in loads for pop in pops):
        return b""
    numbers = (round(loads[pop] * 1000) if pop in loads else UNKNOWN for pop in pops)
    return b"".join(number.to_bytes(2, "big") for number in numbers)


class LoadTable:
    """The loads that are known. Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._settings = LoadSettings.model_construct()
        self._loads: dict[str, Load] = {}

    @property
    def max_age(self) -> float:
        """Seconds after which a report is forgotten."""
        return self._settings.max_age

    def reconfigure(self, settings: LoadSettings, pops: Iterable[str], now: float) -> None:
        """Other settings, and other POPs: loads of those that left are forgotten."""
        known = set(pops)
        self._settings = settings
        self._loads = {pop: load for pop, load in self._loads.items() if pop in known}
        self.expire(now)

    def report(self, pop: str, load: float | None, now: float) -> None:
        """A POP's load is now this, 0 to ``MAXIMUM_LOAD``; ``None`` forgets it."""
        if load is None:
            self._loads.pop(pop, None)
            return
        before = self._loads.get(pop)
        value = load
        if before is not None and not self._is_old(before, now):
            # Decimals in binary: a fall from 0.8 to 0.75 is not more than 0.05.
            falls_enough = round(before.value - load, 9) > self._settings.hysteresis
            value = load if load >= before.value or falls_enough else before.value
        self._loads[pop] = Load(value, load, now)

    def expire(self, now: float) -> list[str]:
        """Forget the reports that are too old, and name their POPs."""
        old = [pop for pop, load in self._loads.items() if self._is_old(load, now)]
        for pop in old:
            del self._loads[pop]
        return old

    def known(self, now: float) -> dict[str, Load]:
        """The loads that are not too old, by POP."""
        return {pop: load for pop, load in self._loads.items() if not self._is_old(load, now)}

    def to_bytes(self, pops: Sequence[str], now: float) -> bytes:
        """Two octets for each of ``pops``, as ``_dataplane.DataPlane.publish_verdicts`` takes it.

        Empty while no load is known.
        """
        return load_octets(pops, self.values(now))

    def values(self, now: float) -> dict[str, float]:
        """The loads in effect that are not too old, by POP."""
        return {pop: load.value for pop, load in self.known(now).items()}

    def _is_old(self, load: Load, now: float) -> bool:
        return now - load.at > self._settings.max_age
