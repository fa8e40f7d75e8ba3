"""Everything that changes what is served, and every report of it: what the API and signals call.

A change goes through four steps, in this order, and is seen by nobody before the third:

::

    validate ──► make durable ──► publish ──► acknowledge

Changes of content (zones, latency, reloads) wait for each other, and so do changes of intent (drains), but a
drain never waits for a reload: intent is a column of the verdict table, whatever content is below it. Once a
change has begun it is carried to its end, even if whoever asked for it went away.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import structlog

from gslb.aliases.external import external_aliases
from gslb.config.rdata import read_type
from gslb.config.wording import unknown_name
from gslb.errors import ConflictError, GslbError, InvalidChangeError, NotFoundError, SiteError
from gslb.model.alias import ALIAS
from gslb.model.gauges import Gauges
from gslb.model.report import (
    AliasList,
    DrainResult,
    EndpointList,
    ExplainReport,
    LastReload,
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
from gslb.operations.demand import DemandMeter, demand_page
from gslb.operations.drain_warnings import drain_warnings
from gslb.operations.drains import Drains
from gslb.operations.latency_changes import latency_entries, read_latency, without_small_changes
from gslb.operations.loads import check_load, check_loads
from gslb.operations.overlay import stored_overlay
from gslb.operations.simulate import overload_warnings, simulate
from gslb.operations.turns import Turns
from gslb.operations.verdicts import Verdicts
from gslb.operations.what_if import NOTHING, read_suppositions, suppose
from gslb.operations.zone_changes import name_rrsets_at_fault, read_rrsets, stored_rrsets
from gslb.operations.zone_pages import rrset_page
from gslb.zones.names import read_name
from gslb.zones.serial import next_serial

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from gslb._dataplane import Zone
    from gslb.aliases.external import AliasRow
    from gslb.aliases.flattener import Flattener
    from gslb.health.checker import Checker
    from gslb.model.change import RRsetKey, StoredRRset
    from gslb.model.clock import Clock
    from gslb.model.demand_report import DemandPage, SimulationReport
    from gslb.model.report import EndpointReport, PopReport
    from gslb.model.site import LatencyRow, LocationKind
    from gslb.operations.latency_changes import RequestedLatency
    from gslb.operations.what_if import Requested, Supposed
    from gslb.operations.zone_changes import ReadRRset, RequestedRRset
    from gslb.publish import PreparedSite, Publisher
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
        self._store = store
        self._checker = checker
        self._flattener = flattener
        self._clock = clock
        self._version = version
        self._started_at = clock.now()
        self._started = clock.monotonic()
        self._content = Turns()
        self._intent = Turns()
        self._drains = Drains(store, clock)
        self._latency: dict[tuple[LocationKind, str, str], LatencyRow] = {}
        self._api_rrsets: dict[str, set[tuple[str, int]]] = {}
        self._aliases: dict[str, list[AliasRow]] = {}
        self._left_out: frozenset[RRsetKey] = frozenset()
        self._verdicts = Verdicts(publisher, clock, self._drains.active)
        self._demand = DemandMeter(publisher, clock)
        self._last_reload: LastReload | None = None
        self._last_success: datetime | None = None
        self._reloads = Counter[bool]()
        self._expiry: asyncio.Task[None] | None = None
        checker.subscribe(self._verdicts.observe)

    async def start(self) -> ReloadResult:
        """Take up the durable state, load the site for the first time and publish it.

        A change of the API that no longer fits its zone file is left out: a server that starts serves. Raises
        StateError and SiteError (or SteeringError): nothing is served then.
        """
        await self._drains.restore()
        result = await self._content.run(lambda: self._noting(self._load_first))
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
        endpoints = self._endpoint_reports()
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
            observed=reports.observed_counts(endpoints),
            failing=reports.failing_counts(endpoints),
            verdicts=reports.verdict_counts(endpoints),
            aliases=alias_counts(self._flattener),
            drains=[reports.drain_report(drain) for drain in self._drains.active().values()],
            last_reload=self._last_reload,
            queries=sum(value for key, value in counters.items() if key.startswith("queries_")),
        )

    def pops(self) -> PopList:
        """All POPs."""
        found = self._pop_reports(self._endpoint_reports())
        return PopList(generation=self._publisher.generation, pops=found)

    def pop(self, name: str) -> PopDetail:
        """One POP and its endpoints. Raises NotFoundError."""
        self._require_pop(name)
        endpoints = [endpoint for endpoint in self._endpoint_reports() if endpoint.pop == name]
        return PopDetail(
            generation=self._publisher.generation,
            pop=next(pop for pop in self._pop_reports(endpoints) if pop.name == name),
            endpoints=endpoints,
        )

    def endpoints(self) -> EndpointList:
        """All endpoints."""
        return EndpointList(generation=self._publisher.generation, endpoints=self._endpoint_reports())

    def zones(self) -> ZoneList:
        """All zones."""
        found = [self._zone_report(origin, zone) for origin, zone in sorted(self._publisher.zones().items())]
        return ZoneList(generation=self._publisher.generation, zones=found)

    def zone(self, origin: str) -> ZoneReport:
        """One zone; ``origin`` with or without its final dot. Raises NotFoundError."""
        return self._zone_report(*self._require_zone(origin))

    async def rrsets(
        self, origin: str, offset: int, limit: int, *, name: str | None = None, rtype: str | None = None
    ) -> ZonePage:
        """A page of a zone's RRsets, of one name and one type if given. ``name`` may be relative."""
        key, zone = self._require_zone(origin)
        try:
            number = None if rtype is None else read_type(rtype)
            owner = None if name is None else read_name(name, key)
        except ValueError as error:
            raise InvalidChangeError(str(error)) from error
        # A filter may look through a zone of a million RRsets: not on the event loop.
        found, more = await asyncio.to_thread(rrset_page, zone, offset, limit, owner, number)
        return ZonePage(
            zone=self._zone_report(key, zone),
            rrsets=found,
            offset=offset,
            next_offset=offset + len(found) if more else None,
        )

    def latency(self) -> LatencyTable:
        """The latency table in force."""
        rows = latency_entries(self._publisher.steering.latency, self._latency)
        return LatencyTable(generation=self._publisher.generation, rows=rows)

    def aliases(self) -> AliasList:
        """The ALIAS records that lead outside the zones served here."""
        return AliasList(
            generation=self._publisher.generation,
            total=len(self._flattener.aliases()),
            has_resolver=self._publisher.steering.resolver is not None,
            aliases=alias_reports(self._flattener),
        )

    def explain(
        self, name: str, rtype: str, client: str, subnet: str | None, what_if: Requested = NOTHING
    ) -> ExplainReport:
        """Each step of the answer to a query, and the answer. ``subnet`` is an EDNS Client Subnet (RFC 7871).

        With ``what_if``: as it would be then; nothing changes. Raises InvalidChangeError for what is no name,
        type, address or network, and for suppositions about what there is not.
        """
        try:
            owner = read_name(name)
            number = read_type(rtype)
            if "%" in client or "%" in (subnet or ""):
                raise ValueError("a client has no interface: leave out the part after %")
            address = str(ip_address(client))
            network = None if not subnet else str(ip_network(subnet, strict=False))
        except ValueError as error:
            raise InvalidChangeError(str(error)) from error
        if what_if == NOTHING:
            explained = self._publisher.explain(owner, number, address, network)
            return reports.explain_report(explained, self._endpoint_reports(), self._drains.active())
        supposed = self._suppose(what_if)
        explained = self._publisher.explain(owner, number, address, network, supposed.octets)
        endpoints = reports.endpoint_reports(self._publisher.steering, self._checker.health(), supposed.table)
        return reports.explain_report(explained, endpoints, supposed.drains, supposed.suppositions)

    async def demand(self, by: Collection[str], name: str | None, offset: int, limit: int) -> DemandPage:
        """A page of recent demand ``by`` some of name, type and country, of one ``name`` if given."""
        try:
            owner = None if name is None else read_name(name)
        except ValueError as error:
            raise InvalidChangeError(str(error)) from error
        return await asyncio.to_thread(
            demand_page,
            self._demand,
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

    def gauges(self) -> Gauges:
        """The present state for the metrics."""
        zones = self._publisher.zones()
        endpoints = self._endpoint_reports()
        drains = self._drains.active()
        return Gauges(
            generation=self._publisher.generation,
            zone_serials={origin: zone.serial for origin, zone in zones.items()},
            zone_records={origin: zone.record_count for origin, zone in zones.items()},
            verdicts=Counter((row.pop, row.pool, str(row.verdict)) for row in endpoints),
            observed=Counter((row.pop, row.observed.value) for row in endpoints),
            monitored=Counter(
                (one.monitor, row.pop, one.observed.value) for row in endpoints for one in row.monitors
            ),
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
            reload_successes=self._reloads[True],
            reload_failures=self._reloads[False],
            last_reload=self._last_reload.at.timestamp() if self._last_reload else 0.0,
            last_successful_reload=self._last_success.timestamp() if self._last_success else 0.0,
        )

    def counters(self) -> dict[str, int]:
        """The data plane's counters."""
        return self._publisher.counters()

    # ── Intent ───────────────────────────────────────────────────────────────────────────────────────────

    async def drain(self, pop: str, reason: str, author: str, expires_at: datetime | None) -> DrainResult:
        """Take a POP out of answers. A POP that is drained already gets the new reason and expiry."""
        self._require_pop(pop)
        self._drains.check_end(expires_at)

        async def work() -> tuple[DrainResult, tuple[bytes, bytes]]:
            before = self._verdicts.published
            drain, is_new = await self._drains.put(pop, reason, author, expires_at)
            generation = self._verdicts.publish()
            warnings = drain_warnings(self._publisher.steering, self._verdicts.table, pop)
            result = DrainResult(
                drain=reports.drain_report(drain), changed=is_new, generation=generation, warnings=warnings
            )
            return result, before

        result, before = await self._intent.run(work)
        return result.model_copy(update={"warnings": [*result.warnings, *await self._overloads(before)]})

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
        """Replace or remove RRsets of one zone or give them back to its file; the SOA serial rises.

        All or nothing. To give back is to load the site anew, and raises SiteError as that does.
        """
        key, _ = self._require_zone(origin)
        # Thousands of records take a while to read: not on the event loop.
        read = await asyncio.to_thread(read_rrsets, key, requested)

        async def work() -> ZoneChangeResult:
            self._require_zone(key)
            if any(one.records is None for one in read):
                return await self._change_and_give_back(key, read, author)
            try:
                prepared = await self._publisher.prepare_zone_change(key, [one.change for one in read])
            except InvalidChangeError as error:
                raise name_rrsets_at_fault(error, read) from error
            aliases = dict(self._aliases)
            if any(one.change[1] == ALIAS for one in read):
                aliases[key] = await asyncio.to_thread(prepared.zone.aliases)
            changed = {**self._publisher.zones(), key: prepared.zone}
            external = await asyncio.to_thread(external_aliases, aliases, changed)
            now = self._clock.now()
            rows = stored_rrsets(key, read, author, now)
            await self._store.put_rrsets(key, prepared.serial, rows, author, now)
            generation = self._publisher.commit_zone_change(prepared)
            self._aliases = aliases
            self._flattener.reconfigure(external, self._publisher.steering.resolver)
            self._api_rrsets.setdefault(key, set()).update((row.name, row.rtype) for row in rows)
            self._left_out -= {(key, row.name, row.rtype) for row in rows}
            log.info("zone changed", zone=key, serial=prepared.serial, rrsets=len(rows), author=author)
            return ZoneChangeResult(
                zone=key, serial=prepared.serial, changed=len(rows), generation=generation
            )

        return await self._content.run(work)

    async def set_latency(self, requested: Sequence[RequestedLatency], author: str) -> LatencyResult:
        """Set rows of the latency table, or give them back to the site's files."""

        async def work() -> LatencyResult:
            pops = [pop.name for pop in self._publisher.steering.pops]
            rows, removed = read_latency(requested, pops)
            steering = self._publisher.steering
            measured = len(rows)
            rows = without_small_changes(rows, steering.latency, steering.latency_hysteresis)
            unchanged = measured - len(rows)
            if not rows and not removed:
                return LatencyResult(changed=0, unchanged=unchanged, generation=self._publisher.generation)
            after = {key: row for key, row in self._latency.items() if key not in set(removed)}
            after.update({(row.kind, row.value, row.pop): row for row in rows})
            prepared = await self._publisher.prepare_latency(tuple(after.values()))
            await self._store.put_latency(rows, removed, author, self._clock.now())
            generation = self._publisher.commit_latency(prepared, *self._verdicts.to_publish())
            self._latency = after
            log.info("latency changed", rows=len(rows), removed=len(removed), author=author)
            changed = len(rows) + len(removed)
            return LatencyResult(changed=changed, unchanged=unchanged, generation=generation)

        return await self._content.run(work)

    async def reload(self, cause: str = "request") -> ReloadResult:
        """Load the site directory anew, all or nothing. Raises SiteError: the old one goes on serving.

        A failure is in the log then, with its ``cause`` and every error.
        """

        async def work() -> ReloadResult | GslbError:
            try:
                return await self._noting(self._load)
            except GslbError as error:
                found = error.findings if isinstance(error, SiteError) else (error,)
                errors = [str(one) for one in found]
                log.error("reload refused: the old site goes on serving", cause=cause, errors=errors)
                return error  # not raised: what ends with an exception is logged as a refused change

        result = await self._content.run(work)
        if isinstance(result, GslbError):
            raise result
        return result

    async def _noting(self, load: Callable[[], Awaitable[ReloadResult]]) -> ReloadResult:
        try:
            result = await load()
        except GslbError as error:
            self._note_reload(success=False, message=str(error))
            raise
        self._note_reload(success=True, message="")
        return result

    async def _load_first(self) -> ReloadResult:
        result = await self._load(lambda _: True)
        for finding in result.findings:
            if finding.rule == "zone-api-change":
                log.error("API change left out", file=finding.file, problem=finding.message)
        return result

    async def _load(self, may_leave_out: Callable[[RRsetKey], bool] = lambda _: False) -> ReloadResult:
        started = self._clock.monotonic()
        rows = await self._store.rrsets()
        latency = await self._store.latency()
        overlay = stored_overlay(rows, await self._store.serials(), latency)
        prepared = await self._publisher.prepare_site(overlay, may_leave_out)
        aliases = await asyncio.to_thread(_aliases_of, prepared.zones)
        external = await asyncio.to_thread(external_aliases, aliases, prepared.zones)
        generation = self._take_over(prepared, rows, latency)
        self._aliases = aliases
        self._flattener.reconfigure(external, prepared.steering.resolver)
        zones = self._publisher.zones()
        return ReloadResult(
            generation=generation,
            zones=len(zones),
            records=sum(zone.record_count for zone in zones.values()),
            pops=len(prepared.steering.pops),
            names=len(prepared.steering.names),
            seconds=round(self._clock.monotonic() - started, 6),
            findings=[reports.finding_report(finding) for finding in prepared.findings],
        )

    async def _change_and_give_back(
        self, key: str, read: Sequence[ReadRRset], author: str
    ) -> ZoneChangeResult:
        """Load the site anew, without what is stored of the RRsets given back and with the other changes."""
        now = self._clock.now()
        given_back = [one.change[:2] for one in read if one.records is None]
        changed = stored_rrsets(key, read, author, now)
        replaced = {(key, one.change[0], one.change[1]) for one in read}
        kept = [row for row in await self._store.rrsets() if (row.zone, row.name, row.rtype) not in replaced]
        rows = [*kept, *changed]
        latency = await self._store.latency()
        serials = {**await self._store.serials(), key: next_serial(self._publisher.zones()[key].serial)}
        # What is left out already may stay so: RRsets can be given back one after the other.
        known = self._left_out - replaced
        prepared = await self._publisher.prepare_site(
            stored_overlay(rows, serials, latency), known.__contains__
        )
        serial = prepared.serial(key)
        if serial is None:
            raise ConflictError(f"the site no longer holds a file of the zone {key}: reload the site first")
        aliases = await asyncio.to_thread(_aliases_of, prepared.zones)
        external = await asyncio.to_thread(external_aliases, aliases, prepared.zones)
        await self._store.put_rrsets(key, serial, changed, author, now, forgotten=given_back)
        generation = self._take_over(prepared, rows, latency)
        self._aliases = aliases
        self._flattener.reconfigure(external, prepared.steering.resolver)
        self._note_reload(success=True, message="")
        log.info(
            "zone changed",
            zone=key,
            serial=serial,
            rrsets=len(changed),
            given_back=len(given_back),
            author=author,
        )
        return ZoneChangeResult(zone=key, serial=serial, changed=len(read), generation=generation)

    def _take_over(
        self, prepared: PreparedSite, rows: Sequence[StoredRRset], latency: Sequence[LatencyRow]
    ) -> int:
        """Publish a loaded site; return the generation. Waits for nothing: no flip or drain comes between."""
        steering = prepared.steering
        self._checker.reconfigure(steering)
        generation = self._publisher.commit_site(
            prepared, *self._verdicts.take_over(steering, self._checker.observed())
        )
        self._latency = {(row.kind, row.value, row.pop): row for row in latency}
        self._api_rrsets = {}
        for row in rows:
            self._api_rrsets.setdefault(row.zone, set()).add((row.name, row.rtype))
        self._left_out = prepared.left_out
        zones = self._publisher.zones()
        records = sum(zone.record_count for zone in zones.values())
        log.info("site loaded", generation=generation, zones=len(zones), records=records)
        return generation

    # ── Inside ───────────────────────────────────────────────────────────────────────────────────────────

    async def _expire_when_due(self) -> None:
        # Wall clocks jump, so expiry is looked at again and again, not waited for.
        while True:
            await self._clock.sleep(EXPIRY_SECONDS)
            if self._drains.any_expired():
                await self._intent.run(self._expire)
            self._verdicts.expire_loads()

    async def _expire(self) -> None:
        await self._drains.expire()
        self._verdicts.publish()

    async def _overloads(self, before: tuple[bytes, bytes]) -> list[str]:
        """Warnings of what the present verdicts overload and those ``before`` did not."""
        after, steering = self._verdicts.published, self._publisher.steering
        if len(before[0]) != len(after[0]):  # another site was loaded meanwhile
            return []
        return await asyncio.to_thread(
            overload_warnings, self._demand, self._publisher.decider(), steering, before, after
        )

    def _suppose(self, what_if: Requested) -> Supposed:
        steering = self._publisher.steering
        suppositions = read_suppositions(what_if, steering, self._clock.now())
        return suppose(suppositions, steering, self._verdicts, self._drains, self._clock)

    def _note_reload(self, *, success: bool, message: str) -> None:
        now = self._clock.now()
        self._reloads[success] += 1
        self._last_reload = LastReload(at=now, success=success, message=message)
        if success:
            self._last_success = now

    def _report_loads(self, loads: Mapping[str, float | None]) -> LoadsResult:
        # Not in turn with anything and not in the journal: a measurement is in force at once, and soon stale.
        generation = self._verdicts.report_loads(loads)
        known = self._verdicts.load_reports()
        return LoadsResult(loads={pop: known.get(pop) for pop in loads}, generation=generation)

    def _pop_reports(self, endpoints: list[EndpointReport]) -> list[PopReport]:
        return reports.pop_reports(
            self._publisher.steering, endpoints, self._drains.active(), self._verdicts.load_reports()
        )

    def _endpoint_reports(self) -> list[EndpointReport]:
        steering, health = self._publisher.steering, self._checker.health()
        return reports.endpoint_reports(steering, health, self._verdicts.table)

    def _zone_report(self, origin: str, zone: Zone) -> ZoneReport:
        return reports.zone_report(origin, zone, len(self._api_rrsets.get(origin, ())))

    def _require_pop(self, name: str) -> None:
        known = [pop.name for pop in self._publisher.steering.pops]
        if name not in known:
            raise NotFoundError(unknown_name("POP", name, known))

    def _require_zone(self, origin: str) -> tuple[str, Zone]:
        zones = self._publisher.zones()
        try:
            key = read_name(origin)
        except ValueError as error:
            raise NotFoundError(str(error)) from error
        zone = zones.get(key)
        if zone is None:
            raise NotFoundError(unknown_name("zone", key, zones))
        return key, zone


def _aliases_of(zones: Mapping[str, Zone]) -> dict[str, list[AliasRow]]:
    """The ALIAS records of each zone that has some: a look at every name, so not for the event loop."""
    return {origin: rows for origin, zone in zones.items() if (rows := zone.aliases())}
