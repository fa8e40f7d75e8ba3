"""Numbers with a unit."""

import pytest

from gslb.config.measures import difference, kilometres, need
from gslb.model.site import Count, Fraction, Milliseconds, Percent


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, Count(count=1)),
        (65535, Count(count=65535)),
        ("50%", Fraction(fraction=0.5)),
        ("0.5%", Fraction(fraction=0.005)),
        ("100 %", Fraction(fraction=1)),
    ],
)
def test_a_need(value, expected):
    assert need(value) == expected


@pytest.mark.parametrize("value", [0, 65536, -1, True, 0.5, "0%", "101%", "-5%", "2", "%", "5%%", None, [2]])
def test_what_is_no_need(value):
    with pytest.raises(ValueError, match=r"must be a whole number from 1 to 65535, or more than 0% to 100%"):
        need(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("5ms", Milliseconds(milliseconds=5)),
        ("0.5s", Milliseconds(milliseconds=500)),
        ("1m", Milliseconds(milliseconds=60_000)),
        ("10%", Percent(percent=10)),
        ("0%", Percent(percent=0)),
        ("1000%", Percent(percent=1000)),
    ],
)
def test_a_difference(value, expected):
    assert difference(value) == expected


@pytest.mark.parametrize("value", [5, 5.0, "5", "1001%", "61s", "-5ms", "", "x", None, True, {}])
def test_what_is_no_difference(value):
    with pytest.raises(ValueError, match="must be a duration such as 5ms, at most 1m, or a percentage"):
        difference(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(200, 200), (-500.5, -500.5), ("-500km", -500), ("+20 km", 20), ("0.5km", 0.5), (-20_000, -20_000)],
)
def test_kilometres(value, expected):
    assert kilometres(value) == expected


@pytest.mark.parametrize("value", [20_001, -20_001, "200", "5 miles", "km", True, None, [1]])
def test_what_are_no_kilometres(value):
    with pytest.raises(ValueError, match="must be kilometres from -20000 to 20000, such as -500km"):
        kilometres(value)
