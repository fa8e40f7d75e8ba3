from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gslb.health.thresholds import Thresholds, ThresholdState
from gslb.model.health import Observed

thresholds = st.builds(Thresholds, rise=st.integers(1, 6), fall=st.integers(1, 6))


def run(results, limits):
    state = ThresholdState()
    states = [state]
    for success in results:
        state = state.after(success, limits)
        states.append(state)
    return states


@given(st.lists(st.booleans(), max_size=80), thresholds)
def test_a_flip_needs_rise_successes_or_fall_failures_in_a_row(results, limits):
    for position, (before, after) in enumerate(pairwise(run(results, limits))):
        if before.observed is after.observed:
            continue
        assert after.observed is not Observed.UNKNOWN
        success = after.observed is Observed.UP
        needed = limits.rise if success else limits.fall
        assert results[position + 1 - needed : position + 1] == [success] * needed


@given(st.lists(st.booleans(), max_size=40), thresholds, st.booleans())
def test_enough_equal_results_always_decide(results, limits, success):
    needed = limits.rise if success else limits.fall
    final = run([*results, *[success] * needed], limits)[-1]
    assert final == ThresholdState(Observed.UP if success else Observed.DOWN, 0)


def test_from_unknown_the_first_results_need_the_full_counts():
    states = run([False, False, True, True, True], Thresholds(rise=3, fall=3))
    assert [state.observed for state in states] == [Observed.UNKNOWN] * 5 + [Observed.UP]


def test_one_good_result_starts_the_count_of_failures_anew():
    states = run([True, False, False, True, False, False, False], Thresholds(rise=1, fall=3))
    assert [state.observed for state in states[1:]] == [Observed.UP] * 6 + [Observed.DOWN]
