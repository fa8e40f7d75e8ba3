"""Changes of content: zones, latency, and the site as a whole, which is loaded and reloaded here."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from gslb.config.wording import unknown_name
from gslb.errors import ConflictError, GslbError, InvalidChangeError, NotFoundError, SiteError, shown
from gslb.model.report import LastReload, LatencyResult, ReloadResult, ZoneChangeResult
from gslb.operations.external_targets import ExternalTargets
from gslb.operations.latency_changes import read_latency, without_small_changes
from gslb.operations.overlay import stored_overlay
from gslb.operations.reports import finding_report
from gslb.operations.turns import Turns
from gslb.operations.zone_changes import name_rrsets_at_fault, read_rrsets, stored_rrsets
from gslb.steering.roster import Roster
from gslb.zones.names import read_name
from gslb.zones.serial import next_serial

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from gslb._dataplane import Zone
    from gslb.aliases.flattener import Flattener
    from gslb.health.checker import Checker
    from gslb.health.plan import PlanChange
    from gslb.model.change import Overlay, RRsetKey, StoredRRset
    from gslb.model.clock import Clock
    from gslb.model.report import FindingReport
    from gslb.model.site import LatencyRow, LocationKind
    from gslb.operations.latency_changes import RequestedLatency
    from gslb.operations.verdicts import Verdicts
    from gslb.operations.zone_changes import ReadRRset, RequestedRRset
    from gslb.prepare import PreparedSite
    from gslb.publish import Publisher
    from gslb.steering.roster import Succession
    from gslb.store.store import Store

log = structlog.get_logger(__name__)


class Content:
    """What is served but for verdicts: changes of it wait for each other. Belongs to the event loop's thread.

    Every method raises NotFoundError, InvalidChangeError or StateError as it applies; then nothing changed.
    """

    def __init__(
        self,
        publisher: Publisher,
        store: Store,
        *,
        checker: Checker,
        flattener: Flattener,
        verdicts: Verdicts,
        clock: Clock,
    ) -> None:
        self._publisher = publisher
        self._store = store
        self._checker = checker
        self._flattener = flattener
        self._verdicts = verdicts
        self._clock = clock
        self._turns = Turns()
        self._latency: dict[tuple[LocationKind, str, str], LatencyRow] = {}
        self._api_rrsets: dict[str, set[tuple[str, int]]] = {}
        self._external = ExternalTargets({})
        self._left_out: frozenset[RRsetKey] = frozenset()
        self.last_reload: LastReload | None = None
        self.last_success: datetime | None = None
        self.reloads = Counter[bool]()
        """How often the site was loaded, by success."""

    async def start(self) -> ReloadResult:
        """Load the site for the first time and publish it.

        A change of the API that no longer fits its zone file is left out: a server that starts serves. Raises
        StateError and SiteError: nothing is served then.
        """
        return await self._turns.run(lambda: self._noting(self._load_first))

    async def finish(self) -> None:
        """Let running changes finish."""
        await self._turns.finish()

    def zone(self, origin: str) -> tuple[str, Zone]:
        """A zone that is served and its origin, which is given with or without its final dot."""
        zones = self._publisher.zones()
        try:
            key = read_name(origin)
        except ValueError as error:
            raise NotFoundError(str(error)) from error
        zone = zones.get(key)
        if zone is None:
            raise NotFoundError(unknown_name("zone", key, zones))
        return key, zone

    def api_changes(self, origin: str) -> int:
        """How many RRsets of a zone the API has set."""
        return len(self._api_rrsets.get(origin, ()))

    def latency(self) -> Mapping[tuple[LocationKind, str, str], LatencyRow]:
        """The rows of the latency table that the API has set, by location and POP."""
        return self._latency

    async def change_rrsets(
        self, origin: str, requested: Sequence[RequestedRRset], author: str
    ) -> ZoneChangeResult:
        """Replace or remove RRsets of one zone or give them back to its file; the SOA serial rises.

        All or nothing. To give back is to load the site anew, and raises SiteError as that does. What is
        removed and is not there, or is given back and was never set, changes nothing; nor does the request
        if it asks for nothing else.
        """
        key, _ = self.zone(origin)
        # Thousands of records take a while to read: not on the event loop.
        read = await asyncio.to_thread(read_rrsets, key, requested)

        async def work() -> ZoneChangeResult:
            _, zone = self.zone(key)
            changes = [one for one in read if not self._is_as_it_is(key, zone, one)]
            unchanged = len(read) - len(changes)
            if not changes:
                return ZoneChangeResult(
                    zone=key,
                    serial=zone.serial,
                    changed=0,
                    unchanged=unchanged,
                    generation=self._publisher.generation,
                )
            if any(one.records is None for one in changes):
                return await self._change_and_give_back(key, changes, unchanged, author)
            rrsets = [one.change for one in changes]
            try:
                prepared = await self._publisher.prepare_zone_change(key, rrsets)
            except InvalidChangeError as error:
                raise name_rrsets_at_fault(error, changes) from error
            changed = {**self._publisher.zones(), key: prepared.zone}
            steering = self._publisher.steering
            external = await asyncio.to_thread(self._external.after, key, rrsets, changed, steering)
            now = self._clock.now()
            rows = stored_rrsets(key, changes, author, now)
            await self._store.put_rrsets(key, prepared.serial, rows, author, now)
            generation = self._publisher.commit_zone_change(prepared)
            self._resolve(external)
            self._api_rrsets.setdefault(key, set()).update((row.name, row.rtype) for row in rows)
            self._left_out -= {(key, row.name, row.rtype) for row in rows}
            log.info("zone changed", zone=key, serial=prepared.serial, rrsets=len(rows), author=author)
            return ZoneChangeResult(
                zone=key,
                serial=prepared.serial,
                changed=len(rows),
                unchanged=unchanged,
                generation=generation,
            )

        return await self._turns.run(work)

    async def set_latency(self, requested: Sequence[RequestedLatency], author: str) -> LatencyResult:
        """Set rows of the latency table, or give them back to the site's files."""

        async def work() -> LatencyResult:
            steering = self._publisher.steering
            # Thousands of rows take a while to read and compare: not on the event loop.
            rows, removed = await asyncio.to_thread(
                read_latency, requested, [pop.name for pop in steering.pops]
            )
            removed = [key for key in removed if key in self._latency]
            rows = await asyncio.to_thread(
                without_small_changes, rows, steering.latency, steering.latency_hysteresis
            )
            unchanged = len(requested) - len(rows) - len(removed)
            if not rows and not removed:
                return LatencyResult(changed=0, unchanged=unchanged, generation=self._publisher.generation)
            forgotten = set(removed)
            after = {key: row for key, row in self._latency.items() if key not in forgotten}
            after.update({(row.kind, row.value, row.pop): row for row in rows})
            prepared = await self._publisher.prepare_latency(tuple(after.values()))
            await self._store.put_latency(rows, removed, author, self._clock.now())
            generation = self._publisher.commit_latency(prepared, *self._verdicts.to_publish())
            self._latency = after
            log.info("latency changed", rows=len(rows), removed=len(removed), author=author)
            changed = len(rows) + len(removed)
            return LatencyResult(changed=changed, unchanged=unchanged, generation=generation)

        return await self._turns.run(work)

    async def reload(self, cause: str = "request") -> ReloadResult:
        """Load the site directory anew, all or nothing. Raises SiteError: the old one goes on serving.

        A failure is in the log then, with its ``cause`` and its errors.
        """
        result = await self._turns.run(lambda: self._load_or_log(cause))
        if isinstance(result, GslbError):
            raise result
        return result

    async def reload_unless(self, is_loaded: Callable[[], bool], cause: str) -> None:
        """As ``reload``, but does nothing if ``is_loaded`` says so, in a thread, when its turn has come."""

        async def work() -> ReloadResult | GslbError | None:
            return None if await asyncio.to_thread(is_loaded) else await self._load_or_log(cause)

        result = await self._turns.run(work)
        if isinstance(result, GslbError):
            raise result

    async def _load_or_log(self, cause: str) -> ReloadResult | GslbError:
        try:
            return await self._noting(self._load)
        except GslbError as error:
            errors = shown(error.findings if isinstance(error, SiteError) else (error,))
            log.error("reload refused: the old site goes on serving", cause=cause, errors=errors)
            return error  # not raised: what ends with an exception is logged as a refused change

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
        loaded = await self._prepare(overlay, may_leave_out)
        generation = self._take_over(loaded, rows, latency)
        steering = loaded.prepared.steering
        # As they are, here and below: making what validates them would hold up a start.
        return ReloadResult.model_construct(
            generation=generation,
            zones=len(loaded.prepared.zones),
            records=loaded.records,
            pops=len(steering.pops),
            names=len(steering.names),
            seconds=round(self._clock.monotonic() - started, 6),
            findings=loaded.findings,
        )

    def _is_as_it_is(self, key: str, zone: Zone, one: ReadRRset) -> bool:
        """Whether ``one`` removes what is not there, or gives back what the API has not set."""
        name, rtype, _, rdata = one.change
        if one.records is None:
            return (name, rtype) not in self._api_rrsets.get(key, ())
        # What is left out is not in the zone, but stored.
        return not rdata and (key, name, rtype) not in self._left_out and zone.rrset(name, rtype) is None

    async def _prepare(self, overlay: Overlay, may_leave_out: Callable[[RRsetKey], bool]) -> _Loaded:
        """Load the site directory, and make all of what takes over that does not hang on the live state."""
        prepared = await self._publisher.prepare_site(overlay, may_leave_out)
        return await asyncio.to_thread(_look_through, prepared, self._verdicts.table.roster, self._checker)

    async def _change_and_give_back(
        self, key: str, read: Sequence[ReadRRset], unchanged: int, author: str
    ) -> ZoneChangeResult:
        """Load the site anew, without what is stored of the RRsets given back and with the other changes.

        ``unchanged`` others were asked for that change nothing.
        """
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
        loaded = await self._prepare(stored_overlay(rows, serials, latency), known.__contains__)
        serial = loaded.prepared.serial(key)
        if serial is None:
            raise ConflictError(f"the site no longer holds a file of the zone {key}: reload the site first")
        await self._store.put_rrsets(key, serial, changed, author, now, forgotten=given_back)
        generation = self._take_over(loaded, rows, latency)
        self._note_reload(success=True, message="")
        log.info(
            "zone changed",
            zone=key,
            serial=serial,
            rrsets=len(changed),
            given_back=len(given_back),
            author=author,
        )
        return ZoneChangeResult(
            zone=key, serial=serial, changed=len(read), unchanged=unchanged, generation=generation
        )

    def _take_over(self, loaded: _Loaded, rows: Sequence[StoredRRset], latency: Sequence[LatencyRow]) -> int:
        """Publish a loaded site; return the generation. Waits for nothing: no flip or drain comes between."""
        prepared = loaded.prepared
        steering = prepared.steering
        self._checker.reconfigure(loaded.watched)
        octets = self._verdicts.take_over(steering, loaded.succession, self._checker.observed())
        generation = self._publisher.commit_site(prepared, *octets)
        self._latency = {(row.kind, row.value, row.pop): row for row in latency}
        self._api_rrsets = {}
        for row in rows:
            self._api_rrsets.setdefault(row.zone, set()).add((row.name, row.rtype))
        self._left_out = prepared.left_out
        self._resolve(loaded.external)
        log.info("site loaded", generation=generation, zones=len(prepared.zones), records=loaded.records)
        return generation

    def _resolve(self, external: ExternalTargets) -> None:
        """Keep the addresses of these up to date from now on."""
        self._external = external
        self._flattener.reconfigure(external.aliases, self._publisher.steering.resolver)

    def _note_reload(self, *, success: bool, message: str) -> None:
        now = self._clock.now()
        self.reloads[success] += 1
        self.last_reload = LastReload.model_construct(at=now, success=success, message=message)
        if success:
            self.last_success = now


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A site that is prepared, and what takes a look at all of it: made off the event loop."""

    prepared: PreparedSite
    external: ExternalTargets
    succession: Succession
    watched: PlanChange
    records: int
    findings: list[FindingReport]


def _look_through(prepared: PreparedSite, before: Roster, checker: Checker) -> _Loaded:
    """``before`` and what the checker watches are those of the site that is served, until this one is."""
    zones, steering = prepared.zones, prepared.steering
    return _Loaded(
        prepared,
        ExternalTargets.of(zones, steering),
        Roster(steering).after(before),
        checker.plan(steering),
        sum(zone.record_count for zone in zones.values()),
        [finding_report(finding) for finding in prepared.findings],
    )
