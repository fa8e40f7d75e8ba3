"""What the server sets up before it serves; tests/e2e runs the real process."""

from __future__ import annotations

import sys

import pytest

from gslb import server


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
