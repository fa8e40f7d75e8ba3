"""Suppositions in query strings: what would be if POPs were down, drained or loaded, or at another time."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gslb.api.exchange import Query
from gslb.config import suppositions
from gslb.operations.what_if import Requested

TEXT_LIMIT = 20_000
"""Characters of a list of POPs."""

At = Annotated[
    str | None,
    Field(
        max_length=50, description="When: RFC 3339, or from now on such as 2h. Drains end, loads grow old."
    ),
]


class WhatIfQuery(Query):
    """Suppositions that a query string may have."""

    down: Annotated[
        str, Field(max_length=TEXT_LIMIT, description="POPs, or pool/pop, that are down: fra,web/ams.")
    ] = ""
    drain: Annotated[str, Field(max_length=TEXT_LIMIT, description="POPs that are drained: fra,ams.")] = ""
    load: Annotated[str, Field(max_length=TEXT_LIMIT, description="Loads of POPs: fra=0.9,ams=0.2.")] = ""
    at: At = None

    def suppositions(self) -> Requested:
        """What is supposed."""
        loads, wrong = suppositions.loads(suppositions.items(self.load))
        return Requested(suppositions.items(self.down), suppositions.items(self.drain), loads, self.at, wrong)
