"""Readiness, status, metrics and the OpenAPI document."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from gslb.api.exchange import Query, query_of, reply
from gslb.api.keys import DOCUMENT, METRICS, OPERATIONS, READY
from gslb.api.problems import problem_response
from gslb.model.report import Report


class ReadyReport(Report):
    """Every listener answers."""

    ready: bool


class NoQuery(Query):
    """No parameters."""


async def ready(request: web.Request) -> web.Response:
    """200 once every listener answers, 503 before."""
    query_of(request, NoQuery)
    if request.app[READY]():
        return reply(ReadyReport(ready=True))
    return problem_response(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "not-ready",
        "not every listener answers yet",
        headers={"Retry-After": "1"},
    )


async def status(request: web.Request) -> web.Response:
    """What is served, in numbers."""
    query_of(request, NoQuery)
    return reply(request.app[OPERATIONS].status())


async def metrics(request: web.Request) -> web.Response:
    """Metrics in the text format of Prometheus."""
    return web.Response(
        body=await request.app[METRICS](),
        headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
    )


async def openapi(request: web.Request) -> web.Response:
    """The API as an OpenAPI 3.1 document."""
    return web.Response(body=request.app[DOCUMENT], content_type="application/json")
