"""What the server sets up before it serves; tests/e2e runs the real process."""

from __future__ import annotations

import sys

import pytest
from structlog.testing import capture_logs

from gslb import server
from gslb.model.report import FindingReport


@pytest.fixture
def switch_interval():
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("switch_interval")
def test_threads_that_compute_give_the_event_loop_its_turn_soon(monkeypatch):
    during = []

    async def serve(_options):
        during.append(sys.getswitchinterval())

    monkeypatch.setattr(server, "_serve", serve)
    server.serve(None)
    assert during == [server.SWITCH_SECONDS]


def finding(number, rule, severity="warning"):
    return FindingReport(
        rule=rule, severity=severity, file="a.zone", line=number, column=0, message=f"problem {number}"
    )


def test_a_start_logs_the_first_findings_of_each_rule_and_counts_the_others():
    many = [finding(number, "zone-single-ns") for number in range(1, server.LOGGED_FINDINGS + 4)]
    with capture_logs() as logs:
        server._log_findings([*many, finding(7, "site-name-unused", "info")])
    assert len(logs) == server.LOGGED_FINDINGS + 2
    assert logs[0] == {
        "event": "problem 1",
        "log_level": "warning",
        "rule": "zone-single-ns",
        "place": "a.zone:1",
    }
    assert logs[-2]["log_level"] == "info"
    assert (logs[-1]["rule"], logs[-1]["count"]) == ("zone-single-ns", 3)
