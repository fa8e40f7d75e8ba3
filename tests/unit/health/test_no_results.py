"""Which probes without a result are logged: each reason once a minute, and a bounded number of reasons."""

from __future__ import annotations

from structlog.testing import capture_logs

from gslb.health.no_results import MOST_REASONS, NoResults


def logged(no_results, *notes):
    with capture_logs() as logs:
        for monitor, reason, now in notes:
            no_results.note(monitor, "192.0.2.1", reason, now)
    return [(line["event"], line["monitor"], line["reason"], line["count"]) for line in logs]


EVENT = "probes without a result"
OTHERS = "probes without a result, for more reasons than are told apart"


def test_each_reason_of_each_monitor_has_its_own_minute_and_count():
    no_results = NoResults()
    assert logged(no_results, ("a", "x", 0), ("a", "y", 1), ("b", "x", 2)) == [
        (EVENT, "a", "x", 1),
        (EVENT, "a", "y", 1),
        (EVENT, "b", "x", 1),
    ]
    assert logged(no_results, ("a", "x", 59.9), ("b", "x", 59.9)) == []
    assert logged(no_results, ("a", "x", 60), ("b", "x", 60), ("b", "x", 62)) == [
        (EVENT, "a", "x", 2),
        (EVENT, "b", "x", 3),
    ]


def test_reasons_without_end_cost_a_bounded_number_of_lines():
    no_results = NoResults()
    for minute in range(5):
        notes = [("m", f"host {number} is in no file", minute * 60 + number / 100) for number in range(1000)]
        lines = logged(no_results, *notes)
        assert len(lines) <= MOST_REASONS + 1
        assert sum(count for event, _, _, count in lines if event == OTHERS) > 0
    # What is noted no more makes room.
    assert logged(no_results, ("m", "new", 1000)) == [(EVENT, "m", "new", 1)]


def test_what_is_not_told_apart_is_counted_together():
    no_results = NoResults()
    logged(no_results, *(("m", f"reason {number}", 0) for number in range(MOST_REASONS)))
    more = [("m", "one more", 1), ("m", "two more", 2), ("n", "three more", 61.5)]
    busy = [("m", f"reason {number}", 60) for number in range(MOST_REASONS)]
    assert logged(no_results, *more[:2]) == [(OTHERS, "m", "one more", 1)]
    logged(no_results, *busy)
    assert logged(no_results, more[2]) == [(OTHERS, "n", "three more", 2)]
