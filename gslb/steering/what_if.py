"""Verdicts and loads as they would be if: what tests, explanations and forecasts lay over the truth. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.steering.document import numbered_endpoints
from gslb.steering.loads import load_octets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gslb.model.policy_test import Conditions
    from gslb.model.site import SteeringConfig
    from gslb.steering.verdict import VerdictTable


class WhatIf:
    """Lays conditions over the verdicts and loads of one configuration, again and again.

    Names in conditions that do not exist have no effect.
    """

    def __init__(self, config: SteeringConfig) -> None:
        self._pops = [pop.name for pop in config.pops]
        self._numbers: dict[str, list[int]] = {}
        for number, pool, endpoint in numbered_endpoints(config):
            for name in (endpoint.pop, f"{pool.name}/{endpoint.pop}"):
                self._numbers.setdefault(name, []).append(number)

    def verdicts(
        self, conditions: Conditions, before: VerdictTable, drained: Iterable[str] = ()
    ) -> VerdictTable:
        """The verdicts ``before`` with what ``conditions`` name down or drained in addition.

        ``drained`` are the POPs that are drained without that. The table ``before`` stays as it is.
        """
        down = [number for name in conditions.down for number in self._numbers.get(name, ())]
        return before.supposing(down, {*drained, *conditions.drain})

    def loads(self, conditions: Conditions, known: Mapping[str, float]) -> bytes:
        """Loads of all POPs, as the data plane takes them: those ``known``, or what is supposed instead."""
        return load_octets(self._pops, {**known, **conditions.load})
