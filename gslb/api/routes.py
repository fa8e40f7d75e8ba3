"""The route table: what the application serves and the OpenAPI document describes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gslb.api import (
    aliases,
    demand,
    endpoints,
    explain,
    latency,
    loads,
    pops,
    reload,
    simulate,
    system,
    zones,
)
from gslb.api.exchange import PageQuery
from gslb.model import demand_report, report

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web
    from pydantic import BaseModel

    from gslb.api.exchange import Body, Query

TIME_LIMIT = 30.0
LONG_TIME_LIMIT = 300.0
"""Seconds for requests that compile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation. ``media_type`` is that of its response; ``report`` describes a JSON one."""

    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[web.Response]]
    tag: str
    report: type[BaseModel] | None = None
    query: type[Query] | None = None
    body: type[Body] | None = None
    body_required: bool = True
    needs_token: bool = True
    time_limit: float = TIME_LIMIT
    media_type: str = "application/json"

    @property
    def summary(self) -> str:
        """The first line of the handler's docstring."""
        return (self.handler.__doc__ or "").partition("\n")[0]

    @property
    def name(self) -> str:
        """The operation's id: the handler's name."""
        return getattr(self.handler, "__name__", "")


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/v1/ready",
        handler=system.ready,
        tag="system",
        report=system.ReadyReport,
        needs_token=False,
    ),
    Route(method="GET", path="/v1/status", handler=system.status, tag="system", report=report.StatusReport),
    Route(
        method="GET",
        path="/v1/openapi.json",
        handler=system.openapi,
        tag="system",
        needs_token=False,
    ),
    Route(
        method="GET",
        path="/metrics",
        handler=system.metrics,
        tag="system",
        needs_token=False,
        media_type="text/plain",
    ),
    Route(method="GET", path="/v1/pops", handler=pops.pops, tag="pops", report=report.PopList),
    Route(method="GET", path="/v1/pops/{pop}", handler=pops.pop, tag="pops", report=report.PopDetail),
    Route(
        method="POST",
        path="/v1/pops/{pop}/drain",
        handler=pops.drain,
        tag="pops",
        body=pops.DrainRequest,
        report=report.DrainResult,
    ),
    Route(
        method="POST",
        path="/v1/pops/{pop}/undrain",
        handler=pops.undrain,
        tag="pops",
        body=pops.UndrainRequest,
        body_required=False,
        report=report.UndrainResult,
    ),
    Route(
        method="PUT",
        path="/v1/pops/{pop}/load",
        handler=loads.set_load,
        tag="pops",
        body=loads.LoadRequest,
        report=report.LoadsResult,
    ),
    Route(
        method="PUT",
        path="/v1/loads",
        handler=loads.set_loads,
        tag="pops",
        body=loads.LoadsRequest,
        report=report.LoadsResult,
    ),
    Route(
        method="GET",
        path="/v1/endpoints",
        handler=endpoints.endpoints,
        tag="endpoints",
        query=PageQuery,
        report=report.EndpointList,
    ),
    Route(
        method="GET",
        path="/v1/zones",
        handler=zones.zones,
        tag="zones",
        query=PageQuery,
        report=report.ZoneList,
    ),
    Route(
        method="GET",
        path="/v1/zones/{zone}",
        handler=zones.zone,
        tag="zones",
        query=zones.ZoneQuery,
        report=report.ZonePage,
    ),
    Route(
        method="PATCH",
        path="/v1/zones/{zone}/rrsets",
        handler=zones.change_rrsets,
        tag="zones",
        body=zones.RRsetsRequest,
        report=report.ZoneChangeResult,
        time_limit=LONG_TIME_LIMIT,
    ),
    Route(
        method="GET",
        path="/v1/aliases",
        handler=aliases.aliases,
        tag="aliases",
        query=PageQuery,
        report=report.AliasList,
    ),
    Route(
        method="GET",
        path="/v1/latency",
        handler=latency.latency,
        tag="latency",
        report=report.LatencyTable,
    ),
    Route(
        method="PATCH",
        path="/v1/latency",
        handler=latency.set_latency,
        tag="latency",
        body=latency.LatencyRequest,
        report=report.LatencyResult,
        time_limit=LONG_TIME_LIMIT,
    ),
    Route(
        method="GET",
        path="/v1/explain",
        handler=explain.explain,
        tag="explain",
        query=explain.ExplainQuery,
        report=report.ExplainReport,
    ),
    Route(
        method="GET",
        path="/v1/demand",
        handler=demand.demand,
        tag="demand",
        query=demand.DemandQuery,
        report=demand_report.DemandPage,
    ),
    Route(
        method="POST",
        path="/v1/simulate",
        handler=simulate.simulate,
        tag="demand",
        body=simulate.SimulateRequest,
        body_required=False,
        report=demand_report.SimulationReport,
    ),
    Route(
        method="POST",
        path="/v1/reload",
        handler=reload.reload,
        tag="reload",
        body=reload.ReloadRequest,
        body_required=False,
        report=report.ReloadResult,
        time_limit=LONG_TIME_LIMIT,
    ),
)
