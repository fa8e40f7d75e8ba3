"""How cost grows: start, memory and CPU time for an answer, by the size of what is served.

Each point of a curve is a site of that size, served and asked at random; each figure is the median over some starts.
"""

from __future__ import annotations

import ipaddress
import itertools
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mkdata
import mkmmdb
import steer_site

from .figures import median_of
from .load import cpu_per_answer
from .machine import DATA, WORK, Cores
from .server import Server
from .sites import fresh
from .workers import NullServer

GROWTH = WORK / "growth"
SECONDS = 2.0
REPETITIONS = 3
QUERIES = 100_000
SMALL_ZONE = """$TTL 300
@ SOA ns1 host 1 7200 1800 1209600 300
@ NS ns1
ns1 A 192.0.2.1
www A 192.0.2.2
"""


@dataclass(frozen=True)
class Point:
    """A site and what it is asked."""

    site: Path
    queries: Path
    first: bytes
    """A query that has records in its answer when the site is served."""


@dataclass(frozen=True)
class Curve:
    """What grows, at which sizes, and how a site of a size is made."""

    title: str
    sizes: tuple[int, ...]
    make: Callable[[int], Point]
    lists_zones: bool = False


def measure(cores: Cores, curve: Curve, sizes: tuple[int, ...], repetitions: int) -> dict[str, Any]:
    """The points of one curve, each of which is served ``repetitions`` times."""
    points = []
    for size in sizes:
        point = curve.make(size)
        runs = [_serve(cores, point, lists_zones=curve.lists_zones) for _ in range(repetitions)]
        found = {key: round(median_of(runs, key), 3) for key in runs[0]}
        points.append({"size": size, **found, "runs": runs})
        print(f"# {curve.title} {size:,}: {found}", flush=True)
    return {"title": curve.title, "points": points}


def null_cpu_us(cores: Cores, repetitions: int) -> float:
    """CPU time that the null server takes for an answer: what is left of a curve's is DNS."""
    runs = []
    for _ in range(repetitions):
        with NullServer(cores, None) as null:
            runs.append(cpu_per_answer(null, DATA / "static.q", SECONDS))
    return round(median_of(runs, "cpu_us"), 3)


def _serve(cores: Cores, point: Point, *, lists_zones: bool) -> dict[str, float]:
    with Server(point.site, WORK / "live" / "growth", cores, query=point.first) as server:
        if server.first_answer_seconds is None:
            raise SystemExit(f"no answer: see {server.log}")
        memory = server.memory_mb()
        run = {
            "first_answer_s": round(server.first_answer_seconds, 3),
            "ready_s": round(server.ready_seconds, 3),
            "start_cpu_s": round(server.control_cpu_seconds(), 3),
            "pss_mb": round(memory["pss"], 1),
            "peak_mb": round(memory["peak"], 1),
            "cpu_us": cpu_per_answer(server, point.queries, SECONDS)["cpu_us"],
        }
        if lists_zones:
            begun = time.monotonic()
            run["listed"] = listed_zones(server)
            run["list_s"] = round(time.monotonic() - begun, 3)
            begun = time.monotonic()
            server.request("POST", "/v1/reload", {})
            run["reload_s"] = round(time.monotonic() - begun, 3)
        return run


def listed_zones(server: Server) -> int:
    """How many zones the API lists, over all pages."""
    listed, offset = 0, 0
    while offset is not None:
        page = json.loads(server.request("GET", f"/v1/zones?limit=1000&offset={offset}"))
        listed, offset = listed + len(page["zones"]), page["next_offset"]
    return listed


def names(size: int) -> Point:
    """A zone of so many names with an address each."""
    zone, queries = GROWTH / f"names-{size}.zone", GROWTH / f"names-{size}"
    if not zone.exists():
        mkdata.make_big(zone, size)
        rnd = random.Random(size)
        items = [(f"n{rnd.randrange(size):07d}.{mkdata.BIG}", "A") for _ in range(QUERIES)]
        mkdata.write_queries(GROWTH, queries.name, items)
    site = fresh("names")
    (site / f"{mkdata.BIG}.zone").symlink_to(zone)
    return Point(site, queries.with_suffix(".q"), mkdata.wire(f"n0000000.{mkdata.BIG}", "A"))


