"""The sites of the steering workloads: policies of several steps, numbers of POPs, sizes of databases.

bench/steer_site.py SITE DATA WORKLOAD: writes what the workload (geo, or as ``write`` says) needs beside its zone.
"""

import json
import random
import sys
from pathlib import Path

CONTINENTS = ("EU", "NA", "SA", "AS", "OC", "AF")
DEFAULT_POPS = 50
BOX = {
    "EU": (37, 60, -9, 30),
    "NA": (28, 50, -122, -70),
    "SA": (-38, 5, -75, -35),
    "AS": (-5, 45, 60, 142),
    "OC": (-40, -15, 115, 178),
    "AF": (-33, 33, -15, 45),
}


def make_pops(count: int) -> list[dict]:
    """POPs at made-up places, the same for a count; every continent has some from six on."""
    rnd = random.Random(count)
    pops = []
    for number in range(count):
        continent = CONTINENTS[number % len(CONTINENTS)]
        south, north, west, east = BOX[continent]
        pops.append(
            {
                "name": f"p{number}",
                "continent": continent,
                "latitude": round(rnd.uniform(south, north), 2),
                "longitude": round(rnd.uniform(west, east), 2),
            }
        )
    return pops


def by_continent(pops: list[dict]) -> dict[str, list[str]]:
    found = {}
    for pop in pops:
        found.setdefault(pop["continent"], []).append(pop["name"])
    return found


def geo_step(pops: list[dict], data: Path) -> dict:
    """A rule for every country (the POPs of its continent), for every continent, and a default."""
    local = by_continent(pops)
    everywhere = [pop["name"] for pop in pops]
    countries = json.loads((data / "geo.json").read_text())["countries"]
    return {
        "mode": "prefer",
        "country": {
            code: local.get(country["cont"], everywhere[:3])[:3] for code, country in countries.items()
        },
        "continent": local,
        "default": everywhere[:3],
    }


def write_geo(site: Path, data: Path) -> None:
    """``geo``: the nearest of the POPs by the coordinates in the MMDB, as gdnsd's auto_dc_coords does."""
    pops = json.loads((data / "geo.json").read_text())["pops"]
    endpoints = [{"pop": pop["name"], "address": pop["addr"]} for pop in pops]
    steering = {
        "geo": {"databases": [str(data / "geo.mmdb")]},
        "pops": {pop["name"]: {"latitude": pop["lat"], "longitude": pop["lon"]} for pop in pops},
        "pools": {"bench": {"when_all_down": "serve_all", "endpoints": endpoints}},
        "policies": {"nearest": ["distance"]},
        "names": {"geo.bench.test": {"pool": "bench", "policy": "nearest", "ttl": 20}},
    }
    (site / "steering.yaml").write_text(json.dumps(steering))  # JSON is YAML


def write(site: Path, data: Path, workload: str) -> None:
    """``steer``, ``steer-every``, ``steer-POPS`` or ``steer-DATABASE`` (country, city, 5m)."""
    variant = workload.removeprefix("steer").removeprefix("-")
    pops = make_pops(int(variant) if variant.isdigit() else DEFAULT_POPS)
    databases = {"country": data / "country.mmdb", "city": data / "city.mmdb", "5m": data / "5m.mmdb"}
    steering = {
        "geo": {"databases": [str(databases.get(variant, data / "geo.mmdb").resolve())]},
        "pops": {pop["name"]: {"latitude": pop["latitude"], "longitude": pop["longitude"]} for pop in pops},
    }
    steering |= every_step(pops, data) if variant == "every" else usual_steps(pops, data)
    if variant == "every":  # the made-up database has no AS numbers, for the step that looks at them
        overrides = site / "overrides.csv"
        overrides.write_text(
            "network,continent,country,subdivision,asn,latitude,longitude\n198.51.100.0/24,,,,64500,,\n"
        )
        steering["geo"]["overrides"] = overrides.name
    (site / "steering.yaml").write_text(json.dumps(steering))  # JSON is YAML


def usual_steps(pops: list[dict], data: Path) -> dict:
    """Geo, distance, weighted and health: two endpoints for each POP."""
    endpoints = [
        {
            "pop": pop["name"],
            "address": f"10.1.{number // 128}.{2 * (number % 128) + twin}",
            "weight": 100 + 50 * twin,
        }
        for number, pop in enumerate(pops)
        for twin in (0, 1)
    ]
    return {
        "pools": {"bench": {"when_all_down": "serve_all", "endpoints": endpoints}},
        "policies": {"bench": [{"geo": geo_step(pops, data)}, "distance", "weighted", {"take": 1}]},
        "names": {"geo.bench.test": {"pool": "bench", "policy": "bench", "ttl": 20}},
    }


def every_step(pops: list[dict], data: Path) -> dict:
    """A pool of pools, one for each continent, and between both every step there is."""
    pools, members = {}, {}
    for continent, names in by_continent(pops).items():
        name = f"in-{continent.lower()}"
        members[continent] = name
        pools[name] = {
            "policy": "within",
            "min_healthy": 1,
            "when_all_down": "last_good",
            "endpoints": [
                {"pop": pop, "address": f"10.2.{CONTINENTS.index(continent)}.{number}"}
                for number, pop in enumerate(names)
            ],
        }
    pools["bench"] = {"policy": "between", "pools": list(members.values())}
    rules = {continent: [name] for continent, name in members.items()}
    within = [
        {"asn": {"64500": [pops[0]["name"]]}},
        {"latency": {"tolerance": "10%"}},
        {"distance": {"bias": {pops[1]["name"]: "-200km"}}},
        {"shed": {"low": 0.7, "high": 0.9}},
        "sticky",
        {"take": 2},
        "shuffle",
    ]
    between = [
        {"subnet": {"198.51.100.0/24": ["in-eu"]}},
        {"geo": {"continent": rules, "default": ["in-eu"]}},
        "distance",
        {"failover": list(members.values())},
        "weighted",
        {"take": 1},
    ]
    return {
        "pools": pools,
        "policies": {"within": within, "between": between},
        "names": {"geo.bench.test": {"pool": "bench", "policy": "between", "ttl": {"max": 20, "min": 5}}},
    }


def main() -> None:
    site, data, workload = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    if workload == "geo":
        write_geo(site, data)
    else:
        write(site, data, workload)


if __name__ == "__main__":
    main()
