"""Reload: load the site directory anew, all or nothing."""

from __future__ import annotations

from aiohttp import web

from gslb.api.exchange import Body, body_of, reply
from gslb.api.keys import OPERATIONS


class ReloadRequest(Body):
    """Nothing to say."""


async def reload(request: web.Request) -> web.Response:
    """Load the site directory anew. An error leaves the old snapshot serving and says what, where."""
    await body_of(request, ReloadRequest, required=False)
    return reply(await request.app[OPERATIONS].reload())
