from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gslb.model.health import Observed, Verdict
from gslb.model.site import Endpoint, Pool, SteeringConfig, UnknownCounts
from gslb.steering.roster import Roster
from gslb.steering.verdict import VerdictTable, merge
from tests.unit.fakes import example_site

observations = st.sampled_from(Observed)
counts = st.sampled_from(UnknownCounts)


@given(observations, counts)
def test_a_drained_endpoint_is_drained_whatever_is_observed(observed, unknown_counts):
    assert merge(observed, True, unknown_counts) is Verdict.DRAINED


@given(observations, counts)
def test_without_a_drain_only_down_or_unknown_counted_down_is_down(observed, unknown_counts):
    down = observed is Observed.DOWN or (
        observed is Observed.UNKNOWN and unknown_counts is UnknownCounts.DOWN
    )
    assert merge(observed, False, unknown_counts) is (Verdict.DOWN if down else Verdict.SERVING)


@given(
    st.lists(st.tuples(st.sampled_from(["fra", "ams", "sin"]), observations, counts), max_size=8), st.data()
)
def test_the_table_says_what_the_merge_says_after_any_inputs(rows, data):
    config = SteeringConfig(
        pools=tuple(
            Pool(
                name=f"p{number}",
                endpoints=(Endpoint(pop=pop, address="192.0.2.1"),),
                unknown_counts=unknown_counts,
            )
            for number, (pop, _, unknown_counts) in enumerate(rows)
        )
    )
    table = VerdictTable(config)
    drained = data.draw(st.sets(st.sampled_from(["fra", "ams", "sin", "none"])))
    table.set_drained(data.draw(st.sets(st.sampled_from(["fra", "ams"]))))
    for number, (_, observed, _) in enumerate(rows):
        table.observe([number], observed)
    table.set_drained(drained)
    expected = bytes(merge(observed, pop in drained, unknown) for pop, observed, unknown in rows)
    assert [octet & 3 for octet in table.to_bytes()] == list(expected)
    assert list(table.verdicts()) == list(expected)


def test_endpoints_are_numbered_through_the_pools_and_an_undrain_restores_the_truth():
    table = VerdictTable(example_site())
    assert table.to_bytes() == bytes([4, 4, 4, 4])
    table.set_drained({"fra"})
    assert table.to_bytes() == bytes([6, 4, 4, 6])
    table.observe([0], Observed.DOWN)
    assert [octet & 3 for octet in table.to_bytes()] == [2, 0, 0, 2]
    table.set_drained(set())
    assert [octet & 3 for octet in table.to_bytes()] == [1, 0, 0, 0]
    assert table[0] is Verdict.DOWN
    assert len(table) == 4


def test_observations_of_another_site_are_refused():
    with pytest.raises(ValueError, match="1 observations for 4 endpoints"):
        VerdictTable(example_site(), [Observed.UP])


def test_marks_are_taken_over_by_the_next_table():
    now = 0.0
    table = VerdictTable(example_site(), [Observed.UP] * 4, monotonic=lambda: now)
    table.observe([0], Observed.DOWN)
    assert table.to_bytes() == bytes([5, 4, 4, 4])
    assert not table.expire_marks()
    now += 3_600
    assert table.expire_marks()
    table.observe([1, 2], Observed.DOWN)
    assert table.to_bytes() == bytes([1, 5, 5, 4])
    succession = Roster(example_site()).after(table.roster)
    after = table.taken_over(succession, [Observed.DOWN] * 3 + [Observed.UNKNOWN], ())
    assert after.to_bytes() == bytes([1, 5, 5, 4])
    assert [after.is_last_good(number) for number in range(4)] == [False, True, True, True]
