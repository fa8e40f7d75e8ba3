"""Zones: list, read page by page, change RRsets."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from gslb.api.exchange import Author, Body, PageQuery, body_of, query_of, reply
from gslb.api.keys import OPERATIONS
from gslb.operations.zone_changes import RequestedRRset


class ZoneQuery(PageQuery):
    """Which RRsets, and which page of them."""

    name: Annotated[str | None, Field(description="Only this owner name; relative, or with a final dot.")] = (
        None
    )
    type: Annotated[str | None, Field(description="Only this type: a mnemonic, or TYPEnnn.")] = None


class RRsetBody(Body):
    """The RRset to have from now on; without records it is removed, with ``null`` the zone file decides."""

    name: Annotated[str, Field(max_length=1_100, description="Relative to the zone, or with a final dot.")]
    type: Annotated[str, Field(max_length=20, description="A mnemonic such as A, or TYPEnnn.")]
    ttl: Annotated[int | None, Field(description="Seconds, 0 to 2147483647; needed with records.")] = None
    records: Annotated[
        list[str] | None,
        Field(
            description="RDATA in presentation format; empty removes; null gives the RRset back to the zone "
            "file, and then there is no ttl."
        ),
    ]


class RRsetsRequest(Body):
    """Changes of one zone, all or nothing; at most 1,000 RRsets with at most 1,000 records each."""

    rrsets: list[RRsetBody]
    author: Author = "api"


async def zones(request: web.Request) -> web.Response:
    """A page of the zones, by name."""
    query = query_of(request, PageQuery)
    return reply(request.app[OPERATIONS].zones(query.offset, query.limit))


async def zone(request: web.Request) -> web.Response:
    """One zone and a page of its RRsets."""
    query = query_of(request, ZoneQuery)
    page = await request.app[OPERATIONS].rrsets(
        request.match_info["zone"], query.offset, query.limit, name=query.name, rtype=query.type
    )
    return reply(page)


async def change_rrsets(request: web.Request) -> web.Response:
    """Set, remove or give back RRsets, all or nothing. Durable and in force when this returns."""
    body = await body_of(request, RRsetsRequest)
    requested = [
        RequestedRRset(
            rrset.name, rrset.type, rrset.ttl, None if rrset.records is None else tuple(rrset.records)
        )
        for rrset in body.rrsets
    ]
    operations = request.app[OPERATIONS]
    return reply(await operations.change_rrsets(request.match_info["zone"], requested, body.author))
