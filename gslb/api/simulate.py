"""Simulate: what a drain or a failure would do to the load of each POP."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from gslb.api.exchange import Body, body_of, reply
from gslb.api.keys import OPERATIONS
from gslb.api.what_if import At
from gslb.operations.what_if import Requested

_Pops = Annotated[tuple[str, ...], Field(max_length=10_000, strict=False)]


class SimulateRequest(Body):
    """What is supposed: POPs, or `pool/pop`, that are `down`; POPs that are drained; `load` by POP."""

    down: _Pops = ()
    drain: _Pops = ()
    load: Annotated[dict[str, float], Field(max_length=10_000)] = Field(default_factory=dict)
    at: At = None
    countries: Annotated[int, Field(ge=0, le=300, description="Countries at most, for each POP.")] = 10


async def simulate(request: web.Request) -> web.Response:
    """Queries a second that each POP gets now, and would get, by recent demand."""
    body = await body_of(request, SimulateRequest, required=False)
    requested = Requested(body.down, body.drain, body.load, body.at)
    return reply(await request.app[OPERATIONS].simulate(requested, body.countries))
