"""What ``gslb geo diff`` asks a running server for: recent demand, and the latency that its API set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.cli.client import RequestError
from gslb.config.locations import parse_location
from gslb.model.site import LatencyRow
from gslb.steering.moves import DemandRow

if TYPE_CHECKING:
    from gslb.cli.client import Client

DEMAND_PAGE = 10_000
DEMAND_PAGES = 200
"""Rows of recent demand that are asked for at once, and how often at most."""


def recent_demand(client: Client) -> tuple[list[DemandRow], str]:
    """All rows of recent demand; without any the reason why there are none."""
    rows: list[DemandRow] = []
    offset: int | None = 0
    try:
        for _ in range(DEMAND_PAGES):
            page = client.try_get(
                "/v1/demand", by="name,type,country", limit=str(DEMAND_PAGE), offset=str(offset)
            )
            rows += [
                DemandRow(row["name"], row["type"], row["country"], row["queries_per_second"])
                for row in page["rows"]
            ]
            offset = page["next_offset"]
            if offset is None:
                break
    except RequestError as error:
        return [], str(error)
    return rows, "" if rows else "the server has answered no query for a steered name lately"


def api_latency(client: Client) -> tuple[list[LatencyRow], str]:
    """The rows of the latency table that the API set, and why they are not known, if they are not."""
    try:
        table = client.try_get("/v1/latency")
        return [_latency_row(row) for row in table["rows"] if row["source"] == "api"], ""
    except RequestError as error:
        return [], str(error)
    except (ValueError, KeyError, TypeError):
        return [], "the server tells of latency what this gslb does not understand"


def _latency_row(row: dict[str, str]) -> LatencyRow:
    """Raises ValueError and KeyError for what is none."""
    kind, value = parse_location(row["location"])
    return LatencyRow(kind=kind, value=value, pop=row["pop"], milliseconds=float(row["ms"]))
