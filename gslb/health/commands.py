"""Probes by a program of the operator's: exit status 0 means up.

No shell is between: the arguments reach the program as they stand. It has an environment, a session and a
process group of its own, ``/`` as its directory, and nothing to read from or write to. When it ends, or takes
too long, whatever is left of its group is killed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

from gslb.health.probes import ProbeResult
from gslb.model.health import ITEM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gslb.health.probes import ProbeTarget
    from gslb.model.clock import Clock
    from gslb.model.site import Monitor

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}
"""All that a program is told; the server's own environment may hold its token."""

NOT_ALLOWED = "this server runs no commands: start it with --allow-commands"

DEATH_SECONDS = 1.0
"""How long a program that was killed is waited for."""


class CommandProber:
    """Runs the commands of monitors, unless it is not ``allowed`` to: then probes have no result."""

    def __init__(self, clock: Clock, *, allowed: bool) -> None:
        self._clock = clock
        self._allowed = allowed

    async def probe(self, monitor: Monitor, target: ProbeTarget) -> ProbeResult:
        """One probe; never raises, and takes hardly more than the monitor's timeout."""
        started = self._clock.monotonic()
        success: bool | None
        if not self._allowed:
            return ProbeResult(None, NOT_ALLOWED, 0.0)
        arguments = [argument.replace(ITEM, target.host) for argument in monitor.command]
        try:
            status = await _run(arguments, monitor.timeout)
        except TimeoutError:
            success, reason = False, f"timeout after {monitor.timeout:g}s"
        except OSError as error:  # of this machine: nothing was learnt about the target
            success, reason = None, f"{arguments[0]} cannot be run: {(error.strerror or 'error').lower()}"
        else:
            success = status == 0
            reason = f"exit status {status}" if status >= 0 else f"killed by signal {-status}"
        return ProbeResult(success, reason, self._clock.monotonic() - started)

    async def close(self) -> None:
        """Nothing is held between probes."""


async def _run(arguments: Sequence[str], timeout: float) -> int:  # noqa: ASYNC109 - it ends the program too
    """The exit status, negative for a signal. Raises TimeoutError, and OSError when it cannot be started."""
    # Starts in about a millisecond however large this process is: without preexec_fn that is a vfork.
    process = subprocess.Popen(  # noqa: ASYNC220, S603 - what the site says, if that is allowed
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=ENVIRONMENT,
        start_new_session=True,
    )
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:
        _kill_group(process.pid)
        process.wait()
        raise
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        async with asyncio.timeout(timeout):
            await ended.wait()
    finally:
        # Until it is reaped its number is nobody else's, so this reaches what it left behind and no other.
        _kill_group(process.pid)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(DEATH_SECONDS):
                    await ended.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)
            process.poll()
    return process.returncode


def _kill_group(leader: int) -> None:
    # What changed its user, such as by setuid, cannot be killed.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
