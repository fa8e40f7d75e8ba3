"""The latency table: read it, set rows, give rows back to the site's files."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from gslb.api.exchange import Author, Body, body_of, query_of, reply
from gslb.api.keys import OPERATIONS
from gslb.api.system import NoQuery
from gslb.operations.latency_changes import RequestedLatency


class LatencyRowBody(Body):
    """Measured milliseconds from a location to a POP; ``null`` gives the row back to the site's files."""

    # Bounds that only the document states are kept by ``read_latency``, which finds all problems at once.
    location: Annotated[str, Field(description="Such as country:DE or subnet:192.0.2.0/24.")]
    pop: str
    ms: Annotated[float | None, Field(json_schema_extra={"minimum": 0, "maximum": 60_000})]


class LatencyRequest(Body):
    """Rows to set, all or nothing; at most 10,000."""

    rows: list[LatencyRowBody]
    author: Author = "api"


async def latency(request: web.Request) -> web.Response:
    """The latency table in force."""
    query_of(request, NoQuery)
    return reply(request.app[OPERATIONS].latency())


async def set_latency(request: web.Request) -> web.Response:
    """Set rows of the latency table. Durable and in force when this returns."""
    body = await body_of(request, LatencyRequest)
    requested = [RequestedLatency(row.location, row.pop, row.ms) for row in body.rows]
    return reply(await request.app[OPERATIONS].set_latency(requested, body.author))
