"""POPs: what is observed, what was intended, what came of it; drain and undrain."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from aiohttp import web
from pydantic import AwareDatetime, Field, field_validator

from gslb.api.exchange import Author, Body, Line, body_of, query_of, reply
from gslb.api.keys import OPERATIONS
from gslb.api.problems import ProblemError, ProblemException
from gslb.api.system import NoQuery
from gslb.config.durations import parse_duration

LONGEST_SECONDS = 3_650 * 86_400


class DrainRequest(Body):
    """A drain. At most one of ``for`` and ``expires_at``; with neither it holds until undrained."""

    reason: Annotated[Line, Field(min_length=1, max_length=500, description="Why, for the next on call.")]
    author: Author = "api"
    for_: Annotated[str | None, Field(alias="for", description="How long, such as 30m, 2h or 1d12h.")] = None
    expires_at: Annotated[
        AwareDatetime | None, Field(description="Until when (RFC 3339), in the future.")
    ] = None

    @field_validator("for_")
    @classmethod
    def _is_duration(cls, text: str | None) -> str | None:
        if text is not None:
            _duration(text)
        return text


class UndrainRequest(Body):
    """Who lifts the drain."""

    author: Author = "api"


async def pops(request: web.Request) -> web.Response:
    """All POPs."""
    query_of(request, NoQuery)
    return reply(request.app[OPERATIONS].pops())


async def pop(request: web.Request) -> web.Response:
    """One POP and its endpoints."""
    query_of(request, NoQuery)
    return reply(request.app[OPERATIONS].pop(request.match_info["pop"]))


async def drain(request: web.Request) -> web.Response:
    """Take a POP out of answers. Durable and in force when this returns."""
    body = await body_of(request, DrainRequest)
    operations = request.app[OPERATIONS]
    expires_at = body.expires_at
    if body.for_ is not None:
        if expires_at is not None:
            text = "contradicts expires_at: give one of them"
            raise ProblemException(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "invalid-body",
                f"/for: {text}",
                errors=[ProblemError(pointer="/for", detail=text)],
            )
        expires_at = operations.now() + _duration(body.for_)
    return reply(await operations.drain(request.match_info["pop"], body.reason, body.author, expires_at))


async def undrain(request: web.Request) -> web.Response:
    """Lift a POP's drain; what probes say decides again at once."""
    body = await body_of(request, UndrainRequest, required=False)
    return reply(await request.app[OPERATIONS].undrain(request.match_info["pop"], body.author))


def _duration(text: str) -> timedelta:
    """How long a drain holds, up to ten years. Raises ValueError."""
    seconds = parse_duration(text)
    if not 0 < seconds <= LONGEST_SECONDS:
        raise ValueError(f"must be more than nothing and at most ten years, not {text}")
    return timedelta(seconds=seconds)
