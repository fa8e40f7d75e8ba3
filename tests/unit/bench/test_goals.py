"""What a run makes of the goals."""

from __future__ import annotations

import pytest
from scenarios.goals import Goal, Row, live_rows, medians, peer_rows, table, workers_text


def _result(workload: str, server: str, *cpu: float, qps: float = 500_000) -> dict:
    runs = [{"cpu_us": one, "qps": qps, "start_s": one / 10, "rss_after_mb": 100 * one} for one in cpu]
    return {"workload": workload, "server": server, "runs": runs}


RESULTS = [
    _result("static", "null-mmsg", 1.5, 1.4, 1.6),
    _result("static", "gdnsd", 1.7),
    _result("static", "knot", 2.2),
    _result("static", "gslb", 1.6),
    _result("geo", "gdnsd", 1.75),
    _result("geo", "gslb", 1.65),
    _result("steer", "gslb", 1.8),
    _result("load", "knot", 3.0),
    _result("load", "gslb", 7.0),
    {"workload": "tcp", "server": "gdnsd", "runs": [{"error": "no answer"}]},
    _result("tcp", "knot", 0.0, qps=29),
    _result("tcp", "gslb", 2.0),
]


def test_medians_leave_out_runs_that_failed_or_answered_next_to_nothing():
    found = medians(RESULTS, "cpu_us")
    assert found["static", "null-mmsg"] == 1.5
    assert ("tcp", "knot") not in found
    assert ("tcp", "gdnsd") not in found


def test_each_row_compares_with_the_best_peer_of_the_same_run():
    rows = {row.goal.what: row for row in peer_rows(RESULTS)}
    static = rows["static UDP, CPU over null"]
    assert static.best == ("gdnsd", pytest.approx(0.2))
    assert static.ours == pytest.approx(0.1)
    assert static.verdict == "met"
    assert static.against_peer == "0.50 (goal 0.71): met"


def test_steering_compares_with_what_peers_do_for_geography_alone():
    steer = next(row for row in peer_rows(RESULTS) if row.goal.what.startswith("geo + "))
    assert steer.best == ("gdnsd", pytest.approx(0.25))
    assert steer.verdict == "short by 0.05 µs"
    assert steer.against_peer == "1.20 (goal 0.93): short"


def test_a_row_without_a_peer_or_without_a_figure_says_so():
    rows = {row.goal.what: row for row in peer_rows(RESULTS)}
    tcp = rows["TCP, 20 pipelined connections, per answer"]
    assert (tcp.ours, tcp.best, tcp.against_peer) == (2.0, None, "–")
    mixed = rows["mixed UDP, over null"]
    assert (mixed.verdict, mixed.is_met, mixed.against_peer) == ("not measured", None, "–")


def test_without_the_null_server_nothing_is_over_it():
    rows = peer_rows([row for row in RESULTS if row["server"] != "null-mmsg"])
    assert [row.goal.what for row in rows if row.verdict == "not measured"][:2] == [
        "static UDP, CPU over null",
        "mixed UDP, over null",
    ]


@pytest.mark.parametrize(("ours", "verdict"), [(2.0, "met"), (2.01, "short by 0.01"), (0.0, "met")])
def test_a_goal_is_met_up_to_its_limit(ours, verdict):
    assert Row(Goal("something", 2.0), ours).verdict == verdict


LIVE = {
    "change": {
        "accepted_to_answered_ms": {"p99": 0.4},
        "requested_to_answered_ms": {"p99": 7.25},
        "load": {"qps": 300_000, "worker_busy": 0.93},
    },
    "reload": {
        "full": {
            "lost": 2,
            "servfail": 0,
            "p99_ratio": 1.5,
            "peak_ratio": 2.4,
            "p99_us_before": 300.0,
            "p99_us_during": 450.0,
            "seconds": 0.81,
        }
    },
    "control": {
        "probes": {
            "p99_moves_percent": 31.0,
            "p99_us_quiet": 100.0,
            "p99_us_disturbed": 131.0,
            "probes_per_second": 998.5,
            "control_cpu_share": 0.4,
        }
    },
    "workers": {
        name: {"full_qps": 1.5, "full_cpu_us": cpu, "paced_greatest_share": 0.55}
        for name, cpu in (
            ("gslb_one", 1.6),
            ("null_one", 1.45),
            ("gslb_two", 2.0),
            ("null_two", 1.87),
            ("gslb_two_to_one", 1.25),
            ("null_two_to_one", 1.29),
        )
    },
}


def test_live_rows_have_a_verdict_for_each_measured_scenario_and_no_other():
    verdicts = {row.goal.what: row.verdict for row in live_rows(LIVE)}
    assert verdicts["one RRset of 1M names changed, accepted → answered, p99"] == "met"
    assert verdicts["reload of 1M names, full load: lost"] == "short by 2"
    assert verdicts["reload of 1M names, full load: p99 latency to before"] == "met"
    assert verdicts["reload of 1M names, full load: peak memory to before"] == "short by 0.20"
    assert verdicts["reload of 1M names, 100,000 q/s: lost"] == "not measured"
    assert verdicts["p99 at 100,000 q/s moves by, under 1,000 probes a second"] == "short by 11.0 %"
    assert {row.verdict for row in live_rows({})} == {"not measured"}


def test_notes_say_what_stood_behind_a_figure():
    notes = {row.goal.what: row.note for row in live_rows(LIVE)}
    change = notes["one RRset of 1M names changed, accepted → answered, p99"]
    assert change == "requested → answered 7.25 ms, 300,000 q/s, worker 93 % busy"
    probes = notes["p99 at 100,000 q/s moves by, under 1,000 probes a second"]
    assert probes == "100 → 131 µs, 998.5 probes/s, control plane 40 % of its core"


def test_two_workers_are_stated_beside_the_null_server():
    text = workers_text(LIVE)
    assert "1.25 × the CPU for each (1.29 ×)" in text
    assert "takes 0.15 µs with one and 0.13 with two" in text
    assert "the busier worker does 55 %" in text
    assert workers_text({}).endswith("not measured.")


def test_the_table_has_a_line_for_each_row_and_as_many_cells_in_each():
    lines = table([*peer_rows(RESULTS), *live_rows(LIVE)]).splitlines()
    assert len(lines) == 2 + len(peer_rows([])) + len(live_rows({}))
    assert {line.count(" | ") for line in lines if "---" not in line} == {6}
