"""Recent demand: how often clients ask for steered names."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field, field_validator

from gslb.api.exchange import Query, query_of, reply
from gslb.api.keys import OPERATIONS

_PARTS = ("name", "type", "country")


class DemandQuery(Query):
    """Which rows, and how they are divided."""

    by: Annotated[
        str, Field(max_length=50, description="What rows are divided by: some of name, type, country.")
    ] = "name"
    name: Annotated[
        str | None, Field(min_length=1, max_length=1_100, description="Only of this steered name.")
    ] = None
    offset: Annotated[int, Field(ge=0, le=10_000_000, description="Rows to leave out.")] = 0
    limit: Annotated[int, Field(ge=1, le=10_000, description="Rows at most.")] = 100

    @field_validator("by")
    @classmethod
    def _has_parts(cls, text: str) -> str:
        parts = text.split(",")
        if not set(parts) <= set(_PARTS) or len(set(parts)) < len(parts):
            raise ValueError(f"must be some of {', '.join(_PARTS)}, separated by commas, not {text}")
        return text


async def demand(request: web.Request) -> web.Response:
    """Recent queries a second for steered names, the most asked for first."""
    query = query_of(request, DemandQuery)
    page = await request.app[OPERATIONS].demand(query.by.split(","), query.name, query.offset, query.limit)
    return reply(page)
