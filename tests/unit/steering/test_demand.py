"""Recent demand, decayed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gslb.steering.demand import Cell, Demand

GERMANY = Cell("www.example.com.", 1, "DE", "10.49.0.1")
FRANCE = Cell("www.example.com.", 1, "FR", "10.33.0.1")


def test_without_counts_there_is_none():
    demand = Demand()
    assert demand.rates() == []
    demand.start(5.0)
    demand.add([(GERMANY, 7)], 5.0)
    assert demand.rates() == []


@given(st.lists(st.floats(0.1, 1000), min_size=1, max_size=20), st.integers(1, 10_000))
def test_a_steady_rate_is_that_rate_from_the_first_observation_on(gaps, rate):
    demand, now = Demand(half_life=60), 0.0
    demand.start(now)
    for gap in gaps:
        now += gap
        demand.add([(GERMANY, rate * gap)], now)
        assert demand.rates() == [(GERMANY, pytest.approx(rate))]


def test_what_stops_halves_in_a_half_life_and_is_forgotten():
    demand = Demand(half_life=60)
    demand.start(0.0)
    demand.add([(GERMANY, 10_000 * 600)], 600.0)
    before = dict(demand.rates())[GERMANY]
    demand.add([(FRANCE, 6000)], 660.0)
    rates = dict(demand.rates())
    assert rates[GERMANY] == pytest.approx(before / 2, rel=0.01)
    assert list(rates) == [GERMANY, FRANCE]
    demand.add([], 660.0 + 60 * 40)
    assert demand.rates() == []


def test_one_clock_reading_twice_loses_nothing():
    demand = Demand(half_life=60)
    demand.start(0.0)
    demand.start(50.0)
    demand.add([(GERMANY, 40)], 0.0)
    demand.add([(GERMANY, 60)], 100.0)
    assert demand.rates() == [(GERMANY, pytest.approx(1.0))]
