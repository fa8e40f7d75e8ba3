"""How many endpoints are in which state, counted without a report of each: a site may have 65,535. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from gslb.health.plan import Monitored
from gslb.model.health import Observed
from gslb.model.report import VERDICT_WORDS, ObservedCounts, VerdictCounts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gslb.steering.verdict import VerdictTable


class EndpointCounts:
    """The endpoints as they are at the moment when this is made. Counts when asked, in any thread.

    A count of all is left to ``Counter`` and ``zip``: with a line of Python for each of many thousands it
    would hold up the event loop.
    """

    def __init__(self, table: VerdictTable, monitored: Monitored = Monitored()) -> None:  # noqa: B008 - immutable
        """``monitored`` is as the checker tells it."""
        self._roster = table.roster
        self._observed = list(table.observed)
        self._verdicts = list(table.verdicts())
        self._monitored = monitored

    def failing(self) -> dict[str, int]:
        """How many endpoints are down for each monitor that says so, by its name."""
        rows = zip(self._monitored.monitors, self._monitored.observed, strict=True)
        return _sorted(Counter(monitor for monitor, observed in rows if observed is Observed.DOWN))

    def failing_by_pop(self) -> dict[str, dict[str, int]]:
        """The same for each POP of which some monitor says it."""
        rows = zip(self._monitored.monitors, self._monitored.observed, self._monitored.numbers, strict=True)
        pops = self._roster.pops
        found = defaultdict[str, Counter[str]](Counter)
        for monitor, observed, number in rows:
            if observed is Observed.DOWN:
                found[pops[number]][monitor] += 1
        return {pop: _sorted(failing) for pop, failing in found.items()}

    def of_all(self) -> tuple[ObservedCounts, VerdictCounts]:
        """The counts of all POPs together."""
        observed, verdicts = Counter(self._observed), Counter(self._verdicts)
        return (
            ObservedCounts(**{state.value: number for state, number in observed.items()}),
            VerdictCounts(**{VERDICT_WORDS[verdict]: number for verdict, number in verdicts.items()}),
        )

    def by_pop(self) -> dict[str, tuple[ObservedCounts, VerdictCounts]]:
        """The counts of each POP that has endpoints."""
        observed, verdicts = defaultdict[str, Counter[str]](Counter), defaultdict[str, Counter[str]](Counter)
        counted = Counter(zip(self._roster.pops, self._observed, self._verdicts, strict=True))
        for (pop, state, verdict), number in counted.items():
            observed[pop][state.value] += number
            verdicts[pop][VERDICT_WORDS[verdict]] += number
        return {pop: (ObservedCounts(**observed[pop]), VerdictCounts(**verdicts[pop])) for pop in observed}

    def observed(self) -> Mapping[tuple[str, str], int]:
        """By POP and what probes say."""
        counted = Counter(zip(self._roster.pops, self._observed, strict=True))
        return {(pop, state.value): number for (pop, state), number in counted.items()}

    def verdicts(self) -> Mapping[tuple[str, str, str], int]:
        """By POP, pool and verdict."""
        counted = Counter(zip(self._roster.pops, self._roster.pool_names, self._verdicts, strict=True))
        words = VERDICT_WORDS
        return {(pop, pool, words[verdict]): number for (pop, pool, verdict), number in counted.items()}

    def monitored(self) -> Mapping[tuple[str, str, str], int]:
        """By monitor, POP and what the monitor says."""
        monitored, pops = self._monitored, self._roster.pops
        own = map(pops.__getitem__, monitored.numbers)
        counted = Counter(zip(monitored.monitors, own, monitored.observed, strict=True))
        return {(monitor, pop, state.value): number for (monitor, pop, state), number in counted.items()}


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))
