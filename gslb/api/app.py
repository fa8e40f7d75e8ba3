"""The aiohttp application: routes, the token check, limits, and every error as a problem document."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from gslb.api.exchange import BODY_LIMIT
from gslb.api.keys import DOCUMENT, METRICS, OPERATIONS, READY
from gslb.api.openapi import openapi_document
from gslb.api.problems import ProblemException, response_of
from gslb.api.routes import ROUTES, TIME_LIMIT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gslb.api.routes import Route
    from gslb.operations.operations import Operations
    from gslb.store.token import Token

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SERVER_LIMITS: dict[str, Any] = {
    "max_line_size": 8190,
    "max_field_size": 8190,
    "max_headers": 64,
    "keepalive_timeout": 75.0,
    "lingering_time": 2.0,
    "auto_decompress": False,
    "access_log": None,
}
"""Keyword arguments for ``web.AppRunner``: limits on the request line, headers and idle connections."""

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def build_app(
    operations: Operations,
    token: Token,
    *,
    ready: Callable[[], bool],
    metrics: Callable[[], Awaitable[bytes]],
    version: str,
) -> web.Application:
    """The application. ``ready`` says whether every listener answers, ``metrics`` gives Prometheus text."""
    by_handler: dict[object, Route] = {route.handler: route for route in ROUTES}

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        route = by_handler.get(request.match_info.handler)
        try:
            if route is not None and route.needs_token:
                _check_token(request, token)
            response = await _in_time(route, request, handler)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # the boundary: nothing leaves but a problem document
            response = response_of(error)
        response.headers.update(_HEADERS)
        return response

    app = web.Application(middlewares=[guard], client_max_size=BODY_LIMIT)
    app[OPERATIONS] = operations
    app[READY] = ready
    app[METRICS] = metrics
    app[DOCUMENT] = json.dumps(openapi_document(ROUTES, version)).encode()
    for route in ROUTES:
        if route.method == "GET":
            app.router.add_get(route.path, route.handler)
        else:
            app.router.add_route(route.method, route.path, route.handler)
    return app


async def _in_time(route: Route | None, request: web.Request, handler: Handler) -> web.StreamResponse:
    limit = TIME_LIMIT if route is None else route.time_limit
    try:
        async with asyncio.timeout(limit) as timer:
            return await handler(request)
    except TimeoutError:
        if not timer.expired():
            raise
        raise ProblemException(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "too-slow",
            f"not done within {limit:g} seconds; a change that had begun is carried through: "
            "look at the state before trying again",
        ) from None


def _check_token(request: web.Request, token: Token) -> None:
    scheme, _, candidate = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.matches(candidate.strip()):
        return
    given = "the token is not valid" if scheme else "a token is needed"
    raise ProblemException(
        HTTPStatus.UNAUTHORIZED,
        "unauthorized",
        f"{given}: send Authorization: Bearer TOKEN; the token is in the server's state directory",
        headers={"WWW-Authenticate": 'Bearer realm="gslb"'},
    )
