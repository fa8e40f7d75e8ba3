"""The steering document that the data plane compiles."""

import json
from ipaddress import ip_address

import pytest

from gslb.model.finding import Place
from gslb.model.site import (
    Count,
    DeclaredRRset,
    DistanceStep,
    Endpoint,
    FailoverStep,
    Fraction,
    GeoOverride,
    GeoRule,
    GeoStep,
    LatencyRow,
    LatencyStep,
    LocationKind,
    Member,
    Milliseconds,
    MinHealthy,
    Mode,
    Percent,
    Policy,
    Pool,
    Pop,
    SamePopStep,
    ShedStep,
    ShuffleStep,
    SteeredName,
    SteeringConfig,
    StickyStep,
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
                Endpoint(pop="iad", address=ip_address("192.0.2.1"), weight=3, place=Place("a.yaml", 5)),
                Endpoint(pop="fra", address=ip_address("2001:db8::1")),
            ),
            min_healthy=MinHealthy(ipv4=Count(count=2), other=Fraction(fraction=0.5)),
            policy="even",
            place=Place("a.yaml", 3, 5),
        ),
        Pool(
            name="api",
            endpoints=(Endpoint(pop="fra", address=ip_address("192.0.2.2")),),
            when_all_down=WhenAllDown.FALLBACK,
        ),
        Pool(
            name="world",
            members=(Member(pool="api"), Member(pool="web", weight=50)),
            when_all_down=WhenAllDown.LAST_GOOD,
        ),
        Pool(name="cdn", endpoints=(Endpoint(pop="fra", cname="a.cdn.test."),)),
        Pool(
            name="mail",
            endpoints=(
                Endpoint(
                    pop="fra",
                    address=ip_address("192.0.2.3"),
                    records=(DeclaredRRset(rtype=16, rdata=(b"\5hello", b"\2hi")),),
                ),
            ),
        ),
    ),
    policies=(
        Policy(name="even", steps=(WeightedStep(),)),
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
                            units=("iad", "fra", "web"),
                            place=Place("b.yaml", 10),
                        ),
                        GeoRule(kind=LocationKind.DEFAULT, units=("fra",)),
                    ),
                ),
                FailoverStep(tiers=(("fra",), ("iad", "cdn"))),
            ),
        ),
    ),
    names=(
        SteeredName(
            name="www.example.com.", pool="api", policy="all", ttl=60, owner="team", place=Place("c.yaml", 1)
        ),
        SteeredName(name="w.example.com.", pool="web", ttl=60, least_ttl=10, client_subnet=False),
    ),
    databases=("/geo/city.mmdb",),
    overrides=(
        GeoOverride(network="192.0.2.0/24", country="DE", asn=64500, place=Place("o.csv", 2)),
        GeoOverride(
            network="2001:db8::/32",
            continent="EU",
            subdivision="DE-HE",
            latitude=50,
            longitude=8.5,
            place=Place("o.csv", 3),
        ),
    ),
    latency=(LatencyRow(kind=LocationKind.COUNTRY, value="DE", pop="iad", milliseconds=12.5),),
)

NOWHERE = {"file": "", "line": 0}
OF_ENDPOINTS = {"policy": None, "min_healthy": {}, "members": [], "when_all_down": "serve_all", **NOWHERE}


