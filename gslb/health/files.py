"""States that another program writes into a file: ``ADDRESS => UP``, as gdnsd-plugin-extfile(8) has them.

A file is read once for all that look into it, in a thread, and again only when it has changed. What cannot be
read whole says nothing of anybody.
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

from gslb.health.probes import ProbeResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gslb.health.probes import ProbeTarget
    from gslb.model.clock import Clock
    from gslb.model.site import Monitor

MAXIMUM_OCTETS = 16 * 1024 * 1024
FRESH_SECONDS = 0.5
"""So long what was read counts for others that ask, before the file is looked at again."""
FORGET_SECONDS = 7_200.0
"""A file that nobody asked for so long is forgotten: no interval is as long."""
THREADS = 2
"""Reading may hang, such as on a network's file system; that must not hold up anything but this."""

_PAIR = re.compile(
    r'(?P<blank>(?:\s|,|[#;][^\n]*)+)|"?(?P<item>[^\s"=,;#]+)"?\s*=>?\s*"?(?P<state>\w+)(?:/\d{1,10})?"?'
)

Signature = tuple[int, int, int]
States = dict[str, bool]


@dataclass(slots=True)
class _File:
    """A file as it was last read. ``problem`` says why there are no ``states``."""

    states: Mapping[str, bool] = field(default_factory=dict)
    problem: str = ""
    signature: Signature | None = None
    checked_at: float = float("-inf")
    reading: asyncio.Future[tuple[Signature | None, States | None, str]] | None = None


class FileProber:
    """Looks targets up in the files of monitors."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._files: dict[str, _File] = {}
        self._threads: ThreadPoolExecutor | None = None

    async def probe(self, monitor: Monitor, target: ProbeTarget) -> ProbeResult:
        """One probe; never raises, takes at most the monitor's timeout."""
        started = self._clock.monotonic()
        success: bool | None = None
        try:
            async with asyncio.timeout(monitor.timeout):
                file = await self._read(monitor.file)
        except TimeoutError:
            reason = f"{monitor.file} cannot be read within {monitor.timeout:g}s"
        else:
            reason = file.problem
            if not reason:
                known = file.states.get(item_of(target.host))
                missing = {"up": True, "down": False, "unknown": None}[monitor.missing]
                success = missing if known is None else known
                word = {True: "up", False: "down", None: "nothing"}[success]
                reason = f"{monitor.file} says {word}"
                if known is None:
                    reason = f"{target.host} is not in {monitor.file}: {word}"
        return ProbeResult(success, reason, self._clock.monotonic() - started)

    async def close(self) -> None:
        """Release the threads."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _read(self, path: str) -> _File:
        """The file as it is now, or was half a second ago."""
        now = self._clock.monotonic()
        if path not in self._files:
            self._files = {
                name: file for name, file in self._files.items() if now - file.checked_at < FORGET_SECONDS
            }
        file = self._files.setdefault(path, _File())
        if now - file.checked_at < FRESH_SECONDS:
            return file
        if file.reading is None:
            self._threads = self._threads or ThreadPoolExecutor(THREADS, thread_name_prefix="gslb-states")
            loop = asyncio.get_running_loop()
            file.reading = loop.run_in_executor(self._threads, read_states, path, file.signature)
            file.reading.add_done_callback(lambda done: self._take(file, done))
        # Others wait for the same reading, and it goes on when one has no more time.
        await asyncio.shield(file.reading)
        return file

    def _take(self, file: _File, done: asyncio.Future[tuple[Signature | None, States | None, str]]) -> None:
        file.reading = None
        if done.cancelled():
            return
        signature, states, problem = done.result()
        file.checked_at = self._clock.monotonic()
        if states is None and not problem:
            return  # as it was
        file.signature, file.states, file.problem = signature, states or {}, problem


def read_states(path: str, known: Signature | None) -> tuple[Signature | None, States | None, str]:
    """What a file says now: its signature, states by item, and why there are none; never raises.

    Neither states nor a reason for a file that is as it was ``known``. Blocks.
    """
    try:
        # A pipe that nobody writes to must not be waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                return None, None, f"{path} is no file"
            signature = (found.st_mtime_ns, found.st_size, found.st_ino)
            if signature == known:
                return signature, None, ""
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                octets = file.read(MAXIMUM_OCTETS + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        return None, None, f"{path} cannot be read: {(error.strerror or 'error').lower()}"
    if len(octets) > MAXIMUM_OCTETS:
        return None, None, f"{path} is larger than {MAXIMUM_OCTETS:,} octets"
    states, line = parse_states(octets.decode("utf-8", "replace"))
    if line:
        return None, None, f"{path}:{line}: a line must be ADDRESS => UP, or DOWN"
    return signature, states, ""


def parse_states(text: str) -> tuple[States, int]:
    """Item to whether it is up, and the number of the first line that cannot be read, or 0."""
    states: States = {}
    at = 0
    while at < len(text):
        found = _PAIR.match(text, at)
        state = None if found is None else found["state"]
        if found is None or (state is not None and state.upper() not in {"UP", "DOWN"}):
            return {}, text.count("\n", 0, at) + 1
        if state is not None:
            states[item_of(found["item"])] = state.upper() == "UP"
        at = found.end()
    return states, 0


def item_of(text: str) -> str:
    """An address or a name as it is compared."""
    try:
        return str(ip_address(text))
    except ValueError:
        return text.lower().removesuffix(".")
