"""When probe results change what is observed: a pure state machine.

::

                 rise successes in a row
      ┌──────────────────────────────────────────┐
      │                                          ▼
    UNKNOWN                                     UP ◄───────┐
      │                                          │         │
      │          fall failures in a row          │ fall    │ rise successes
      └──────────────────────┐                   │ failures│ in a row
                             ▼                   ▼ in a row│
                            DOWN ◄───────────────┘         │
                             └─────────────────────────────┘

The first results count like all others: an unknown endpoint also needs ``rise`` successes or ``fall``
failures in a row. One lost packet just after a start must not take an endpoint out of answers that served it
a second before; how unknown endpoints count until then is the pool's ``unknown_counts``.
"""

from __future__ import annotations

from dataclasses import dataclass

from gslb.model.health import Observed


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Results in a row needed to be up (``rise``) or down (``fall``), each at least 1."""

    rise: int
    fall: int


@dataclass(frozen=True, slots=True)
class ThresholdState:
    """What is observed, and the results in a row that speak against it.

    ``streak`` counts successes above zero and failures below; it is 0 when the last result agreed with
    ``observed``.
    """

    observed: Observed = Observed.UNKNOWN
    streak: int = 0

    def after(self, success: bool, thresholds: Thresholds) -> ThresholdState:
        """The state after one more result."""
        if self.observed is (Observed.UP if success else Observed.DOWN):
            return ThresholdState(self.observed, 0)
        if success:
            streak = max(self.streak, 0) + 1
            if streak >= thresholds.rise:
                return ThresholdState(Observed.UP, 0)
        else:
            streak = min(self.streak, 0) - 1
            if -streak >= thresholds.fall:
                return ThresholdState(Observed.DOWN, 0)
        return ThresholdState(self.observed, streak)
