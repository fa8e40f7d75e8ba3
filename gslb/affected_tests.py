"""Which policy tests a change can concern: the others go as they went before, and need not run again."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import dns.rdatatype

from gslb.model.pool_graph import PoolGraph
from gslb.model.site import LatencyStep, SteeringConfig
from gslb.zones.touched import WITH_SOA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gslb._dataplane import Zone
    from gslb.model.policy_test import PolicyTest
    from gslb.zones.reach import Reached
    from gslb.zones.touched import Touched


class Affected(NamedTuple):
    """What a change of records concerns: tests, and names of which it has to be found out where they lead."""

    tests: list[PolicyTest]
    names: frozenset[str]


class AffectedTests:
    """The tests of one site, and what the answer to each comes from, found out once.

    ``zones`` (by origin) are always those that are published. Used by one thread at a time.
    """

    def __init__(self, tests: Sequence[PolicyTest] = (), config: SteeringConfig | None = None) -> None:
        self._tests = tests
        self._config = config or SteeringConfig.model_construct()
        self._reached: dict[str, Reached] = {}

    def by_records(self, touched: Touched, zones: Mapping[str, Zone]) -> Affected:
        """Those whose answers come from names that a change of a zone may touch."""
        self._find_out(zones)
        names = frozenset(name for name, reached in self._reached.items() if touched.affects(reached))
        tests = [test for test in self._tests if test.ask in names or self._has_soa(test, touched)]
        return Affected(tests, names)

    def by_latency(self, zones: Mapping[str, Zone]) -> list[PolicyTest]:
        """Those whose answers come from steered names with a policy that looks at measurements."""
        self._find_out(zones)
        return [
            test
            for test in self._tests
            if not self._reached[test.ask].is_whole or self._reached[test.ask].steered & self._measured
        ]

    def forget(self, names: Iterable[str]) -> None:
        """The zone was changed: where these names lead has to be found out anew."""
        for name in names:
            self._reached.pop(name, None)

    def _has_soa(self, test: PolicyTest, touched: Touched) -> bool:
        """Whether the answer may have the serial of the zone that was changed."""
        rtype = dns.rdatatype.from_text(test.type)
        return rtype in WITH_SOA and touched.affects(self._reached[test.ask], rtype)

    def _find_out(self, zones: Mapping[str, Zone]) -> None:
        missing = {test.ask for test in self._tests} - self._reached.keys()
        if not missing:
            return
        from gslb.zones.reach import Reach  # noqa: PLC0415 - a start without tests is quicker

        reach = Reach(zones, self._targets)
        for name in missing:
            self._reached[name] = reach.of(name)

    @cached_property
    def _targets(self) -> Mapping[str, tuple[str, ...]]:
        from gslb.zones.reach import steered_targets  # noqa: PLC0415 - as above

        return steered_targets(self._config)

    @cached_property
    def _measured(self) -> frozenset[str]:
        return _measured_names(self._config)


def _measured_names(config: SteeringConfig) -> frozenset[str]:
    """The steered names that a ``latency`` step may decide on, at any depth of their pools."""
    measuring = {
        policy.name
        for policy in config.policies
        if any(isinstance(step, LatencyStep) for step in policy.steps)
    }
    graph = PoolGraph(config.pools)
    pools = {
        pool
        for pool in {name.pool for name in config.names} & graph.pools.keys()
        if any(one.policy in measuring for one in graph.below(pool))
    }
    return frozenset(name.name for name in config.names if name.policy in measuring or name.pool in pools)
