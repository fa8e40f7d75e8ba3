"""The steering document that the data plane compiles."""

import json
from ipaddress import ip_address

import pytest

from gslb.model.finding import Place
from gslb.model.site import (
    DistanceStep,
    Endpoint,
    FailoverStep,
    GeoRule,
    GeoStep,
    LatencyRow,
    LatencyStep,
    LocationKind,
    Mode,
    Policy,
    Pool,
    Pop,
    SteeredName,
    SteeringConfig,
    TakeStep,
    WeightedStep,
    WhenAllDown,
)
from gslb.steering.document import numbered_endpoints, steering_document

CONFIG = SteeringConfig(
    pops=(Pop(name="fra", latitude=50.1, longitude=8.7), Pop(name="iad")),
    pools=(
        Pool(
            name="web",
            endpoints=(
                Endpoint(pop="iad", address=ip_address("192.0.2.1"), weight=3),
                Endpoint(pop="fra", address=ip_address("2001:db8::1")),
            ),
            place=Place("a.yaml", 3, 5),
        ),
        Pool(
            name="api",
            endpoints=(Endpoint(pop="fra", address=ip_address("192.0.2.2")),),
            when_all_down=WhenAllDown.FALLBACK,
        ),
    ),
    policies=(
        Policy(
            name="all",
            place=Place("b.yaml", 9),
            steps=(
                GeoStep(
                    mode=Mode.FENCE,
                    rules=(
                        GeoRule(
                            kind=LocationKind.ASN,
                            value="64500",
                            pops=("iad", "fra"),
                            place=Place("b.yaml", 10),
                        ),
                        GeoRule(kind=LocationKind.DEFAULT, pops=("fra",)),
                    ),
                ),
                LatencyStep(),
                DistanceStep(),
                FailoverStep(tiers=(("fra",), ("iad",))),
                WeightedStep(),
                TakeStep(count=2),
            ),
        ),
    ),
    names=(
        SteeredName(
            name="www.example.com.", pool="api", policy="all", ttl=60, owner="team", place=Place("c.yaml", 1)
        ),
    ),
    databases=("/geo/city.mmdb",),
    latency=(LatencyRow(kind=LocationKind.COUNTRY, value="DE", pop="iad", milliseconds=12.5),),
)


def test_the_whole_document():
    assert json.loads(steering_document(CONFIG)) == {
        "databases": ["/geo/city.mmdb"],
        "pops": [
            {"name": "fra", "latitude": 50.1, "longitude": 8.7},
            {"name": "iad", "latitude": None, "longitude": None},
        ],
        "pools": [
            {
                "name": "web",
                "when_all_down": "serve_all",
                "file": "a.yaml",
                "line": 3,
                "endpoints": [
                    {"pop": 1, "address": "192.0.2.1", "weight": 3},
                    {"pop": 0, "address": "2001:db8::1", "weight": 100},
                ],
            },
            {
                "name": "api",
                "when_all_down": "fallback",
                "file": "",
                "line": 0,
                "endpoints": [{"pop": 0, "address": "192.0.2.2", "weight": 100}],
            },
        ],
        "policies": [
            {
                "name": "all",
                "file": "b.yaml",
                "line": 9,
                "steps": [
                    {
                        "step": "geo",
                        "mode": "fence",
                        "rules": [
                            {"kind": "asn", "value": "64500", "units": [1, 0], "file": "b.yaml", "line": 10},
                            {"kind": "default", "value": "", "units": [0], "file": "", "line": 0},
                        ],
                    },
                    {"step": "latency"},
                    {"step": "distance"},
                    {"step": "failover", "mode": "prefer", "tiers": [[0], [1]]},
                    {"step": "weighted"},
                    {"step": "take", "count": 2},
                ],
            }
        ],
        "names": [
            {
                "name": "www.example.com.",
                "pool": 1,
                "policy": 0,
                "ttl": 60,
                "owner": "team",
                "file": "c.yaml",
                "line": 1,
            }
        ],
        "latency": [{"kind": "country", "value": "DE", "pop": 1, "milliseconds": 12.5}],
    }


def test_given_latency_rows_replace_the_declared_ones():
    row = LatencyRow(kind=LocationKind.DEFAULT, pop="fra", milliseconds=1)
    document = json.loads(steering_document(CONFIG, [row]))
    assert document["latency"] == [{"kind": "default", "value": "", "pop": 0, "milliseconds": 1.0}]
    assert json.loads(steering_document(CONFIG, []))["latency"] == []


def test_endpoints_are_numbered_over_all_pools():
    numbered = [(number, pool.name, endpoint.pop) for number, pool, endpoint in numbered_endpoints(CONFIG)]
    assert numbered == [(0, "web", "iad"), (1, "web", "fra"), (2, "api", "fra")]


def test_an_empty_config():
    document = json.loads(steering_document(SteeringConfig()))
    assert set(document) == {"databases", "pops", "pools", "policies", "names", "latency"}
    assert not any(document.values())


def test_a_reference_that_leads_nowhere():
    broken = CONFIG.model_copy(update={"pops": CONFIG.pops[:1]})
    with pytest.raises(KeyError):
        steering_document(broken)
