"""The zone of a million names replaced by another, under load: what becomes of queries, and of memory."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import mkdata

from . import machine
from .figures import median_of, window
from .load import PACED, Load
from .machine import DATA, WORK, Cores
from .server import Server
from .sites import fresh

RELOADS = 7
QUIET_SECONDS = 3.0
LIMIT_SECONDS = 120.0
SERIAL = b" 1 7200 1800 "
"""Where the serial stands in the zones of ``mkdata.py``: the first field of these."""


def measure(cores: Cores, *, quick: bool = False) -> dict[str, Any]:
    """Reloads under a paced load and under a full one, medians over them; memory as a ratio to before."""
    original = (DATA / "big.zone").read_bytes()
    site = fresh("reload")
    zone = site / f"{mkdata.BIG}.zone"
    zone.write_bytes(original)
    results, serial = {}, 1
    with Server(site, WORK / "live" / "reload", cores) as server:
        for name, rate in (("paced", PACED), ("full", 0)):
            runs = []
            with Load(server, DATA / "big.q", rate=rate, interval_ms=20) as load:
                time.sleep(1.0)
                moments = []
                for _ in range(2 if quick else RELOADS):
                    serial += 1
                    begun = time.monotonic()
                    time.sleep(QUIET_SECONDS)
                    moments.append((begun, *_reload(server, original, zone, serial)))
                is_real_time = load.is_real_time
                intervals, total = load.finish()
            for begun, changed, answered, memory in moments:
                before = window(intervals, begun, changed)
                during = window(intervals, changed, answered, touching=True)
                runs.append(
                    {
                        "seconds": round(answered - changed, 3),
                        "lost": during.lost,
                        "servfail": during.servfail,
                        "qps_before": round(before.queries_per_second),
                        "qps_during": round(during.queries_per_second),
                        "p50_us_before": before.p50_us,
                        "p50_us_during": during.p50_us,
                        "p99_us_before": before.p99_us,
                        "p99_us_during": during.p99_us,
                        "p99_ratio": round(during.p99_us / before.p99_us, 3),
                        **memory,
                    }
                )
            results[name] = {
                **{key: round(median_of(runs, key), 3) for key in runs[0]},
                "lost": total["lost"],
                "servfail": total["rcodes"].get("2", 0),
                "answered": total["answered"],
                "generator_late_p99_us": total["late_p99_us"],
                "generator_skipped": total["skipped"],
                "generator_is_real_time": is_real_time,
                "runs": runs,
            }
    return results


def _reload(
    server: Server, original: bytes, zone: Path, serial: int
) -> tuple[float, float, dict[str, float]]:
    """Put a zone with this serial in place: when that was, when its serial was answered first, and memory meanwhile."""
    following = zone.with_name(".next")
    following.write_bytes(original.replace(SERIAL, f" {serial} 7200 1800 ".encode(), 1))
    before = server.memory_mb()
    machine.forget_peak(server.pid)
    changed = time.monotonic()
    following.replace(zone)
    machine.wait_until(lambda: _serial(server) == serial, LIMIT_SECONDS, f"serial {serial}")
    answered = time.monotonic()
    time.sleep(0.5)  # for the memory of the records as read to be given back
    after = server.memory_mb()
    return (
        changed,
        answered,
        {
            "rss_before_mb": round(before["rss"], 1),
            "rss_peak_mb": round(after["peak"], 1),
            "rss_after_mb": round(after["rss"], 1),
            "pss_before_mb": round(before["pss"], 1),
            "peak_ratio": round(after["peak"] / before["rss"], 3),
        },
    )


def _serial(server: Server) -> int:
    """The serial in the answer to a query for the SOA; 0 while there is none."""
    query = bytearray(mkdata.wire(mkdata.BIG, "A"))
    at = 12 + len(mkdata.BIG) + 2
    query[at : at + 2] = (6).to_bytes(2, "big")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect(("127.0.0.1", server.port))
        asking.settimeout(1.0)
        asking.send(query)
        try:
            # The OPT record of 11 octets comes after the SOA, which ends in five numbers, the serial first.
            return int.from_bytes(asking.recv(4096)[-31:-27], "big")
        except TimeoutError:
            return 0