def test_the_whole_document():
    document = json.loads(steering_document(CONFIG))
    pools = document.pop("pools")
    assert document == {
        "databases": ["/geo/city.mmdb"],
        "overrides": [
            {
                "network": "192.0.2.0/24",
                "continent": None,
                "country": "DE",
                "subdivision": None,
                "asn": 64500,
                "latitude": None,
                "longitude": None,
                "file": "o.csv",
                "line": 2,
            },
            {
                "network": "2001:db8::/32",
                "continent": "EU",
                "country": None,
                "subdivision": "DE-HE",
                "asn": None,
                "latitude": 50.0,
                "longitude": 8.5,
                "file": "o.csv",
                "line": 3,
            },
        ],
        "pops": [
            {"name": "fra", "latitude": 50.1, "longitude": 8.7},
            {"name": "iad", "latitude": None, "longitude": None},
        ],
        "policies": [
            {"name": "even", "steps": [{"step": "weighted"}], **NOWHERE},
            {
                "name": "all",
                "file": "b.yaml",
                "line": 9,
                "steps": [
                    {
                        "step": "geo",
                        "mode": "fence",
                        "rules": [
                            {
                                "kind": "asn",
                                "value": "64500",
                                "units": [1, 0, 2],
                                "file": "b.yaml",
                                "line": 10,
                            },
                            {"kind": "default", "value": "", "units": [0], **NOWHERE},
                        ],
                    },
                    {"step": "failover", "mode": "prefer", "tiers": [[0], [1, 5]]},
                ],
            },
        ],
        "names": [
            {
                "name": "www.example.com.",
                "pool": 1,
                "policy": 1,
                "ttl": 60,
                "min_ttl": 60,
                "client_subnet": True,
                "owner": "team",
                "file": "c.yaml",
                "line": 1,
            },
            {
                "name": "w.example.com.",
                "pool": 0,
                "policy": None,
                "ttl": 60,
                "min_ttl": 10,
                "client_subnet": False,
                "owner": "",
                **NOWHERE,
            },
        ],
        "latency": [{"kind": "country", "value": "DE", "pop": 1, "milliseconds": 12.5}],
    }
    web, api, world, cdn, mail = pools
    assert web == {
        "name": "web",
        "when_all_down": "serve_all",
        "policy": 0,
        "min_healthy": {"ipv4": {"count": 2}, "other": {"fraction": 0.5}},
        "endpoints": [
            {"pop": 1, "address": "192.0.2.1", "weight": 3, "file": "a.yaml", "line": 5},
            {"pop": 0, "address": "2001:db8::1", "weight": 100, **NOWHERE},
        ],
        "members": [],
        "file": "a.yaml",
        "line": 3,
    }
    assert (api["when_all_down"], api["policy"], api["min_healthy"]) == ("fallback", None, {})
    assert world == {
        **OF_ENDPOINTS,
        "name": "world",
        "when_all_down": "last_good",
        "endpoints": [],
        "members": [{"pool": 1, "weight": 100}, {"pool": 0, "weight": 50}],
    }
    assert cdn["endpoints"] == [{"pop": 0, "cname": "a.cdn.test.", "weight": 100, **NOWHERE}]
    assert mail["endpoints"] == [
        {
            "pop": 0,
            "address": "192.0.2.3",
            "records": [{"type": 16, "rdata": ["0568656c6c6f", "026869"]}],
            "weight": 100,
            **NOWHERE,
        }
    ]


@pytest.mark.parametrize(
    ("step", "entry"),
    [
        (LatencyStep(), {"step": "latency"}),
        (
            LatencyStep(tolerance=Milliseconds(milliseconds=5)),
            {"step": "latency", "tolerance": {"milliseconds": 5.0}},
        ),
        (LatencyStep(tolerance=Percent(percent=10)), {"step": "latency", "tolerance": {"percent": 10.0}}),
        (DistanceStep(), {"step": "distance", "bias": []}),
        (
            DistanceStep(bias=(("iad", -500), ("web", 20))),
            {"step": "distance", "bias": [[1, -500.0], [2, 20.0]]},
        ),
        (WeightedStep(), {"step": "weighted"}),
        (StickyStep(), {"step": "sticky", "ipv4": 24, "ipv6": 56}),
        (StickyStep(ipv4=32, ipv6=48), {"step": "sticky", "ipv4": 32, "ipv6": 48}),
        (ShedStep(low=0.7, high=0.95), {"step": "shed", "low": 0.7, "high": 0.95}),
        (TakeStep(count=2), {"step": "take", "count": 2}),
        (ShuffleStep(), {"step": "shuffle"}),
        (SamePopStep(), {"step": "same_pop"}),
        (
            GeoStep(step="asn", rules=(GeoRule(kind=LocationKind.ASN, value="1", units=("fra",)),)),
            {
                "step": "asn",
                "mode": "prefer",
                "rules": [{"kind": "asn", "value": "1", "units": [0], **NOWHERE}],
            },
        ),
    ],
)
def test_each_step(step, entry):
    config = CONFIG.model_copy(update={"policies": (Policy(name="even", steps=(step,)),), "names": ()})
    assert json.loads(steering_document(config))["policies"][0]["steps"] == [entry]


def test_given_latency_rows_replace_the_declared_ones():
    row = LatencyRow(kind=LocationKind.DEFAULT, pop="fra", milliseconds=1)
    document = json.loads(steering_document(CONFIG, [row]))
    assert document["latency"] == [{"kind": "default", "value": "", "pop": 0, "milliseconds": 1.0}]
    assert json.loads(steering_document(CONFIG, []))["latency"] == []


def test_endpoints_are_numbered_over_all_pools():
    numbered = [(number, pool.name, endpoint.pop) for number, pool, endpoint in numbered_endpoints(CONFIG)]
    assert numbered == [
        (0, "web", "iad"),
        (1, "web", "fra"),
        (2, "api", "fra"),
        (3, "cdn", "fra"),
        (4, "mail", "fra"),
    ]


def test_an_empty_config():
    document = json.loads(steering_document(SteeringConfig()))
    assert set(document) == {
        "databases",
        "overrides",
        "pops",
        "pools",
        "policies",
        "names",
        "latency",
    }
    assert not any(document.values())


def test_a_reference_that_leads_nowhere():
    broken = CONFIG.model_copy(update={"pops": CONFIG.pops[:1]})
    with pytest.raises(KeyError):
        steering_document(broken)