def zones(size: int) -> Point:
    """So many zones of four records, a thousand in a directory."""
    site, queries = GROWTH / f"zones-{size}", GROWTH / f"zones-{size}-queries"
    if not site.exists():
        making = site.with_suffix(".making")
        for number in range(size):
            directory = making / f"{number // 1000:03d}"
            directory.mkdir(parents=True, exist_ok=True)
            (directory / f"{zone_name(number)}.zone").write_text(SMALL_ZONE)
        rnd = random.Random(size)
        items = [(f"www.{zone_name(rnd.randrange(size))}", "A") for _ in range(QUERIES)]
        mkdata.write_queries(GROWTH, queries.name, items)
        making.rename(site)
    return Point(site, queries.with_suffix(".q"), mkdata.wire(f"www.{zone_name(size - 1)}", "A"))


def zone_name(number: int) -> str:
    """The name of one of many zones."""
    return f"zone{number:06d}.test"


def pops(size: int) -> Point:
    """The workload ``steer`` with so many POPs of two endpoints."""
    return _steered(f"pops-{size}", f"steer-{size}")


def classes(size: int) -> Point:
    """So many networks that each have three POPs of their own order, hence a location class each."""
    site = fresh("classes")
    (site / f"{mkdata.ZONE}.zone").symlink_to(DATA / "static.zone")
    places = steer_site.make_pops(steer_site.DEFAULT_POPS)
    by_name = [place["name"] for place in places]
    orders = itertools.permutations(by_name, 3)
    subnets = random.Random(1).sample(range(1 << 16, 224 << 16), size)
    endpoints = [{"pop": name, "address": f"10.1.0.{number}"} for number, name in enumerate(by_name)]
    rules = {
        f"{ipaddress.ip_address(subnet << 8)}/24": list(order)
        for subnet, order in zip(sorted(subnets), orders, strict=False)
    }
    document = {
        "pops": {place["name"]: {key: place[key] for key in ("latitude", "longitude")} for place in places},
        "pools": {"bench": {"endpoints": endpoints}},
        "policies": {"bench": [{"subnet": rules}, {"take": 1}]},
        "names": {f"geo.{mkdata.ZONE}": {"pool": "bench", "policy": "bench", "ttl": 20}},
    }
    (site / "steering.yaml").write_text(json.dumps(document))  # JSON is YAML
    queries = GROWTH / f"classes-{size}"
    rnd = random.Random(size)
    clients = [f"{ipaddress.ip_address(rnd.choice(subnets) << 8)}/24" for _ in range(QUERIES)]
    mkdata.write_queries(GROWTH, queries.name, [(f"geo.{mkdata.ZONE}", "A", client) for client in clients])
    return Point(site, queries.with_suffix(".q"), _geo_query())


def networks(size: int) -> Point:
    """The workload ``steer`` over a made-up geo database of so many networks."""
    database = GROWTH / f"networks-{size}.mmdb"
    if not database.exists():
        mkmmdb.make(database, size, 1)
    return _steered(f"networks-{size}", "steer", database)


def _steered(name: str, workload: str, database: Path | None = None) -> Point:
    site = fresh(name)
    (site / f"{mkdata.ZONE}.zone").symlink_to(DATA / "static.zone")
    steer_site.write(site, DATA, workload)
    if database:
        path = site / "steering.yaml"
        document = json.loads(path.read_text())
        document["geo"]["databases"] = [str(database)]
        path.write_text(json.dumps(document))
    return Point(site, DATA / "geo.q", _geo_query())


def _geo_query() -> bytes:
    return mkdata.wire(f"geo.{mkdata.ZONE}", "A")


CURVES = {
    "names": Curve("names of one zone", (1_000, 10_000, 100_000, 300_000, 1_000_000, 3_000_000), names),
    "zones": Curve("zones", (1, 1_000, 10_000, 30_000, 100_000, 300_000), zones, lists_zones=True),
    "pops": Curve("POPs", (5, 20, 50, 100, 200, 500), pops),
    "classes": Curve("location classes", (10, 100, 1_000, 10_000, 30_000, 60_000), classes),
    "networks": Curve("networks of a geo database", (10_000, 100_000, 1_000_000, 5_000_000), networks),
}
