from __future__ import annotations

import pytest

from gslb.errors import InvalidChangeError
from gslb.model.site import LatencyRow, LocationKind, Milliseconds, Percent
from gslb.operations.latency_changes import RequestedLatency, read_latency, without_small_changes


def test_latency_rows_are_set_or_given_back():
    rows, removed = read_latency(
        [RequestedLatency("country:DE", "fra", 12.5), RequestedLatency("default", "ams", None)],
        ["fra", "ams"],
    )
    assert [(row.kind, row.value, row.pop, row.milliseconds) for row in rows] == [
        ("country", "DE", "fra", 12.5)
    ]
    assert removed == [("default", "", "ams")]


def test_latency_problems_are_found_at_once():
    with pytest.raises(InvalidChangeError) as caught:
        read_latency(
            [
                RequestedLatency("country:DE", "nope", 1),
                RequestedLatency("x", "fra", 1),
                RequestedLatency("country:FR", "fra", 1),
                RequestedLatency("country:FR", "fra", 2),
                RequestedLatency("country:NL", "fra", 60_001),
                RequestedLatency("x", "nope", float("nan")),
                RequestedLatency("country:" + "X" * 100, "fra", 1),
            ],
            ["fra"],
        )
    assert [pointer for pointer, _ in caught.value.problems] == [
        "/rows/0/pop",
        "/rows/1/location",
        "/rows/3",
        "/rows/4/ms",
        "/rows/5/pop",
        "/rows/5/ms",
        "/rows/5/location",
        "/rows/6/location",
    ]


@pytest.mark.parametrize(
    ("hysteresis", "kept"),
    [
        (None, [10, 13, 13.1, 7, 20, 5]),
        (Milliseconds(milliseconds=3), [13.1, 20, 5]),
        (Percent(percent=30), [13.1, 20, 5]),
        (Percent(percent=0), [13, 13.1, 7, 20, 5]),
    ],
)
def test_small_changes_are_left_out_by_the_hysteresis(hysteresis, kept):
    before = [LatencyRow(kind=LocationKind.COUNTRY, value="DE", pop="fra", milliseconds=10)]
    measured = [before[0].model_copy(update={"milliseconds": ms}) for ms in (10, 13, 13.1, 7, 20)]
    measured.append(before[0].model_copy(update={"pop": "ams", "milliseconds": 5}))
    rows = without_small_changes(measured, before, hysteresis)
    assert [row.milliseconds for row in rows] == kept
