"""Explain: why a client gets the answer it gets, by the code that answers."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from gslb.api.exchange import query_of, reply
from gslb.api.keys import OPERATIONS
from gslb.api.problems import query_problem
from gslb.api.what_if import WhatIfQuery
from gslb.errors import InvalidChangeError


class ExplainQuery(WhatIfQuery):
    """The query to explain."""

    name: Annotated[str, Field(min_length=1, max_length=1_100, description="Name that is asked for.")]
    type: Annotated[str, Field(max_length=20, description="A mnemonic, or TYPEnnn.")] = "A"
    client: Annotated[str, Field(max_length=50, description="Address the query comes from.")]
    subnet: Annotated[
        str | None, Field(max_length=50, description="EDNS Client Subnet (RFC 7871), such as 192.0.2.0/24.")
    ] = None


async def explain(request: web.Request) -> web.Response:
    """Each step of an answer, and the answer; under suppositions if there are any."""
    query = query_of(request, ExplainQuery)
    suppositions = query.suppositions()
    try:
        report = request.app[OPERATIONS].explain(
            query.name, query.type, query.client, query.subnet, suppositions
        )
    except InvalidChangeError as error:
        raise query_problem(error) from None
    return reply(report)
