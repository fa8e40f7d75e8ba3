"""Two workers on two cores against one, and the null server the same way: what a second core adds.

On a machine of two cores the second worker shares its core with the generator, so throughput says little there; CPU
time for an answer says whether workers hinder each other: a cache line that all of them write would show in it.
"""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import Any

import peers

from . import machine
from .figures import median_of
from .load import PACED, Measured, cpu_per_answer, generator
from .machine import DATA, WORK, Cores
from .server import Server
from .sites import static_site

SOCKETS = 64
"""Of the generator: SO_REUSEPORT spreads sockets, not queries, over the workers."""
SECONDS = 3.0
REPETITIONS = 5


def measure(cores: Cores, *, quick: bool = False) -> dict[str, Any]:
    """For one and two workers, of gslb and of the null server: throughput, CPU time for an answer, spread."""
    # One that went before all else would not let the generator onto its core.
    cores = replace(cores, reserved=False)
    results: dict[str, Any] = {}
    runs: dict[str, list[dict[str, float]]] = {}
    for _ in range(1 if quick else REPETITIONS):
        for name, extra in (("one", None), ("two", cores.control)):
            with Server(static_site(), WORK / "live" / "workers", cores, second_worker=extra) as server:
                runs.setdefault(f"gslb_{name}", []).append(_figures(server))
            with NullServer(cores, extra) as null:
                runs.setdefault(f"null_{name}", []).append(_figures(null))
    for name, rows in runs.items():
        results[name] = {key: round(median_of(rows, key), 3) for key in rows[0]} | {"runs": rows}
    for name in ("gslb", "null"):
        one, two = results[f"{name}_one"], results[f"{name}_two"]
        results[f"{name}_two_to_one"] = {
            key: round(two[key] / one[key], 3) for key in ("full_qps", "full_cpu_us", "paced_cpu_us")
        }
    return results


def _figures(target: Measured) -> dict[str, float]:
    """Under full load and under a paced one."""
    found = {}
    for name, rate in (("full", 0), ("paced", PACED)):
        figures = cpu_per_answer(target, DATA / "static.q", SECONDS, rate=rate, sockets=SOCKETS)
        found |= {f"{name}_{key}": value for key, value in figures.items()}
    return found


class NullServer:
    """The null server with a thread on each core; a context manager."""

    def __init__(self, cores: Cores, second: int | None) -> None:
        self.cores = cores
        self.port = machine.free_port()
        on = [cores.worker] + ([] if second is None else [second])
        command = [str(generator().with_name("nullserver")), "mmsg", str(self.port), *map(str, on)]
        self._process = subprocess.Popen(command)
        self._workers = len(on)

    def __enter__(self) -> NullServer:
        machine.wait_until(lambda: len(self._threads()) == self._workers, 5.0, "the null server's threads")
        return self

    def __exit__(self, *_: object) -> None:
        peers.stop(self._process)

    def _threads(self) -> list[int]:
        return sorted(machine.threads(self._process.pid))

    def worker_cpu_seconds(self) -> list[float]:
        """CPU time of each thread so far."""
        return [machine.thread_cpu_seconds(self._process.pid, thread) for thread in self._threads()]
