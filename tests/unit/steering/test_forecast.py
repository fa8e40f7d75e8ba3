"""What a drain would do to the load of each POP."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gslb.steering.demand import Cell
from gslb.steering.forecast import Change, forecast

GERMANY = Cell("www.example.com.", 1, "DE", "10.49.0.1")
FRANCE = Cell("www.example.com.", 1, "FR", "10.33.0.1")
SHARES = {GERMANY: {"fra": 1.0}, FRANCE: {"fra": 0.25, "ams": 0.75}}


def test_demand_moves_to_the_pops_that_are_left():
    rows = forecast(
        [(GERMANY, 100.0), (FRANCE, 40.0)],
        SHARES.__getitem__,
        lambda _: {"ams": 1.0},
        {"fra": 200.0, "ams": 120.0, "sin": None},
    )
    assert [(row.pop, row.load.before, row.load.after) for row in rows] == [
        ("fra", 110.0, 0.0),
        ("ams", 30.0, 140.0),
        ("sin", 0.0, 0.0),
    ]
    assert rows[1].countries == {"DE": Change(0.0, 100.0), "FR": Change(30.0, 40.0)}
    assert list(rows[1].countries) == ["DE", "FR"]
    assert [row.is_overloaded for row in rows] == [False, True, False]


def test_what_nobody_gets_has_a_row():
    rows = forecast([(GERMANY, 10.0)], SHARES.__getitem__, lambda _: {}, {"fra": 1.0})
    assert [(row.pop, row.load) for row in rows] == [("fra", Change(10.0, 0.0)), ("", Change(0.0, 10.0))]


def test_a_pop_that_is_relieved_is_not_called_overloaded():
    (row,) = forecast([(FRANCE, 100.0)], lambda _: {"ams": 1.0}, lambda _: {"ams": 0.9}, {"ams": 50.0})[:1]
    assert not row.is_overloaded


@given(
    st.lists(st.tuples(st.sampled_from([GERMANY, FRANCE]), st.floats(0, 1e6)), max_size=20), st.floats(0, 1)
)
def test_no_demand_is_lost(demand, share):
    rows = forecast(
        demand,
        lambda _: {"fra": share},
        lambda _: {"ams": share / 2, "sin": share / 2},
        {"fra": None, "ams": None, "sin": None},
    )
    total = sum(rate for _, rate in demand)
    assert sum(row.load.before for row in rows) == pytest.approx(total, rel=1e-6, abs=1e-3)
    assert sum(row.load.after for row in rows) == pytest.approx(total, rel=1e-6, abs=1e-3)
