"""What all resources share: the token, limits, problem documents, the OpenAPI document."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from io import BytesIO

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from gslb.api.app import _in_time
from gslb.api.problems import ProblemException
from gslb.api.routes import ROUTES
from gslb.errors import StateError
from tests.unit.api.conftest import TOKEN

OPEN = {"/v1/ready", "/metrics", "/v1/openapi.json"}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
async def test_everything_but_ready_metrics_and_openapi_needs_the_token(server, route):
    path = route.path.replace("{pop}", "fra").replace("{zone}", "example.com")
    response = await server.client.request(route.method, path, headers={"Authorization": ""})
    if route.path in OPEN:
        assert response.status == 200
    else:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="gslb"'
        assert response.content_type == "application/problem+json"
    assert len(server.publisher.published) == 1


@pytest.mark.parametrize(
    "header", ["Bearer wrong", "Basic " + TOKEN, TOKEN, "Bearer", "Bearer " + TOKEN + "x"]
)
async def test_a_wrong_token_is_refused_and_not_repeated(server, header):
    problem = await server.problem("GET", "/v1/pops", 401, headers={"Authorization": header})
    assert "wrong" not in str(problem)
    assert TOKEN not in str(problem)


async def test_ready_follows_the_listeners(server):
    assert await server.json("GET", "/v1/ready") == {"ready": True}
    server.ready = False
    await server.problem("GET", "/v1/ready", 503)


async def test_an_unknown_resource_is_a_problem(server):
    await server.problem("GET", "/v2/nothing", 404)


async def test_another_method_is_a_problem_with_allow(server):
    response = await server.client.delete("/v1/pops")
    assert response.status == 405
    assert response.headers["Allow"] == "GET, HEAD"
    assert response.content_type == "application/problem+json"


async def test_a_body_over_a_mebibyte_is_too_large(server):
    body = BytesIO(b'{"reason": "' + b"x" * (1 << 20) + b'"}')
    await server.problem(
        "POST", "/v1/pops/fra/drain", 413, data=body, headers={"Content-Type": "application/json"}
    )


async def test_another_media_type_or_coding_is_refused(server):
    await server.problem("POST", "/v1/pops/fra/drain", 415, data=b"reason=x")
    await server.problem(
        "POST",
        "/v1/pops/fra/drain",
        415,
        data=b"\x1f\x8b",
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
    )


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"[]",
        b"null",
        b'"x"',
        b"[" * 100_000,
        b'{"reason":' * 50_000,
        b"\xff\xfe",
        b'{"reason": NaN',
    ],
    ids=range(9),
)
async def test_what_is_not_a_json_object_is_malformed(server, body):
    problem = await server.problem(
        "POST",
        "/v1/pops/fra/drain",
        400,
        data=body,
        headers={"Content-Type": "application/json"},
    )
    assert problem["type"] == "urn:gslb:problem:malformed-json"


@pytest.mark.parametrize(
    ("method", "path", "body", "pointers"),
    [
        ("POST", "/v1/pops/fra/drain", '{"reason": "a", "reason": "b"}', ["/reason"]),
        ("PUT", "/v1/loads", '{"loads": {"fra": 1, "ams": 2, "fra": 3, "fra": 4}}', ["/loads/fra"]),
        (
            "PATCH",
            "/v1/latency",
            '{"rows": [{"location": "default", "pop": "fra", "ms": 1}, {"pop": "ams", "pop": "ams", '
            '"location": "default", "ms": 1, "ms": 2}], "rows": []}',
            ["/rows"],
        ),
        (
            "PATCH",
            "/v1/latency",
            '{"rows": [{"location": "default", "pop": "fra", "ms": 1}, {"pop": "ams", "pop": "ams", '
            '"location": "default", "ms": 1, "ms": 2}]}',
            ["/rows/1/pop", "/rows/1/ms"],
        ),
        # Beside what else is wrong; keys are named as a pointer has them.
        ("POST", "/v1/reload", '{"a/b~": 1, "a/b~": 2}', ["/a~1b~0", "/a~1b~0"]),
    ],
    ids=range(5),
)
async def test_a_key_that_stands_twice_is_refused(server, method, path, body, pointers):
    headers = {"Content-Type": "application/json"}
    problem = await server.problem(method, path, 422, data=body.encode(), headers=headers)
    assert problem["type"] == "urn:gslb:problem:invalid-body"
    assert [error["pointer"] for error in problem["errors"]] == pointers
    assert "stands twice; remove one" in problem["errors"][-1]["detail"]
    assert len(server.publisher.published) == 1


async def test_keys_without_end_cost_a_bounded_answer(server):
    long, many = "k" * 400_000, ",".join(f'"{number}": 1, "{number}": 2' for number in range(1000))
    deep = '{"a":' * 150 + "[" + "[],{}," * 100_000 + f"{{{many}}}]" + "}" * 150
    for body in (f'{{"loads": {{"{long}": {{{many}}}}}}}', deep):
        headers = {"Content-Type": "application/json"}
        response = await server.client.put("/v1/loads", data=body.encode(), headers=headers)
        assert response.status == 422
        assert len(await response.text()) < 2_000_000


async def test_what_is_no_http_is_answered_in_plain_text(server):
    """As docs/reference/api.md says: no application sees such a request."""
    for request in (f"GET /{'x' * 9000} HTTP/1.1", "G@T /v1/ready HTTP/1.1"):
        reader, writer = await asyncio.open_connection(server.client.host, server.client.port)
        writer.write(f"{request}\r\nHost: x\r\n\r\n".encode())
        answer = (await reader.read()).decode().lower()
        writer.close()
        await writer.wait_closed()
        assert answer.startswith("http/1.0 400 ")
        assert "content-type: text/plain" in answer


async def test_unknown_query_parameters_and_repeats_are_refused(server):
    problem = await server.problem("GET", "/v1/zones/example.com?limt=3&limit=0", 422)
    assert {(error["parameter"]) for error in problem["errors"]} == {"limt", "limit"}
    await server.problem("GET", "/v1/zones/example.com?limit=1&limit=2", 422)
    await server.problem("GET", "/v1/pops?x=1", 422)


async def test_what_nobody_expected_is_a_500_with_an_incident_in_the_log(server, monkeypatch, capsys):
    def explode():
        raise RuntimeError(f"secret {TOKEN}")

    monkeypatch.setattr(server.operations, "status", explode)
    problem = await server.problem("GET", "/v1/status", 500)
    assert TOKEN not in str(problem)
    assert "RuntimeError" not in str(problem)
    assert problem["incident"] in capsys.readouterr().out


async def test_a_disk_that_refuses_is_a_503(server, monkeypatch):
    async def refuse(drain):
        raise StateError("/state/state.db: database or disk is full: free space")

    monkeypatch.setattr(server.store, "put_drain", refuse)
    problem = await server.problem("POST", "/v1/pops/fra/drain", 503, json={"reason": "x"})
    assert "disk is full" in problem["detail"]


async def test_a_request_has_a_time_limit():
    async def never(request):
        await asyncio.Event().wait()

    with pytest.raises(ProblemException) as caught:
        await _in_time(replace(ROUTES[0], time_limit=0), None, never)
    assert caught.value.response.status == 503
    assert b"too-slow" in caught.value.response.body


async def test_a_time_out_inside_a_handler_is_not_taken_for_the_limit():
    async def fails(request):
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await _in_time(ROUTES[0], None, fails)


async def test_responses_are_not_cached_or_sniffed(server):
    response = await server.client.get("/v1/status")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_openapi_document_is_valid_and_has_every_route(server):
    document = await server.json("GET", "/v1/openapi.json", headers={"Authorization": ""})
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1")
    listed = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert listed == {(route.method, route.path) for route in ROUTES}
    drain = document["paths"]["/v1/pops/{pop}/drain"]["post"]
    schema = document["components"]["schemas"]["DrainRequest"]
    assert drain["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/DrainRequest")
    assert schema["required"] == ["reason"]
    assert set(schema["properties"]) == {"reason", "author", "for", "expires_at"}
    assert schema["additionalProperties"] is False


async def test_metrics_are_prometheus_text(server):
    response = await server.client.get("/metrics")
    assert response.status == 200
    assert response.content_type == "text/plain"
    text = await response.text()
    assert 'gslb_queries_total{transport="udp"} 7.0' in text
    assert 'gslb_zone_serial{zone="example.com."} 10.0' in text
