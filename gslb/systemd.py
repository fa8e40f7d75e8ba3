"""Tells systemd how the service is doing (``Type=notify``, sd_notify(3)). Without systemd it does nothing."""

from __future__ import annotations

import os
import socket
import time

import structlog

log = structlog.get_logger(__name__)

TIMEOUT = 0.1
"""Seconds to wait for room in the manager's queue: the event loop waits too."""


def notify(*lines: str) -> None:
    """Send assignments such as ``READY=1`` to the socket that ``NOTIFY_SOCKET`` names, if it is set.

    A manager that cannot be told is logged, and otherwise no concern of who serves.
    """
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    if "RELOADING=1" in lines:
        # sd_notify(3): a reload is told with the time it began at, so that a later READY=1 is its end.
        lines = (*lines, f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")
    address = "\0" + path[1:] if path.startswith("@") else path
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.settimeout(TIMEOUT)
            channel.sendto("\n".join(lines).encode(), address)
    except OSError as error:
        log.warning("systemd cannot be told", notify=lines[0], socket=path, error=str(error))
