"""The control plane kept busy in every way it can be, and what UDP answers of a worker on its own core feel of it.

Answers are measured under a paced load, in windows that take turns: quiet, disturbed, quiet, and so on.

- ``python``: the control plane's interpreter busy all the time, by four clients that read pages of a thousand RRsets
  of the API, beside a Python process of its own that spins on the same core.
- ``reload``: the zone of a million records loaded anew, again and again.
- ``scrape``: /metrics with 100,000 series, again and again.
- ``probes``: 1,000 health probes a second.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import mkdata

from . import machine
from .figures import change_percent, median_of, window
from .load import PACED, Load
from .backend import Backend
from .machine import DATA, WORK, Cores
from .server import Server
from .sites import big_site, probed_pools, steered_site, wide_site

WINDOW_SECONDS = 5.0
WINDOWS = 7
SERIES = 100_000
PROBES = 1_000
READERS = 4
SETTLE_SECONDS = 3.0
"""After a change of the site: a reload, and the first probes."""
PAGE = f"/v1/zones/{mkdata.BIG}?limit=1000"
"""A thousand RRsets, written out and checked in Python."""

Disturbance = Callable[[Server], AbstractContextManager[Callable[[], dict[str, float]]]]
"""While it is entered the control plane is kept busy; what it gives tells what it came to, a second."""


def measure(cores: Cores, *, quick: bool = False) -> dict[str, Any]:
    """For each disturbance the 99th percentile of latency with and without, medians over the windows."""
    windows = 2 if quick else WINDOWS
    results: dict[str, Any] = {}
    run = WORK / "live" / "control"
    with Server(big_site(), run, cores) as server:
        results["python"] = _compare(server, "big.q", _busy_interpreter, windows)
        results["reload"] = _compare(server, "big.q", _reloading, windows)
    with Server(wide_site(SERIES), run, cores) as server:
        results["scrape"] = _compare(server, "geo.q", _scraping, windows)
        results["scrape"]["series"] = _samples(server, "gslb_")
    site = steered_site("probes")
    with Backend() as backend, Server(site, run, cores) as server:
        results["probes"] = _compare(server, "geo.q", _probing(site, backend.port), windows)
    return results


def _compare(server: Server, queries: str, disturbed: Disturbance, windows: int) -> dict[str, Any]:
    rows = []
    with Load(server, DATA / queries, rate=PACED, interval_ms=20) as load:
        time.sleep(1.0)
        moments = []
        for _ in range(windows):
            quiet = time.monotonic()
            time.sleep(WINDOW_SECONDS)
            before = time.monotonic()
            with disturbed(server) as tell:
                busy, cpu = time.monotonic(), server.control_cpu_seconds()
                time.sleep(WINDOW_SECONDS)
                share = (server.control_cpu_seconds() - cpu) / (time.monotonic() - busy)
                moments.append((quiet, before, busy, time.monotonic(), share, tell()))
            time.sleep(0.5)
        is_real_time = load.is_real_time
        intervals, total = load.finish()
    for quiet, before, busy, end, share, told in moments:
        calm, hurt = window(intervals, quiet, before), window(intervals, busy, end)
        rows.append(
            {
                "p50_us_quiet": calm.p50_us,
                "p50_us_disturbed": hurt.p50_us,
                "p99_us_quiet": calm.p99_us,
                "p99_us_disturbed": hurt.p99_us,
                "p99_moves_percent": round(change_percent(calm.p99_us, hurt.p99_us), 1),
                "control_cpu_share": round(share, 3),
                **told,
            }
        )
    return {
        **{key: round(median_of(rows, key), 3) for key in rows[0]},
        "lost": total["lost"],
        "servfail": total["rcodes"].get("2", 0),
        "answered": total["answered"],
        "generator_late_p99_us": total["late_p99_us"],
        "generator_skipped": total["skipped"],
        "generator_is_real_time": is_real_time,
        "runs": rows,
    }


@contextmanager
def _busy_interpreter(server: Server) -> Iterator[Callable[[], dict[str, float]]]:
    with ExitStack() as stack:
        stack.enter_context(machine.spinning(server.cores.control))
        readers = [
            stack.enter_context(_repeating(lambda: server.request("GET", PAGE))) for _ in range(READERS)
        ]
        time.sleep(0.5)
        yield lambda: {"pages_per_second": round(sum(one() for one in readers), 1)}


@contextmanager
def _reloading(server: Server) -> Iterator[Callable[[], dict[str, float]]]:
    with _repeating(lambda: server.request("POST", "/v1/reload", {})) as rate:
        yield lambda: {"reloads_per_second": round(rate(), 3)}


@contextmanager
def _scraping(server: Server) -> Iterator[Callable[[], dict[str, float]]]:
    with _repeating(lambda: server.request("GET", "/metrics")) as rate:
        yield lambda: {"scrapes_per_second": round(rate(), 3)}


def _probing(site: Path, port: int) -> Disturbance:
    @contextmanager
    def disturbed(server: Server) -> Iterator[Callable[[], dict[str, float]]]:
        _put(site, probed_pools(PROBES, port))
        machine.wait_until(lambda: _samples(server, "gslb_probes_total") > 0, 30.0, "the monitors")
        time.sleep(SETTLE_SECONDS)
        begun, before = time.monotonic(), _sum(server, "gslb_probes_total")
        try:
            yield lambda: {
                "probes_per_second": round(
                    (_sum(server, "gslb_probes_total") - before) / (time.monotonic() - begun), 1
                )
            }
        finally:
            _put(site, probed_pools(PROBES, None))
            machine.wait_until(lambda: _samples(server, "gslb_probes_total") == 0, 30.0, "no monitors")
            time.sleep(SETTLE_SECONDS)

    return disturbed


def _put(site: Path, document: dict) -> None:
    """In place at once; the server sees it by itself."""
    following = site / ".next"
    following.write_text(json.dumps(document))  # JSON is YAML
    following.replace(site / "more.yaml")


@contextmanager
def _repeating(act: Callable[[], object]) -> Iterator[Callable[[], float]]:
    """Do it again and again in a thread; gives how often in a second so far."""
    stopped, count, begun = threading.Event(), 0, time.monotonic()

    def repeat() -> None:
        nonlocal count
        while not stopped.is_set():
            act()
            count += 1

    with ThreadPoolExecutor(1) as pool:
        repeating = pool.submit(repeat)
        try:
            yield lambda: count / (time.monotonic() - begun)
        finally:
            stopped.set()
            repeating.result()


def _lines(server: Server, prefix: str) -> list[str]:
    return [
        line for line in server.request("GET", "/metrics").decode().splitlines() if line.startswith(prefix)
    ]


def _samples(server: Server, prefix: str) -> int:
    """How many series of these names a scrape has."""
    return len(_lines(server, prefix))


def _sum(server: Server, name: str) -> float:
    """The sum of a metric over its labels."""
    return sum(float(line.rpartition(" ")[2]) for line in _lines(server, name + "{"))
