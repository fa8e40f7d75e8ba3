"""What systemd is told, over a real socket."""

from __future__ import annotations

import os
import socket

import pytest
from structlog.testing import capture_logs

from gslb.systemd import notify


@pytest.fixture
def manager(request, tmp_path, monkeypatch):
    """A datagram socket that NOTIFY_SOCKET names: in the file system, or in the abstract namespace."""
    name = f"\0gslb-test-{os.getpid()}" if request.param == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(name)
        receiver.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", name.replace("\0", "@"))
        yield receiver


@pytest.mark.parametrize("manager", ["file", "abstract"], indirect=True)
def test_assignments_are_one_datagram_of_lines(manager):
    notify("READY=1", "STATUS=Serving 2 zones")
    assert manager.recv(1000) == b"READY=1\nSTATUS=Serving 2 zones"


@pytest.mark.parametrize("manager", ["file"], indirect=True)
def test_a_reload_says_when_it_began(manager):
    notify("RELOADING=1")
    first, second = manager.recv(1000).decode().split("\n")
    assert first == "RELOADING=1"
    name, _, value = second.partition("=")
    assert name == "MONOTONIC_USEC"
    assert int(value) > 0


@pytest.mark.parametrize("path", [None, ""])
def test_without_systemd_nothing_happens(monkeypatch, path):
    if path is None:
        monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    else:
        monkeypatch.setenv("NOTIFY_SOCKET", path)
    notify("READY=1")


def test_a_manager_that_went_away_does_not_end_the_server(monkeypatch, tmp_path):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    with capture_logs() as logs:
        notify("READY=1", "STATUS=x")
    assert [(entry["event"], entry["notify"]) for entry in logs] == [("systemd cannot be told", "READY=1")]
