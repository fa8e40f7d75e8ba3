"""Which cores do what, and what the system tells of processes."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
WORK = BENCH / "work"
DATA = WORK / "data"
TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cores:
    """Each a core's number. With two cores the generator shares that of the control plane.

    With ``reserved`` workers go before all else on theirs, as if nothing else were let onto it: for machines
    that cannot be left alone. What works all the time is held back then (``sched_rt_runtime_us``).
    """

    worker: int
    control: int
    generator: int
    reserved: bool = False

    @classmethod
    def of_this_machine(cls, *, reserved: bool = False) -> Cores:
        """The first for the worker, the next for the control plane, the one after that for the generator."""
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            raise SystemExit("the benchmark needs two cores at least: one for the worker, one for all else")
        return cls(cores[0], cores[1], cores[2] if len(cores) > 2 else cores[1], reserved)


def threads(pid: int) -> dict[int, str]:
    """The threads of a process: number and name."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found[int(task.name)] = (task / "comm").read_text().strip()
        except OSError:  # ended meanwhile
            continue
    return found


def thread_cpu_seconds(pid: int, thread: int) -> float:
    """CPU time of one thread so far."""
    return int(Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[0]) / 1e9


def process_cpu_seconds(pid: int) -> float:
    """CPU time of a process so far, ended threads too; in steps of a hundredth."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_NS / 1e9


def memory_mb(pid: int) -> dict[str, float]:
    """Resident now, and the most since ``forget_peak``; proportional size is what others do not share."""
    status = Path(f"/proc/{pid}/status").read_text()
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()

    def of(text: str, key: str) -> float:
        return int(re.search(rf"^{key}:\s+(\d+) kB", text, re.MULTILINE)[1]) / 1024

    return {"rss": of(status, "VmRSS"), "peak": of(status, "VmHWM"), "pss": of(rollup, "Pss")}


def forget_peak(pid: int) -> None:
    """Let the peak of a process's memory begin anew, at what it has now (proc(5), clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has at the moment, over UDP and TCP."""
    while True:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as streams,
            suppress(OSError),
        ):
            datagrams.bind(("127.0.0.1", 0))
            streams.bind(datagrams.getsockname())
            return streams.getsockname()[1]


def to_core(pid: int, core: int) -> None:
    """A thread or process to one core."""
    os.sched_setaffinity(pid, {core})


def real_time(pid: int) -> bool:
    """Let a process go before all others on its core; whether that is allowed here."""
    try:
        os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        return False
    return True


@contextmanager
def urgent() -> Iterator[None]:
    """This process goes before others on its core, where that is allowed; processes that it starts do not.

    For who asks and waits most of the time: the world outside does not wait for the server's core.
    """
    policy, parameter = os.sched_getscheduler(0), os.sched_getparam(0)
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameter)


@contextmanager
def spinning(core: int) -> Iterator[subprocess.Popen]:
    """A Python process that uses all of a core that it is given."""
    process = subprocess.Popen(["taskset", "-c", str(core), sys.executable, "-c", "while True: pass"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until(is_so, seconds: float, what: str) -> None:
    """Look every hundredth of a second. Raises TimeoutError that says what was waited for."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(0.01)
