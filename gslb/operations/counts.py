"""How many endpoints are in which state, counted without a report of each: a site may have 65,535. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gslb.model.health import Observed
from gslb.model.report import VERDICT_WORDS, ObservedCounts, VerdictCounts
from gslb.steering.document import numbered_endpoints

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gslb.model.site import SteeringConfig
    from gslb.steering.verdict import VerdictTable


@dataclass(frozen=True, slots=True)
class EndpointCounts:
    """Endpoints by POP and what probes say, by POP, pool and verdict, by monitor, POP and what it says."""

    observed: Mapping[tuple[str, str], int]
    verdicts: Mapping[tuple[str, str, str], int]
    monitored: Mapping[tuple[str, str, str], int]

    def failing(self, of: str | None = None) -> dict[str, int]:
        """How many endpoints, of one POP or all, are down for each monitor that says so, by its name."""
        down = (
            (monitor, number)
            for (monitor, pop, state), number in self.monitored.items()
            if state == Observed.DOWN.value and of in (None, pop)
        )
        return dict(sorted(_sums(down).items()))

    def of_all(self) -> tuple[ObservedCounts, VerdictCounts]:
        """The counts of all POPs together."""
        observed = _sums((state, number) for (_, state), number in self.observed.items())
        verdicts = _sums((verdict, number) for (_, _, verdict), number in self.verdicts.items())
        return ObservedCounts(**observed), VerdictCounts(**verdicts)

    def by_pop(self) -> dict[str, tuple[ObservedCounts, VerdictCounts]]:
        """The counts of each POP that has endpoints."""
        observed, verdicts = defaultdict[str, Counter[str]](Counter), defaultdict[str, Counter[str]](Counter)
        for (pop, state), number in self.observed.items():
            observed[pop][state] += number
        for (pop, _, verdict), number in self.verdicts.items():
            verdicts[pop][verdict] += number
        return {pop: (ObservedCounts(**observed[pop]), VerdictCounts(**verdicts[pop])) for pop in observed}


def count_endpoints(
    config: SteeringConfig,
    table: VerdictTable,
    monitored: Iterable[tuple[str, Observed, Sequence[int]]] = (),
) -> EndpointCounts:
    """The endpoints of ``config``, whose verdicts ``table`` has; ``monitored`` is as the checker tells it."""
    places = [(endpoint.pop, pool.name) for _, pool, endpoint in numbered_endpoints(config)]
    observed = Counter(zip((pop for pop, _ in places), table.observed, strict=True))
    verdicts = Counter(zip(places, table.verdicts(), strict=True))
    return EndpointCounts(
        {(pop, state.value): number for (pop, state), number in observed.items()},
        {(pop, pool, VERDICT_WORDS[verdict]): number for ((pop, pool), verdict), number in verdicts.items()},
        Counter(
            (monitor, places[number][0], state.value)
            for monitor, state, numbers in monitored
            for number in numbers
        ),
    )


def _sums(rows: Iterable[tuple[str, int]]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for word, number in rows:
        sums[word] += number
    return sums
