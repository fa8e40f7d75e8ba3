from __future__ import annotations

import pytest

from gslb.errors import InvalidChangeError
from gslb.operations.latency_changes import RequestedLatency, read_latency


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
