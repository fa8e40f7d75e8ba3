"""The load generator in the background, as ``udpload.c`` has it."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import peers

from . import machine
from .figures import Interval, read_generator
from .machine import Cores

WARM = 0.5
LONGEST = 3600
TIMEOUT_MS = 1000
"""After so long an answer counts as lost."""
YIELDING = 19
"""Niceness of a full load that takes what the control plane leaves of their core."""
PACED = 100_000
"""Queries a second of a paced load."""


class Target(Protocol):
    """What is asked: a server on 127.0.0.1."""

    port: int
    cores: Cores


class Measured(Target, Protocol):
    """What is asked, and says what its workers have used."""

    def worker_cpu_seconds(self) -> list[float]:
        """CPU time of each worker so far."""


class Load:
    """Queries in the background until ``finish`` is called; a context manager.

    Paced at ``rate`` queries a second it goes before all others on its core, but sleeps between groups of
    queries. Groups that it could not send in time all the same are skipped but for the last, and counted.
    Without a rate it is the full load: as many as are answered, 128 outstanding, with the given niceness.
    """

    def __init__(
        self,
        server: Target,
        queries: Path,
        *,
        rate: int = 0,
        niceness: int = 0,
        sockets: int = 8,
        interval_ms: int = 50,
    ) -> None:
        flags = {"-p": server.port, "-f": queries, "-c": server.cores.generator, "-n": sockets}
        flags |= {"-t": LONGEST, "-w": WARM, "-T": TIMEOUT_MS, "-i": interval_ms}
        if rate:  # it waits for no answer, however many are outstanding
            flags |= {"-r": rate, "-g": max(2, rate // 10_000), "-o": 32_768}
        command = [generator(), "-k", *(word for flag in flags.items() for word in flag)]
        # A file, since a pipe that nobody reads from would hold the generator up.
        self._output = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen([str(word) for word in command], stdout=self._output)
        self.is_real_time = bool(rate) and machine.real_time(self._process.pid)
        if niceness:
            os.setpriority(os.PRIO_PROCESS, self._process.pid, niceness)

    def __enter__(self) -> Load:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._output.close()

    def finish(self) -> tuple[list[Interval], dict[str, Any]]:
        """Stop sending, wait for what is outstanding: the intervals and the totals."""
        self._process.terminate()
        self._process.wait()
        self._output.seek(0)
        return read_generator(self._output.read())


def cpu_per_answer(
    target: Measured, queries: Path, seconds: float, *, rate: int = 0, sockets: int = 8
) -> dict[str, float]:
    """Under load: answers a second, CPU microseconds of the workers for each, the busiest worker's share."""
    with Load(target, queries, rate=rate, sockets=sockets) as load:
        before = target.worker_cpu_seconds()
        time.sleep(WARM + seconds)
        _, total = load.finish()
    used = [now - then for now, then in zip(target.worker_cpu_seconds(), before, strict=True)]
    return {
        "qps": total["qps"],
        "cpu_us": round(sum(used) * 1e6 / total["total_answered"], 3),
        "greatest_share": round(max(used) / sum(used), 3),
        "lost": total["lost"],
    }


def full_load_report(total: dict[str, Any], busy: float) -> dict[str, Any]:
    """What a full load came to, and which share of its core the worker used meanwhile."""
    return {
        "qps": total["qps"],
        "p99_us": total["p99_us"],
        "lost": total["lost"],
        "rcodes": total["rcodes"],
        "worker_busy": round(busy, 3),
    }


def generator() -> Path:
    """The generator, compiled when it is not yet, or changed."""
    work = machine.WORK / "peers"
    work.mkdir(parents=True, exist_ok=True)
    peers.cc(str(work))
    return work / "udpload"
