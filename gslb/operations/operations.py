"""Everything that changes what is served, and every report of it: what the API and signals call.

A change goes through four steps, in this order, and is seen by nobody before the third:

::

    validate ──► make durable ──► publish ──► acknowledge

Changes of content (zones, latency, reloads) wait for each other, and so do changes of intent (drains), but a
drain never waits for a reload: intent is a column of the verdict table, whatever content is below it. Once a
change has begun it is carried to its end, even if whoever asked for it went away.

What changes content is in ``gslb/operations/content.py``; here are intent, loads and reports.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from gslb.config.rdata import read_type
from gslb.config.wording import unknown_name
from gslb.errors import InvalidChangeError, NotFoundError
from gslb.model.gauges import Gauges
from gslb.model.report import (
    AliasList,
    DrainResult,
    EndpointList,
    ExplainReport,
    LatencyResult,
    LatencyTable,
    LoadsResult,
    PopDetail,
    PopList,
    ReloadResult,
    StatusReport,
    UndrainResult,
    ZoneChangeResult,
    ZoneList,
    ZonePage,
    ZoneReport,
)
from gslb.operations import reports
from gslb.operations.alias_reports import alias_counts, alias_reports, target_counts
from gslb.operations.content import Content
from gslb.operations.counts import EndpointCounts
from gslb.operations.demand import DemandMeter, demand_page
from gslb.operations.drain_warnings import drain_warnings
from gslb.operations.drains import Drains
from gslb.operations.latency_changes import latency_entries
from gslb.operations.loads import check_load, check_loads
from gslb.operations.problems import Problems
from gslb.operations.questions import read_question
from gslb.operations.simulate import overload_warnings, simulate
from gslb.operations.turns import Turns
from gslb.operations.verdicts import Verdicts
from gslb.operations.what_if import NOTHING, read_suppositions, suppose
from gslb.operations.without_result import without_result_by_pop
from gslb.operations.zone_pages import rrset_page
from gslb.zones.names import read_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from gslb._dataplane import Zone
    from gslb.aliases.flattener import Flattener
    from gslb.health.checker import Checker
    from gslb.model.clock import Clock
    from gslb.model.demand_report import DemandPage, SimulationReport
    from gslb.model.report import EndpointReport, PopReport
    from gslb.operations.latency_changes import RequestedLatency
    from gslb.operations.what_if import Requested, Supposed
    from gslb.operations.zone_changes import RequestedRRset
    from gslb.publish import Publisher
    from gslb.steering.verdict import VerdictTable
    from gslb.store.store import Store

log = structlog.get_logger(__name__)

EXPIRY_SECONDS = 1.0
"""How often drains and loads are looked through for expired ones."""


class Operations:
    """The one place that changes things. Belongs to the event loop's thread.

    ::

        made ──start()──► running ──stop()──► stopped

    Every method raises NotFoundError, InvalidChangeError or StateError as it applies; then nothing changed.
    """

    def __init__(
        self,
        publisher: Publisher,
        store: Store,
        checker: Checker,
        flattener: Flattener,
        clock: Clock,
        *,
        version: str,
    ) -> None:
        self._publisher = publisher
        self._checker = checker
        self._flattener = flattener
        self._clock = clock
        self._version = version
        self._started_at = clock.now()
        self._started = clock.monotonic()
        self._intent = Turns()
        self._drains = Drains(store, clock)
        self._verdicts = Verdicts(publisher, clock, self._drains.active)
        self._content = Content(
            publisher, store, checker=checker, flattener=flattener, verdicts=self._verdicts, clock=clock
        )
        self._demand = DemandMeter(publisher, clock)
        self._expiry: asyncio.Task[None] | None = None
        checker.subscribe(self._verdicts.observe)

    async def start(self) -> ReloadResult:
        """Take up the durable state, load the site for the first time and publish it.

        A change of the API that no longer fits its zone file is left out: a server that starts serves. Raises
        StateError and SiteError: nothing is served then.
        """
        await self._drains.restore()
        result = await self._content.start()
        self._expiry = asyncio.create_task(self._expire_when_due())
        self._demand.start()
        return result

    async def stop(self) -> None:
        """Let running changes finish and start no more expiries. The store and checker stay open."""
        if self._expiry is not None:
            self._expiry.cancel()
            with suppress(asyncio.CancelledError):
                await self._expiry
            self._expiry = None
        await self._demand.stop()
        await self._content.finish()
        await self._intent.finish()

    def now(self) -> datetime:
        """Aware UTC time by the clock that expiry goes by."""
        return self._clock.now()

    # ── Reports ──────────────────────────────────────────────────────────────────────────────────────────

    def status(self) -> StatusReport:
        """What is served, in numbers."""
        steering = self._publisher.steering
        zones = self._publisher.zones()
        counts = self._counts()
        observed, verdicts = counts.of_all()
        counters = self._publisher.counters()
        return StatusReport(
            version=self._version,
            generation=self._publisher.generation,
            started_at=self._started_at,
            uptime=self._clock.monotonic() - self._started,
            zones=len(zones),
            records=sum(zone.record_count for zone in zones.values()),
            names=len(steering.names),
            pops=len(steering.pops),
            observed=observed,
            failing=counts.failing(),
            verdicts=verdicts,
            aliases=alias_counts(self._flattener),
            drains=[reports.drain_report(drain) for drain in self._drains.active().values()],
            last_reload=self._content.last_reload,
            queries=sum(value for key, value in counters.items() if key.startswith("queries_")),
        )

    def pops(self) -> PopList:
        """All POPs."""
        return PopList(generation=self._publisher.generation, pops=self._pop_reports())

    def pop(self, name: str) -> PopDetail:
        """One POP and its endpoints. Raises NotFoundError."""
        self._require_pop(name)
        table = self._verdicts.table
        return PopDetail(
            generation=self._publisher.generation,
            pop=next(pop for pop in self._pop_reports() if pop.name == name),
            endpoints=self._endpoint_reports(table, table.roster.numbers_of(name)),
        )

    def endpoints(self, offset: int, limit: int) -> EndpointList:
        """A page of the endpoints."""
        total = len(self._verdicts.table)
        end = min(offset + limit, total)
        return EndpointList(
            generation=self._publisher.generation,
            total=total,
            endpoints=self._endpoint_reports(self._verdicts.table, range(offset, end)),
            offset=offset,
            next_offset=end if end < total else None,
        )

    def zones(self, offset: int, limit: int) -> ZoneList:
        """A page of the zones."""
        zones, origins = self._publisher.zones(), self._publisher.origins()
        end = min(offset + limit, len(origins))
        return ZoneList(
            generation=self._publisher.generation,
            total=len(origins),
            zones=[self._zone_report(origin, zones[origin]) for origin in origins[offset:end]],
            offset=offset,
            next_offset=end if end < len(origins) else None,
        )

    def zone(self, origin: str) -> ZoneReport:
        """One zone; ``origin`` with or without its final dot. Raises NotFoundError."""
        return self._zone_report(*self._content.zone(origin))

    async def rrsets(
        self, origin: str, offset: int, limit: int, *, name: str | None = None, rtype: str | None = None
    ) -> ZonePage:
        """A page of a zone's RRsets, of one name and one type if given. ``name`` may be relative."""
        key, zone = self._content.zone(origin)
        try:
            number = None if rtype is None else read_type(rtype)
            owner = None if name is None else read_name(name, key)
        except ValueError as error:
            raise InvalidChangeError(str(error)) from error
        # A filter may look through a zone of a million RRsets: not on the event loop.
        found, following = await asyncio.to_thread(rrset_page, zone, offset, limit, owner, number)
        return ZonePage(
            zone=self._zone_report(key, zone),
            rrsets=found,
            offset=offset,
            next_offset=following,
        )

    def latency(self) -> LatencyTable:
        """The latency table in force."""
        rows = latency_entries(self._publisher.steering.latency, self._content.latency())
        return LatencyTable(generation=self._publisher.generation, rows=rows)

    def aliases(self, offset: int, limit: int) -> AliasList:
        """A page of the ALIAS records that lead outside the zones served here."""
        total = self._flattener.leads
        end = min(offset + limit, total)
        return AliasList(
            generation=self._publisher.generation,
            total=total,
            has_resolver=self._publisher.steering.resolver is not None,
            aliases=alias_reports(self._flattener, offset, limit),
            offset=offset,
            next_offset=end if end < total else None,
        )

    def explain(
        self, name: str, rtype: str, client: str, subnet: str | None, what_if: Requested = NOTHING
    ) -> ExplainReport:
        """Each step of the answer to a query, and the answer. ``subnet`` is an EDNS Client Subnet (RFC 7871).

        With ``what_if``: as it would be then; nothing changes. Raises InvalidChangeError with everything that
        is no name, type, address or network, and every supposition about what there is not.
        """
        problems = Problems()
        with problems.taken():
            question = read_question(name, rtype, client, subnet)
        with problems.taken():
            supposed = None if what_if == NOTHING else self._suppose(what_if)
        problems.raise_any()
        query = (question.owner, question.rtype, question.address, question.network)
        if supposed is None:
            explained = self._publisher.explain(*query)
            named = reports.endpoints_named(explained["steps"])
            endpoints = self._endpoint_reports(self._verdicts.table, named)
            return reports.explain_report(explained, endpoints, self._drains.active())
        explained = self._publisher.explain(*query, supposed.octets)
        named = reports.endpoints_named(explained["steps"])
        endpoints = self._endpoint_reports(supposed.table, named)
        return reports.explain_report(explained, endpoints, supposed.drains, supposed.suppositions)

    async def demand(self, by: Collection[str], name: str | None, offset: int, limit: int) -> DemandPage:
        """A page of recent demand ``by`` some of name, type and country, of one ``name`` if given.

        Raises NotFoundError for a name that is not steered and that nobody asked for lately.
        """
        try:
            owner = None if name is None else read_name(name)
        except ValueError as error:
            raise InvalidChangeError(str(error)) from error
        return await asyncio.to_thread(
            demand_page,
            self._demand,
            self._publisher.steering,
            generation=self._publisher.generation,
            by=by,
            name=owner,
            offset=offset,
            limit=limit,
        )

    async def simulate(self, what_if: Requested, countries: int) -> SimulationReport:
        """What each POP would get of recent demand; nothing changes.

        Raises InvalidChangeError for suppositions about what there is not.
        """
        supposed = self._suppose(what_if)
        return await asyncio.to_thread(
            simulate,
            self._demand,
            self._publisher.decider(),
            self._publisher.steering,
            before=self._verdicts.published,
            supposed=supposed,
            countries=countries,
            now=self._clock.now(),
            generation=self._publisher.generation,
        )

    async def gauges(self) -> Gauges:
        """The state for the metrics at the moment of the call."""
        zones = self._publisher.zones()
        counts = self._counts()
        drains = self._drains.active()
        gauges = Gauges(
            generation=self._publisher.generation,
            drained={pop.name: pop.name in drains for pop in self._publisher.steering.pops},
            demand=self._demand.gauges(),
            loads={pop: load.load for pop, load in self._verdicts.load_reports().items()},
            probes={
                monitor: reports.probe_gauges(statistics)
                for monitor, statistics in self._checker.statistics().items()
            },
            alias_targets=target_counts(self._flattener),
            resolution_successes=self._flattener.successes,
            resolution_failures=self._flattener.failures,
            reload_successes=self._content.reloads[True],
            reload_failures=self._content.reloads[False],
            last_reload=self._content.last_reload.at.timestamp() if self._content.last_reload else 0.0,
            last_successful_reload=self._content.last_success.timestamp()
            if self._content.last_success
            else 0.0,
        )
        return await asyncio.to_thread(
            lambda: replace(
                gauges,
                zone_serials={origin: zone.serial for origin, zone in zones.items()},
                zone_records={origin: zone.record_count for origin, zone in zones.items()},
                verdicts=counts.verdicts(),
                observed=counts.observed(),
                monitored=counts.monitored(),
            )
        )

    def counters(self) -> dict[str, int]:
        """The data plane's counters."""
        return self._publisher.counters()

    # ── Intent ───────────────────────────────────────────────────────────────────────────────────────────

    async def drain(self, pop: str, reason: str, author: str, expires_at: datetime | None) -> DrainResult:
        """Take a POP out of answers. A POP that is drained already gets the new reason and expiry."""
        self._require_pop(pop)
        self._drains.check_end(expires_at)

        async def work() -> tuple[DrainResult, Callable[[], list[str]]]:
            drain, is_new = await self._drains.put(pop, reason, author, expires_at)
            before = self._verdicts.published
            generation = self._verdicts.publish()
            result = DrainResult(
                drain=reports.drain_report(drain), changed=is_new, generation=generation, warnings=[]
            )
            return result, self._warnings(pop, before)

        result, warnings = await self._intent.run(work)
        try:
            found = await asyncio.to_thread(warnings)
        except Exception:  # a bug, but the drain is in force: who asked for it must not be told otherwise
            log.exception("the warnings of a drain are not known", pop=pop)
            found = ["what this drain leaves unserved or overloads is not known: see the server's log"]
        return result.model_copy(update={"warnings": found})

    async def undrain(self, pop: str, author: str) -> UndrainResult:
        """Lift a POP's drain. Without one nothing changes, and ``changed`` says so."""
        if pop not in self._drains:
            self._require_pop(pop)

        async def work() -> UndrainResult:
            changed = await self._drains.remove(pop, author)
            return UndrainResult(pop=pop, changed=changed, generation=self._verdicts.publish())

        return await self._intent.run(work)

    # ── Measurements ─────────────────────────────────────────────────────────────────────────────────────

    def set_load(self, pop: str, load: float | None) -> LoadsResult:
        """A POP's own report of its load; ``None`` for unknown."""
        self._require_pop(pop)
        check_load(load)
        return self._report_loads({pop: load})

    def set_loads(self, loads: Mapping[str, float | None]) -> LoadsResult:
        """Loads of several POPs at once, all or none."""
        check_loads(loads, {pop.name for pop in self._publisher.steering.pops})
        return self._report_loads(loads)

    # ── Content ──────────────────────────────────────────────────────────────────────────────────────────

    async def change_rrsets(
        self, origin: str, requested: Sequence[RequestedRRset], author: str
    ) -> ZoneChangeResult:
        """Replace RRsets of one zone, remove them or give them back, see ``Content.change_rrsets``."""
        return await self._content.change_rrsets(origin, requested, author)

    async def set_latency(self, requested: Sequence[RequestedLatency], author: str) -> LatencyResult:
        """Set rows of the latency table, or give them back, see ``Content.set_latency``."""
        return await self._content.set_latency(requested, author)

    async def reload(self, cause: str = "request") -> ReloadResult:
        """Load the site directory anew, all or nothing, see ``Content.reload``."""
        return await self._content.reload(cause)

    async def reload_unless(self, is_loaded: Callable[[], bool], cause: str) -> None:
        """As ``reload``, but does nothing if ``is_loaded`` says so when its turn has come."""
        await self._content.reload_unless(is_loaded, cause)

    # ── Inside ───────────────────────────────────────────────────────────────────────────────────────────

    async def _expire_when_due(self) -> None:
        # Wall clocks jump, so expiry is looked at again and again, not waited for.
        while True:
            await self._clock.sleep(EXPIRY_SECONDS)
            if self._drains.any_expired():
                await self._intent.run(self._expire)
            self._verdicts.expire()

    async def _expire(self) -> None:
        await self._drains.expire()
        self._verdicts.publish()

    def _warnings(self, pop: str, before: tuple[bytes, bytes]) -> Callable[[], list[str]]:
        """What looks, in any thread, for what a drain leaves without endpoints, and what it overloads.

        It looks at this moment's verdicts, and for overloads at those ``before``.
        """
        steering, after = self._publisher.steering, self._verdicts.published
        verdicts = list(self._verdicts.table.verdicts())
        demand, decider = self._demand, self._publisher.decider()
        return lambda: [
            *drain_warnings(steering, verdicts, pop),
            *overload_warnings(demand, decider, steering, before, after),
        ]

    def _suppose(self, what_if: Requested) -> Supposed:
        steering = self._publisher.steering
        suppositions = read_suppositions(what_if, steering, self._clock.now())
        return suppose(suppositions, steering, self._verdicts, self._drains, self._clock)

    def _report_loads(self, loads: Mapping[str, float | None]) -> LoadsResult:
        # Not in turn with anything and not in the journal: a measurement is in force at once, and soon stale.
        generation = self._verdicts.report_loads(loads)
        known = self._verdicts.load_reports()
        return LoadsResult(loads={pop: known.get(pop) for pop in loads}, generation=generation)

    def _counts(self) -> EndpointCounts:
        return EndpointCounts(self._verdicts.table, self._checker.monitored())

    def _pop_reports(self) -> list[PopReport]:
        steering, loads = self._publisher.steering, self._verdicts.load_reports()
        unknown = without_result_by_pop(self._verdicts.table.roster.pops, self._checker.without_result())
        return reports.pop_reports(steering, self._counts(), self._drains.active(), loads, unknown)

    def _endpoint_reports(self, table: VerdictTable, numbers: Iterable[int]) -> list[EndpointReport]:
        return reports.endpoint_reports(self._checker.health(numbers), table)

    def _zone_report(self, origin: str, zone: Zone) -> ZoneReport:
        return reports.zone_report(origin, zone, self._content.api_changes(origin))

    def _require_pop(self, name: str) -> None:
        known = [pop.name for pop in self._publisher.steering.pops]
        if name not in known:
            raise NotFoundError(unknown_name("POP", name, known))
