"""ALIAS records that lead outside the zones served here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.api.exchange import query_of, reply
from gslb.api.keys import OPERATIONS
from gslb.api.system import NoQuery

if TYPE_CHECKING:
    from aiohttp import web


async def aliases(request: web.Request) -> web.Response:
    """Every ALIAS that leads outside the zones served here, and what its target resolves to."""
    query_of(request, NoQuery)
    return reply(request.app[OPERATIONS].aliases())
