"""Endpoints: observed health, intent and verdict of each."""

from __future__ import annotations

from aiohttp import web

from gslb.api.exchange import query_of, reply
from gslb.api.keys import OPERATIONS
from gslb.api.system import NoQuery


async def endpoints(request: web.Request) -> web.Response:
    """All endpoints, by number."""
    query_of(request, NoQuery)
    return reply(request.app[OPERATIONS].endpoints())
