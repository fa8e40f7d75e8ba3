"""Tells systemd how the service is doing (``Type=notify``, sd_notify(3)). Without systemd it does nothing."""

from __future__ import annotations

import os
import socket
import time

import structlog

log = structlog.get_logger(__name__)

PATIENCE = 1.0
"""Seconds that systemd may take to accept a message; the event loop waits for so long."""


def notify(*lines: str) -> None:
    """Send assignments such as ``READY=1`` to the socket that ``NOTIFY_SOCKET`` names, if it is set.

    What cannot be sent is logged and no more: serving goes on without systemd knowing.
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
            channel.settimeout(PATIENCE)
            channel.sendto("\n".join(lines).encode(), address)
    except OSError as error:
        log.warning("NOTIFY_SOCKET does not take messages", message=lines[0], error=str(error))
