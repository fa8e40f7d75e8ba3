import socket

import pytest
from structlog.testing import capture_logs

from gslb import systemd


@pytest.fixture
def manager(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(5)
        manager.bind("")  # the kernel picks an abstract address
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + manager.getsockname()[1:].decode())
        yield manager


def test_assignments_are_sent_in_one_message(manager):
    systemd.notify("READY=1", "STATUS=Serving")
    assert manager.recv(100) == b"READY=1\nSTATUS=Serving"


def test_without_systemd_nothing_happens(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    systemd.notify("READY=1")


@pytest.mark.parametrize("address", ["/nowhere/to/be/found", "@nobody-listens-here", "vsock:2:1", "x" * 200])
def test_a_socket_that_takes_nothing_is_logged_and_no_error(monkeypatch, address):
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    with capture_logs() as logs:
        systemd.notify("STOPPING=1")
    assert [(row["log_level"], row["message"]) for row in logs] == [("warning", "STOPPING=1")]


def test_a_socket_that_is_full_holds_nobody_up(manager, monkeypatch):
    monkeypatch.setattr(systemd, "PATIENCE", 0.01)
    with capture_logs() as logs:
        for _ in range(10_000):
            systemd.notify("READY=1")
            if logs:
                return
    raise AssertionError("nothing was ever refused")
