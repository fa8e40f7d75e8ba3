"""Each resource, over HTTP."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from gslb.api import problems
from gslb.errors import InvalidChangeError, SiteError
from gslb.model.finding import Finding, Place, Severity
from gslb.steering.demand import Cell


async def test_status_says_what_is_served(server):
    status = await server.json("GET", "/v1/status")
    assert (status["version"], status["generation"], status["zones"]) == ("1.2.3", 1, 1)
    assert status["started_at"] == "2026-03-01T12:00:00Z"


async def test_drain_for_a_while_and_undrain(server):
    result = await server.json("POST", "/v1/pops/fra/drain", json={"reason": " fibre cut ", "for": "1h30m"})
    assert result["drain"] == {
        "pop": "fra",
        "reason": "fibre cut",
        "author": "api",
        "created_at": "2026-03-01T12:00:00Z",
        "expires_at": "2026-03-01T13:30:00Z",
    }
    assert result["changed"]
    assert "pool mail" in result["warnings"][0]
    pop = await server.json("GET", "/v1/pops/fra")
    assert (pop["pop"]["intent"], pop["pop"]["verdict"]) == ("drain", "drained")
    assert [endpoint["pool"] for endpoint in pop["endpoints"]] == ["web", "mail"]
    assert (await server.json("POST", "/v1/pops/fra/undrain"))["changed"]
    assert not (await server.json("POST", "/v1/pops/fra/undrain", json={"author": "bo"}))["changed"]
    pops = await server.json("GET", "/v1/pops")
    assert (pops["pops"][0]["name"], pops["pops"][0]["intent"]) == ("fra", "serve")


async def test_drain_until_a_moment(server):
    body = {"reason": "x", "author": "ana", "expires_at": "2026-03-01T14:00:00+01:00"}
    result = await server.json("POST", "/v1/pops/ams/drain", json=body)
    assert result["drain"]["expires_at"].startswith("2026-03-01T1")
    assert result["drain"]["author"] == "ana"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/reason"}),
        ({"reason": ""}, {"/reason"}),
        ({"reason": "   "}, {"/reason"}),
        ({"reason": "x" * 501}, {"/reason"}),
        ({"reason": "two\nlines"}, {"/reason"}),
        ({"reason": "\x1b[31mred"}, {"/reason"}),
        ({"reason": 7}, {"/reason"}),
        ({"reason": "x", "until": "y"}, {"/until"}),
        ({"reason": "x", "for": "soon"}, {"/for"}),
        ({"reason": "x", "for": "0s"}, {"/for"}),
        ({"reason": "x", "for": "2"}, {"/for"}),
        ({"reason": "x", "for": "3650d1s"}, {"/for"}),
        ({"reason": "x", "for": "999999999w"}, {"/for"}),
        ({"reason": "x", "for": "2h", "expires_at": "2026-03-01T14:00:00Z"}, {"/for"}),
        ({"reason": "x", "expires_at": "2026-03-01T14:00:00"}, {"/expires_at"}),
        ({"reason": "x", "expires_at": "2026-03-01T11:00:00Z"}, {"/expires_at"}),
        ({"author": "", "for": "x", "more": 1}, {"/reason", "/author", "/for", "/more"}),
    ],
)
async def test_a_bad_drain_names_everything_wrong_and_changes_nothing(server, body, pointers):
    problem = await server.problem("POST", "/v1/pops/fra/drain", 422, json=body)
    assert {error["pointer"] for error in problem["errors"]} == pointers
    assert len(server.publisher.published) == 1


async def test_an_unknown_pop_lists_the_known_ones(server):
    for method, path in [("GET", ""), ("POST", "/drain"), ("POST", "/undrain")]:
        body = {"json": {"reason": "x"}} if path == "/drain" else {}
        problem = await server.problem(method, f"/v1/pops/frankfurt{path}", 404, **body)
        assert "ams, fra, idle, sin" in problem["detail"]


async def test_endpoints_show_all_three_words(server):
    document = await server.json("GET", "/v1/endpoints")
    assert [(row["observed"], row["intent"], row["verdict"]) for row in document["endpoints"]] == [
        ("unknown", "serve", "serving")
    ] * 4


async def test_endpoints_come_in_pages(server):
    seen, offset = [], 0
    while offset is not None:
        page = await server.json("GET", f"/v1/endpoints?limit=3&offset={offset}")
        assert (page["total"], page["offset"]) == (4, offset)
        assert len(page["endpoints"]) <= 3
        seen += [row["number"] for row in page["endpoints"]]
        offset = page["next_offset"]
    assert seen == [0, 1, 2, 3]
    page = await server.json("GET", "/v1/endpoints?offset=4")
    assert (page["endpoints"], page["next_offset"]) == ([], None)


@pytest.mark.parametrize("path", ["/v1/endpoints", "/v1/zones", "/v1/zones/example.com"])
@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "offset=-1", "offset=x", "page=2"])
async def test_pages_are_bounded(server, path, query):
    problem = await server.problem("GET", f"{path}?{query}", 422)
    assert [error["parameter"] for error in problem["errors"]] == [query.partition("=")[0]]


async def test_zones_are_listed_and_read_with_or_without_the_final_dot(server):
    listed = await server.json("GET", "/v1/zones")
    assert [zone["zone"] for zone in listed["zones"]] == ["example.com."]
    assert (listed["total"], listed["offset"], listed["next_offset"]) == (1, 0, None)
    for name in ("example.com", "example.com.", "EXAMPLE.com"):
        page = await server.json("GET", f"/v1/zones/{name}?limit=2&offset=1")
        assert page["zone"]["serial"] == 10
        assert (len(page["rrsets"]), page["offset"], page["next_offset"]) == (2, 1, 3)
    page = await server.json("GET", "/v1/zones/example.com?name=ns1&type=A")
    assert page["rrsets"] == [
        {"name": "ns1.example.com.", "type": "A", "ttl": 300, "records": ["192.0.2.53"]}
    ]
    await server.problem("GET", "/v1/zones/example.net", 404)
    await server.problem("GET", "/v1/zones/a..b", 404)
    await server.problem("GET", "/v1/zones/example.com?type=NOPE", 422)


async def test_rrsets_are_set_and_removed_in_one_change(server):
    body = {
        "rrsets": [
            {"name": "www", "type": "A", "ttl": 60, "records": ["192.0.2.80", "192.0.2.81"]},
            {"name": "txt.example.com.", "type": "TXT", "records": []},
            {"name": "wwww", "type": "A", "records": []},
        ],
        "author": "ana",
    }
    result = await server.json("PATCH", "/v1/zones/example.com/rrsets", json=body)
    assert result == {"zone": "example.com.", "serial": 11, "changed": 2, "unchanged": 1, "generation": 2}
    page = await server.json("GET", "/v1/zones/example.com?name=www")
    assert page["rrsets"][0]["records"] == ["192.0.2.80", "192.0.2.81"]
    assert (await server.json("GET", "/v1/zones/example.com?name=txt"))["rrsets"] == []


async def test_rrsets_are_given_back_to_the_zone_file_with_null(server):
    path = "/v1/zones/example.com/rrsets"
    changed = {"name": "ns1", "type": "A", "ttl": 60, "records": ["192.0.2.80"]}
    await server.json("PATCH", path, json={"rrsets": [changed]})
    await server.json("PATCH", path, json={"rrsets": [{"name": "ns1", "type": "A", "records": None}]})
    page = await server.json("GET", "/v1/zones/example.com?name=ns1")
    assert page["rrsets"][0]["records"] == ["192.0.2.53"]
    problem = await server.problem("PATCH", path, 422, json={"rrsets": [{**changed, "records": None}]})
    assert [error["pointer"] for error in problem["errors"]] == ["/rrsets/0/ttl"]
    document = await server.json("GET", "/v1/openapi.json")
    records = document["components"]["schemas"]["RRsetBody"]["properties"]["records"]
    assert {"type": "null"} in records["anyOf"]


@pytest.mark.parametrize("path", ["/v1/zones", "/v1/endpoints", "/v1/aliases"])
async def test_lists_come_in_pages_and_the_openapi_document_says_so(server, path):
    page = await server.json("GET", f"{path}?offset=7&limit=1000")
    assert (page["offset"], page["next_offset"]) == (7, None)
    await server.problem("GET", f"{path}?limit=1001", 422)
    document = await server.json("GET", "/v1/openapi.json")
    parameters = document["paths"][path]["get"]["parameters"]
    assert [parameter["name"] for parameter in parameters] == ["offset", "limit"]


async def test_a_bad_change_names_everything_wrong_and_changes_nothing(server):
    body = {
        "rrsets": [
            {"name": "ok", "type": "A", "ttl": 60, "records": ["192.0.2.1"]},
            {"name": "x", "type": "A", "ttl": 60, "records": ["192.0.2.1", "not an address"]},
            {"name": "y.example.net.", "type": "NOPE", "ttl": 60, "records": []},
        ]
    }
    problem = await server.problem("PATCH", "/v1/zones/example.com/rrsets", 422, json=body)
    pointers = [error["pointer"] for error in problem["errors"]]
    assert pointers == ["/rrsets/1/records/1", "/rrsets/2/name", "/rrsets/2/type"]
    for broken in (
        {},
        {"rrsets": []},
        {"rrsets": [{"name": "x"}]},
        {"rrsets": [{**body["rrsets"][0], "ttl": "60"}]},
    ):
        await server.problem("PATCH", "/v1/zones/example.com/rrsets", 422, json=broken)
    await server.problem("PATCH", "/v1/zones/example.net/rrsets", 404, json=body)
    assert len(server.publisher.published) == 1


async def test_latency_is_read_and_set(server):
    rows = [{"location": "country:NL", "pop": "ams", "ms": 2.5}]
    assert (await server.json("PATCH", "/v1/latency", json={"rows": rows}))["changed"] == 1
    document = await server.json("GET", "/v1/latency")
    assert {**rows[0], "source": "api"} in document["rows"]
    bad = [
        {"location": "country:NLD", "pop": "ams", "ms": 1},
        {"location": "default", "pop": "nope", "ms": 1},
        {"location": "default", "pop": "ams", "ms": -1},
    ]
    problem = await server.problem("PATCH", "/v1/latency", 422, json={"rows": bad})
    assert [error["pointer"] for error in problem["errors"]] == [
        "/rows/0/location",
        "/rows/1/pop",
        "/rows/2/ms",
    ]
    await server.problem(
        "PATCH",
        "/v1/latency",
        422,
        data=b'{"rows": [{"location": "default", "pop": "ams", "ms": NaN}]}',
        headers={"Content-Type": "application/json"},
    )


async def test_loads_are_reported_for_one_pop_or_several(server):
    document = await server.json("PUT", "/v1/pops/fra/load", json={"load": 0.83})
    assert document["generation"] == 2
    assert (document["loads"]["fra"]["load"], document["loads"]["fra"]["age"]) == (0.83, 0)
    document = await server.json("PUT", "/v1/loads", json={"loads": {"fra": 0.8, "ams": 1, "sin": None}})
    assert {pop: load and load["load"] for pop, load in document["loads"].items()} == {
        "fra": 0.83,
        "ams": 1.0,
        "sin": None,
    }
    pop = (await server.json("GET", "/v1/pops/fra"))["pop"]
    assert (pop["load"]["load"], pop["load"]["reported"]) == (0.83, 0.8)
    assert pop["load"]["expires_at"] == "2026-03-01T12:01:00Z"
    pops = (await server.json("GET", "/v1/pops"))["pops"]
    assert [pop["load"] is None for pop in pops] == [False, False, True, True]


async def test_wrong_loads_are_problems(server):
    problem = await server.problem("PUT", "/v1/loads", 422, json={"loads": {"nope": 66, "fra": -1}})
    assert [error["pointer"] for error in problem["errors"]] == ["/loads/nope", "/loads/nope", "/loads/fra"]
    await server.problem("PUT", "/v1/pops/nope/load", 404, json={"load": 0.5})
    problem = await server.problem("PUT", "/v1/pops/fra/load", 422, json={"load": 66})
    assert problem["errors"][0]["pointer"] == "/load"
    for body in ({}, {"load": "0.5"}, {"load": True}, {"load": 1, "author": "ana"}):
        await server.problem("PUT", "/v1/pops/fra/load", 422, json=body)
    await server.problem("PUT", "/v1/loads", 422, json={"loads": []})
    await server.problem("PUT", "/v1/loads", 401, json={"loads": {}}, headers={"Authorization": "Bearer x"})
    assert server.publisher.generation == 1


async def test_explain_passes_the_steps_on(server):
    document = await server.json("GET", "/v1/explain?name=www.example.com&client=192.0.2.7")
    assert document["steps"][0] == {"step": "zone", "origin": "example.com.", "serial": 10}
    assert document["type"] == "A"
    assert {number: row["pop"] for number, row in document["endpoints"].items()} == {"0": "fra", "2": "sin"}
    problem = await server.problem("GET", "/v1/explain?type=A", 422)
    assert {error["parameter"] for error in problem["errors"]} == {"name", "client"}
    problem = await server.problem("GET", "/v1/explain?name=x..y&client=me&type=Q&subnet=z", 422)
    assert problem["type"] == "urn:gslb:problem:invalid-query"
    assert [error["parameter"] for error in problem["errors"]] == ["name", "type", "client", "subnet"]


async def test_reload_takes_effect_or_says_what_is_wrong_where(server):
    assert (await server.json("POST", "/v1/reload"))["generation"] == 2
    server.publisher.fails = SiteError(
        [Finding("zone-syntax", Severity.ERROR, Place("a.zone", 3), "bad TTL")]
    )
    problem = await server.problem("POST", "/v1/reload", 422)
    assert problem["errors"] == [{"detail": "bad TTL", "rule": "zone-syntax", "file": "a.zone", "line": 3}]
    assert server.publisher.generation == 2


async def test_of_very_many_errors_the_first_are_told_wherever_they_are(server, monkeypatch):
    found = [
        Finding("zone-syntax", Severity.ERROR, Place("a.zone", line), "bad") for line in range(1, 20_001)
    ]
    server.publisher.fails = SiteError(found)
    made = []
    of_finding = problems._of_finding
    monkeypatch.setattr(problems, "_of_finding", lambda one: made.append(one) or of_finding(one))
    with capture_logs() as logs:
        problem = await server.problem("POST", "/v1/reload", 422)
    assert (len(made), len(problem["errors"])) == (100, 100)
    last = (await server.json("GET", "/v1/status"))["last_reload"]["message"]
    (logged,) = [entry["errors"] for entry in logs if entry["log_level"] == "error"]
    for lines in (problem["detail"].splitlines(), last.splitlines(), logged):
        assert (len(lines), lines[0]) == (101, "a.zone:1: error: bad [zone-syntax]")
        assert lines[-1] == "… and 19900 more: gslb check shows all"


async def test_what_the_site_says_against_a_change_has_its_place(server, monkeypatch):
    found = Finding("site-test-failed", Severity.ERROR, Place("tests.yaml", 3), "test Germany: wrong")

    async def refuse(*_):
        raise InvalidChangeError("the site's own policy tests refuse this: wrong", findings=[found])

    monkeypatch.setattr(server.publisher, "prepare_zone_change", refuse)
    rrset = {"name": "ns1", "type": "A", "ttl": 60, "records": ["192.0.2.80"]}
    problem = await server.problem("PATCH", "/v1/zones/example.com/rrsets", 422, json={"rrsets": [rrset]})
    assert problem["errors"] == [
        {"detail": "test Germany: wrong", "rule": "site-test-failed", "file": "tests.yaml", "line": 3}
    ]


async def count(server, *counts):
    """Let the server count (cell, queries) for five seconds."""
    server.publisher.counted = list(counts)
    server.clock.elapsed += 5
    await server.operations._demand.read()


GERMANY = Cell("www.example.com.", 1, "DE", "10.49.0.1")
ELSEWHERE = Cell("www.example.com.", 28, "", "2001:db8::1")


async def test_demand_by_name_type_and_country(server):
    empty = await server.json("GET", "/v1/demand")
    assert (empty["total"], empty["rows"], empty["next_offset"]) == (0, [], None)
    await count(server, (GERMANY, 60), (ELSEWHERE, 20))
    page = await server.json("GET", "/v1/demand", params={"by": "country,type", "limit": "1"})
    assert page == {
        "generation": 1,
        "demand": {"queries_per_second": 16.0, "cells": 2, "seconds": 5.0, "half_life": 600.0},
        "total": 2,
        "rows": [{"name": None, "type": "A", "country": "DE", "queries_per_second": 12.0, "share": 0.75}],
        "offset": 0,
        "next_offset": 1,
    }
    page = await server.json("GET", "/v1/demand", params={"by": "country,type", "offset": "1"})
    assert [(row["type"], row["country"], row["share"]) for row in page["rows"]] == [("AAAA", "", 0.25)]
    page = await server.json("GET", "/v1/demand", params={"name": "WWW.example.com"})
    assert (page["total"], page["demand"]["queries_per_second"]) == (1, 16)


async def test_demand_for_a_name_that_is_not_steered_is_not_found(server):
    assert (await server.json("GET", "/v1/demand?name=www.example.com"))["rows"] == []
    problem = await server.problem("GET", "/v1/demand?name=wwww.example.com", 404)
    assert (
        "no steered name is named 'wwww.example.com.'; did you mean 'www.example.com.'?" in problem["detail"]
    )
    # A name that was steered until lately still has demand.
    await count(server, (Cell("old.example.com.", 1, "DE", "10.49.0.1"), 60))
    assert (await server.json("GET", "/v1/demand?name=old.example.com"))["total"] == 1


@pytest.mark.parametrize(
    "params",
    [{"by": ""}, {"by": "city"}, {"by": "name,name"}, {"limit": "0"}, {"limit": "10001"}, {"x": "1"}],
)
async def test_demand_refuses_what_it_does_not_know(server, params):
    problem = await server.problem("GET", "/v1/demand", 422, params=params)
    assert problem["errors"][0]["parameter"] == next(iter(params))


async def test_simulate_says_what_a_drain_would_do(server):
    await count(server, (GERMANY, 60))
    report = await server.json("POST", "/v1/simulate", json={"drain": ["fra"], "at": "2h", "countries": 1})
    assert [(pop["pop"], pop["before"], pop["after"]) for pop in report["pops"]] == [
        ("fra", 4, 0),
        ("ams", 4, 6),
        ("sin", 4, 6),
        ("idle", 0, 0),
    ]
    assert report["pops"][1]["countries"] == [{"country": "DE", "before": 4.0, "after": 6.0}]
    assert report["at"] == "2026-03-01T14:00:05Z"
    assert report["supposing"]["text"] == "fra drained, at 2026-03-01 14:00:05Z"
    assert (report["nobody"], report["left_out"]) == (None, 0)
    assert (await server.json("GET", "/v1/pops/fra"))["pop"]["intent"] == "serve"
    report = await server.json("POST", "/v1/simulate")
    assert report["supposing"]["text"] == ""


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"drain": "fra"}, {"/drain"}),
        ({"drain": ["frq"], "down": ["web/x"], "load": {"y": 1}}, {"/drain", "/down", "/load"}),
        ({"load": {"fra": "1"}}, {"/load/fra"}),
        ({"load": {"fra": 99}}, {"/load"}),
        ({"at": "soon"}, {"/at"}),
        ({"countries": 301}, {"/countries"}),
        ({"undrain": ["fra"]}, {"/undrain"}),
    ],
)
async def test_simulate_refuses_what_cannot_be_supposed(server, body, pointers):
    problem = await server.problem("POST", "/v1/simulate", 422, json=body)
    assert {error["pointer"] for error in problem["errors"]} == pointers


async def test_explain_under_suppositions(server):
    ask = {"name": "www.example.com", "client": "192.0.2.7"}
    what_if = {"down": "web/fra,sin", "drain": "ams", "load": "fra=0.9,ams=0.25", "at": "2h"}
    report = await server.json("GET", "/v1/explain", params={**ask, **what_if})
    assert report["supposing"] == {
        "down": ["web/fra", "sin"],
        "drain": ["ams"],
        "load": {"fra": 0.9, "ams": 0.25},
        "at": "2026-03-01T14:00:00Z",
        "text": "web/fra, sin down and ams drained and fra at load 0.9 and ams at load 0.25, "
        "at 2026-03-01 14:00:00Z",
    }
    assert [endpoint["verdict"] for endpoint in report["endpoints"].values()] == ["down", "down"]
    assert (await server.json("GET", "/v1/explain", params=ask))["supposing"] is None
    for wrong in ({"load": "fra"}, {"load": "=1"}, {"load": "fra=x"}):
        problem = await server.problem("GET", "/v1/explain", 422, params={**ask, **wrong})
        assert "must be POP=LOAD, such as fra=0.9, not" in str(problem["errors"])
    everything = {"down": "nope", "drain": "web/fra", "load": "x,fra=99", "at": "yesterday"}
    problem = await server.problem("GET", "/v1/explain", 422, params={**ask, "client": "me", **everything})
    assert [error["parameter"] for error in problem["errors"]] == [
        "client",
        "down",
        "drain",
        "load",
        "load",
        "at",
    ]
    assert problem["detail"].endswith("(and 5 more)")
    for wrong in ({"down": "frq"}, {"at": "soon"}, {"load": "fra=99"}, {"load": "fra=nan"}):
        await server.problem("GET", "/v1/explain", 422, params={**ask, **wrong})
