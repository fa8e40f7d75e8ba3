"""ALIAS records that lead outside the zones served here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.api.exchange import PageQuery, query_of, reply
from gslb.api.keys import OPERATIONS

if TYPE_CHECKING:
    from aiohttp import web


async def aliases(request: web.Request) -> web.Response:
    """A page of the ALIAS records that lead outside the zones served here, and what they resolve to."""
    query = query_of(request, PageQuery)
    return reply(request.app[OPERATIONS].aliases(query.offset, query.limit))
