"""Percentiles, and what the generator prints."""

from __future__ import annotations

import json

import pytest
from scenarios.figures import (
    change_percent,
    histogram_percentile,
    median_of,
    merged,
    percentile,
    read_generator,
    summary,
    window,
)


def test_a_percentile_is_a_measured_value_that_enough_do_not_exceed():
    values = list(range(1, 201))
    assert [percentile(values, share) for share in (0, 0.5, 0.99, 0.999, 1)] == [1, 100, 198, 200, 200]
    assert percentile([7.5], 0.99) == 7.5
    assert percentile([3, 1, 2], 0.5) == 2


def test_a_percentile_needs_values_and_a_share():
    for values, share in (([], 0.5), ([1], -0.1), ([1], 1.1)):
        with pytest.raises(ValueError, match="percentile"):
            percentile(values, share)
        with pytest.raises(ValueError, match="percentile"):
            histogram_percentile(dict.fromkeys(values, 1), share)


def test_a_histogram_has_the_percentiles_of_its_values():
    values = [10.0] * 980 + [50.0] * 15 + [900.0] * 5
    histogram = merged([{10.0: 500, 50.0: 15}, {10.0: 480}, {900.0: 5}])
    for share in (0.0, 0.5, 0.98, 0.981, 0.99, 0.995, 0.999, 1.0):
        assert histogram_percentile(histogram, share) == percentile(values, share)


def test_a_summary_counts():
    assert summary([1.0, 2.0, 3.0]) == {"count": 3, "p50": 2.0, "p99": 3.0, "max": 3.0}


def test_a_median_is_of_the_runs_that_have_the_figure():
    assert median_of([{"us": 3}, {"us": 1}, {}, {"us": None}, {"us": 2}], "us") == 2


def test_a_change_is_in_percent_of_what_was_before():
    assert [change_percent(100, after) for after in (120, 100, 50)] == pytest.approx([20, 0, -50])


def _interval(at: float, histogram: dict[float, int], lost: int = 0, rcodes: dict[str, int] | None = None):
    count = sum(histogram.values())
    return {
        "at": at,
        "seconds": 0.5,
        "sent": count + lost,
        "answered": count,
        "lost": lost,
        "rcodes": rcodes or {"0": count},
        "histogram_us": [list(row) for row in histogram.items()],
    }


OUTPUT = "\n".join(
    json.dumps(row)
    for row in (
        _interval(100.0, {10.0: 99, 20.0: 1}),
        _interval(100.5, {10.0: 50, 900.0: 50}, lost=3, rcodes={"0": 98, "2": 2}),
        _interval(101.0, {10.0: 100}),
        {"seconds": 1.5, "qps": 200, "lost": 3},
    )
)


def test_the_generator_prints_intervals_and_then_the_whole():
    intervals, total = read_generator(OUTPUT)
    assert [(one.begin, one.end, one.answered, one.lost) for one in intervals] == [
        (100.0, 100.5, 100, 0),
        (100.5, 101.0, 100, 3),
        (101.0, 101.5, 100, 0),
    ]
    assert intervals[1].rcodes == {0: 98, 2: 2}
    assert total["qps"] == 200


@pytest.mark.parametrize("text", ["", "udpload: socket: refused\n", OUTPUT.rpartition("\n")[0]])
def test_output_without_the_whole_is_not_taken_for_one(text):
    with pytest.raises(ValueError, match="last line"):
        read_generator(text)


def test_a_window_has_the_intervals_within_it_or_also_those_that_touch_it():
    intervals, _ = read_generator(OUTPUT)
    before = window(intervals, 99.0, 100.7)
    assert (before.seconds, before.answered, before.lost, before.servfail) == (0.5, 100, 0, 0)
    assert (before.p50_us, before.p99_us, before.p999_us) == (10.0, 10.0, 20.0)
    during = window(intervals, 100.7, 101.0, touching=True)
    assert (during.answered, during.lost, during.servfail, during.p99_us) == (100, 3, 2, 900.0)
    assert during.queries_per_second == 200
    with pytest.raises(ValueError, match="percentile"):
        window(intervals, 300, 301)
