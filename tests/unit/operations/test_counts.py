"""Counts of endpoints are those of the reports of each of them."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gslb.health.endpoint import EndpointHealth
from gslb.health.plan import Monitored
from gslb.model.health import Observed
from gslb.model.report import ObservedCounts, VerdictCounts
from gslb.model.site import SteeringConfig
from gslb.operations.counts import EndpointCounts
from gslb.operations.reports import endpoint_reports
from gslb.steering.verdict import VerdictTable
from tests.unit.fakes import example_site


@given(
    st.lists(st.sampled_from(Observed), min_size=4, max_size=4),
    st.sets(st.sampled_from(["fra", "ams", "sin", "idle"])),
)
def test_counts_are_those_of_the_reports(observed, drained):
    site = example_site()
    table = VerdictTable(site, observed, drained)
    health = {number: EndpointHealth(observed=seen) for number, seen in enumerate(observed)}
    rows = endpoint_reports(health, table)
    counts = EndpointCounts(table)
    assert counts.observed() == Counter((row.pop, row.observed.value) for row in rows)
    assert counts.verdicts() == Counter((row.pop, row.pool, row.verdict) for row in rows)
    assert counts.of_all() == reports(rows)
    assert counts.by_pop() == {
        pop: reports([row for row in rows if row.pop == pop]) for pop in ("fra", "ams", "sin")
    }


def test_a_monitor_that_fails_is_named_with_how_many_it_fails_for():
    site = example_site()
    down, up = Observed.DOWN, Observed.UP
    rows = [("http", down, 0), ("http", down, 1), ("tcp", up, 0), ("tcp", up, 1), ("tcp", down, 2)]
    counts = EndpointCounts(VerdictTable(site), Monitored(*zip(*rows, strict=True)))
    pops = [endpoint.pop for pool in site.pools for endpoint in pool.endpoints]
    assert counts.failing() == {"http": 2, "tcp": 1}
    assert counts.failing_by_pop() == {pops[0]: {"http": 1}, pops[1]: {"http": 1}, pops[2]: {"tcp": 1}}
    assert counts.monitored()["tcp", pops[0], "up"] == pops[:2].count(pops[0])


def reports(rows):
    return (
        ObservedCounts(**Counter(row.observed.value for row in rows)),
        VerdictCounts(**Counter(row.verdict for row in rows)),
    )


def test_nothing_is_counted_where_nothing_is():
    counts = EndpointCounts(VerdictTable(SteeringConfig()))
    assert (counts.of_all(), counts.by_pop()) == ((ObservedCounts(), VerdictCounts()), {})


def test_counts_are_those_of_the_moment_whatever_happens_until_they_are_counted():
    table = VerdictTable(example_site())
    counts = EndpointCounts(table)
    table.observe(range(4), Observed.DOWN)
    assert counts.of_all() == (ObservedCounts(unknown=4), VerdictCounts(serving=4))
    assert EndpointCounts(table).of_all() == (ObservedCounts(down=4), VerdictCounts(down=4))
