"""What handlers find in the application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from gslb.operations.operations import Operations

OPERATIONS: web.AppKey[Operations] = web.AppKey("operations", Operations)
READY: web.AppKey[Callable[[], bool]] = web.AppKey("ready")
METRICS: web.AppKey[Callable[[], Awaitable[bytes]]] = web.AppKey("metrics")
DOCUMENT: web.AppKey[bytes] = web.AppKey("document", bytes)
