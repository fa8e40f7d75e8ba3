"""The sites that the scenarios serve, out of the data that ``mkdata.py`` makes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import mkdata
import steer_site

from .machine import DATA, WORK


def fresh(name: str) -> Path:
    """An empty directory for a site."""
    site = WORK / "live" / "sites" / name
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir(parents=True)
    return site


def big_site() -> Path:
    """One zone of a million names."""
    site = fresh("big")
    (site / f"{mkdata.BIG}.zone").symlink_to(DATA / "big.zone")
    return site


def static_site() -> Path:
    """Ten thousand names with A and AAAA."""
    site = fresh("static")
    (site / f"{mkdata.ZONE}.zone").symlink_to(DATA / "static.zone")
    return site


def steered_site(name: str, more: dict | None = None) -> Path:
    """The site of the workload ``steer``: 50 POPs; with the pools, policies and names in ``more`` beside it."""
    site = fresh(name)
    (site / f"{mkdata.ZONE}.zone").symlink_to(DATA / "static.zone")
    steer_site.write(site, DATA, "steer")
    if more:
        (site / "more.yaml").write_text(json.dumps(more))  # JSON is YAML
    return site


def failover_names(count: int, probe_port: int | None = None) -> dict:
    """Names ``f0`` and so on, each with a pool of two endpoints: that of ``p0`` first, then that of ``p1``.

    With a port, the endpoints are probed there every second, that of name N at 127.1.0.N (the second ones all
    at 127.2.0.0), and one probe is enough for a verdict.
    """
    pools, names = {}, {}
    for number in range(count):
        first, second = failover_addresses(number)
        endpoints = [{"pop": "p0", "address": first}, {"pop": "p1", "address": second}]
        if probe_port:
            endpoints[0]["probe"] = f"{probe_address(number)}:{probe_port}"
            endpoints[1]["probe"] = f"127.2.0.0:{probe_port}"
        pools[f"f{number}"] = {"endpoints": endpoints} | ({"monitor": "check"} if probe_port else {})
        names[f"f{number}.{mkdata.ZONE}"] = {"pool": f"f{number}", "policy": "failover", "ttl": 20}
    monitor = {
        "type": "http",
        "port": probe_port,
        "interval": 1,
        "timeout": 0.5,
        "rise": 1,
        "fall": 1,
        "jitter": 0,
    }
    more = {"pools": pools, "names": names, "policies": {"failover": [{"failover": ["p0", "p1"]}]}}
    return more | ({"monitors": {"check": monitor}} if probe_port else {})


def failover_addresses(number: int) -> tuple[str, str]:
    """What name N answers while its first endpoint serves, and otherwise."""
    return f"10.8.0.{number}", f"10.9.0.{number}"


def probe_address(number: int) -> str:
    """Where the first endpoint of name N is probed."""
    return f"127.1.0.{number}"


def probed_pools(count: int, port: int | None) -> dict:
    """Pools of endpoints that all together are probed ``count`` times a second, by HTTP; never without a port."""
    endpoints = [
        {"pop": "p0", "address": f"10.7.{number >> 8}.{number & 255}"}
        | ({"probe": f"127.3.{number >> 8}.{number & 255}:{port}"} if port else {})
        for number in range(count)
    ]
    pool = {"endpoints": endpoints} | ({"monitor": "second"} if port else {})
    monitor = {"type": "http", "port": port, "interval": 1, "timeout": 0.5}
    return {"pools": {"probed": pool}} | ({"monitors": {"second": monitor}} if port else {})


def wide_site(series: int) -> Path:
    """A site whose metrics have so many series at least: pools with an endpoint in each of 50 POPs."""
    pops = steer_site.DEFAULT_POPS
    pools = {
        f"wide{number}": {
            "endpoints": [
                {"pop": f"p{pop}", "address": f"10.{pop}.{number >> 8}.{number & 255}"} for pop in range(pops)
            ]
        }
        for number in range(series // pops)
    }
    return steered_site("wide", {"pools": pools})
