"""Endpoints: observed health, intent and verdict of each."""

from __future__ import annotations

from aiohttp import web

from gslb.api.exchange import PageQuery, query_of, reply
from gslb.api.keys import OPERATIONS


async def endpoints(request: web.Request) -> web.Response:
    """A page of the endpoints, by number."""
    query = query_of(request, PageQuery)
    return reply(request.app[OPERATIONS].endpoints(query.offset, query.limit))
