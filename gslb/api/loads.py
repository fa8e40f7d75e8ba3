"""Loads of POPs, as their own monitoring reports them: again and again, since they grow old."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from gslb.api.exchange import Body, body_of, reply
from gslb.api.keys import OPERATIONS

# Bounds that only the document states are kept by ``check_loads``, which finds all problems at once.
LoadValue = Annotated[
    float | None,
    Field(
        description="1 for a POP that is full; null for unknown.",
        json_schema_extra={"minimum": 0, "maximum": 65},
    ),
]


class LoadRequest(Body):
    """The load of a POP."""

    load: LoadValue


class LoadsRequest(Body):
    """Loads by POP, all or none; at most 4,096."""

    loads: dict[str, LoadValue]


async def set_load(request: web.Request) -> web.Response:
    """Report a POP's load. In force when this returns; not kept over a restart."""
    body = await body_of(request, LoadRequest)
    return reply(request.app[OPERATIONS].set_load(request.match_info["pop"], body.load))


async def set_loads(request: web.Request) -> web.Response:
    """Report loads of several POPs at once. In force when this returns; not kept over a restart."""
    body = await body_of(request, LoadsRequest)
    return reply(request.app[OPERATIONS].set_loads(body.loads))
