"""The only caller of the native publish functions: compiles a site and publishes it, whole or in parts.

Every ``prepare_…`` may fail and has no effect; every ``commit_…`` cannot fail and takes effect before it
returns. Between the two the caller makes the change durable (``gslb/operations/``).
"""

from __future__ import annotations

import asyncio
import gc
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.rdatatype
import structlog

from gslb.affected_tests import AffectedTests
from gslb.compile import compile_site
from gslb.config.named_files import BeforeReading, NamedFiles
from gslb.config.rdata import present_type
from gslb.errors import InvalidChangeError, NotFoundError, SiteError, shown
from gslb.model.finding import Finding, Place, Severity
from gslb.model.site import SteeringConfig
from gslb.steering.compile import compile_steering
from gslb.steering.decider import Decider
from gslb.steering.demand import Cell
from gslb.steering.geo_checks import check_replaced
from gslb.steering.latency import with_latency
from gslb.zones.last_resort import LastResorts
from gslb.zones.overlay import lay_over
from gslb.zones.serial import is_newer, next_serial, with_serial
from gslb.zones.site import load_site
from gslb.zones.touched import Touched

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from gslb._dataplane import DataPlane, Steering, Zone
    from gslb.config.files import Seen
    from gslb.model.change import Overlay, RRsetChange, RRsetKey
    from gslb.model.policy_test import PolicyTest
    from gslb.model.site import LatencyRow
    from gslb.steering.moves import Moves
    from gslb.zones.overlay import Misfit
    from gslb.zones.site import LoadedSite

log = structlog.get_logger(__name__)

SOA = int(dns.rdatatype.SOA)

TREES_LOGGED = 5
"""Groups of names of which a reload says what new geo data moves."""

MISFITS_SHOWN = 100
"""Findings of one zone about changes of the API that do not fit it."""


@dataclass(frozen=True, slots=True)
class PreparedSite:
    """A site loaded and compiled, not yet published.

    ``moves`` is what moves to other POPs, where a geo database or override changed.
    """

    steering: SteeringConfig
    findings: tuple[Finding, ...]
    zones: dict[str, Zone] = field(repr=False)
    origins: tuple[str, ...] = field(repr=False)
    compiled: Steering = field(repr=False)
    site_steering: SteeringConfig = field(repr=False)
    tests: tuple[PolicyTest, ...] = field(default=(), repr=False)
    left_out: frozenset[RRsetKey] = frozenset()
    """The API's changes that do not fit their zone files and are not in ``zones``."""
    named: NamedFiles = field(default_factory=NamedFiles)
    moves: Moves | None = field(default=None, repr=False)

    def serial(self, origin: str) -> int | None:
        """The SOA serial of a zone; ``None`` when the site does not hold it."""
        zone = self.zones.get(origin)
        return None if zone is None else zone.serial


@dataclass(frozen=True, slots=True)
class PreparedZone:
    """A changed zone, not yet published. ``serial`` is its new SOA serial."""

    origin: str
    serial: int
    zone: Zone = field(repr=False)
    followed: frozenset[str] = field(default=frozenset(), repr=False)
    """Names asked for by policy tests that may lead elsewhere now."""


@dataclass(frozen=True, slots=True)
class PreparedLatency:
    """Steering recompiled with another latency table, not yet published."""

    steering: SteeringConfig
    compiled: Steering = field(repr=False)


class Publisher:
    """Holds what is published and makes the next generation. Used from the event loop only.

    ``look`` says what the site directory looks like; it blocks. ``nanoseconds`` is the time since 1970.
    """

    def __init__(
        self,
        site: Path,
        dataplane: DataPlane,
        look: Callable[[], Seen] = frozenset,
        *,
        nanoseconds: Callable[[], int] = time.time_ns,
    ) -> None:
        self._site = site
        self._look = look
        self._nanoseconds = nanoseconds
        self._dataplane = dataplane
        self._zones: dict[str, Zone] = {}
        self._origins: tuple[str, ...] = ()
        self._steering = self._site_steering = SteeringConfig.model_construct()
        self._compiled: Steering | None = None
        self._affected = AffectedTests()
        self._resorts = LastResorts(self._steering)
        self._named = NamedFiles()

    @property
    def named(self) -> NamedFiles:
        """The geo databases, tables and included files of the published site."""
        return self._named

    @property
    def generation(self) -> int:
        """Of the published snapshot; 0 before the first."""
        return self._dataplane.generation

    @property
    def steering(self) -> SteeringConfig:
        """The published steering, the API's latency rows included; empty before the first."""
        return self._steering

    def zones(self) -> Mapping[str, Zone]:
        """The published zones by origin, such as ``example.com.``."""
        return self._zones

    def origins(self) -> Sequence[str]:
        """The origins of the published zones, in alphabetical order."""
        return self._origins

    async def prepare_site(
        self, overlay: Overlay, may_leave_out: Callable[[RRsetKey], bool] = lambda _: False
    ) -> PreparedSite:
        """Load the site directory anew, lay ``overlay`` over it, compile; off the event loop.

        A change of the overlay that does not fit its zone file is an error, or where ``may_leave_out`` says
        so left out with a warning. Raises SiteError with every finding when the site has errors.

        So is a geo database of another kind than the one it replaces. Policy tests that fail are errors too.
        Only before the first site is published are they warnings: then there is nothing better to serve.
        """
        # Before anything is read: what changes meanwhile is a change.
        before = await asyncio.to_thread(self._look_around)
        with _nothing_collected():
            prepared = await asyncio.to_thread(prepare_site, self._site, overlay, may_leave_out)
            failed = await asyncio.to_thread(
                _failed_tests, prepared.tests, prepared.steering, prepared.zones.values(), prepared.compiled
            )
        if self._compiled is not None:
            replaced = check_replaced(self._steering, self._compiled, prepared.steering, prepared.compiled)
            if failed or replaced:
                raise SiteError([*prepared.findings, *replaced, *failed])
        served = [replace(finding, severity=Severity.WARNING) for finding in failed]
        moves = await asyncio.to_thread(_moves, self._compiled, prepared)
        named = await asyncio.to_thread(before.named, prepared.named.files)
        return replace(prepared, findings=(*prepared.findings, *served), named=named, moves=moves)

    def _look_around(self) -> BeforeReading:
        return BeforeReading.of(self._named, self._look(), self._nanoseconds())

    def commit_site(self, prepared: PreparedSite, verdicts: bytes, loads: bytes = b"") -> int:
        """Publish it; return the generation.

        ``verdicts`` has one octet per endpoint of its steering, ``loads`` two per POP or none at all.
        """
        zones = list(prepared.zones.values())
        generation = self._dataplane.publish(zones, prepared.compiled, verdicts, loads)
        before: list[Mapping[str, Zone] | SteeringConfig] = [self._zones, self._steering]
        self._zones = prepared.zones
        self._origins = prepared.origins
        self._steering = prepared.steering
        self._site_steering = prepared.site_steering
        self._compiled = prepared.compiled
        self._affected = AffectedTests(prepared.tests, prepared.steering)
        self._resorts = LastResorts(prepared.steering)
        self._named = prepared.named
        if prepared.moves is not None:
            _log_moves(prepared.moves)
        # Records as they were read, and the generation before: nobody else holds them now.
        asyncio.get_running_loop().run_in_executor(None, self._let_go, before)
        return generation

    def _let_go(self, before: list[Mapping[str, Zone] | SteeringConfig]) -> None:
        """Free what was served, of which ``before`` is emptied, and give its memory back. In any thread.

        One by one: to free so many objects in one go holds up the event loop, whatever thread does it.
        """
        parts: list[object] = []
        while before:
            whole = before.pop()
            if isinstance(whole, SteeringConfig):
                parts += [endpoint for pool in whole.pools for endpoint in pool.endpoints]
                parts += [row for _, rows in whole if isinstance(rows, tuple) for row in rows]
            else:
                parts += whole.values()
        del whole
        while parts:
            parts.pop()
        self._dataplane.give_memory_back()

    async def prepare_zone_change(self, origin: str, changes: list[RRsetChange]) -> PreparedZone:
        """Apply the changes and raise the SOA serial (RFC 1982) unless they set a newer one.

        Off the event loop: a changed delegation is compared with every name of the zone.
        Raises NotFoundError for an unknown zone and InvalidChangeError for what would break it, or the site:
        where that shows, its ``problems`` point to numbers of ``changes``.
        """
        zone = self._zones.get(origin)
        if zone is None:
            raise NotFoundError(f"no zone {origin} is served here")
        try:
            changed = await asyncio.to_thread(_changed_zone, zone, changes)
        except ValueError as error:
            raise InvalidChangeError(str(error)) from error
        lost = await asyncio.to_thread(self._resorts.lost, changed, changes, self._zones)
        if lost:
            raise _without_last_resort(lost, changes)
        if self._compiled is None:
            return PreparedZone(origin, changed.serial, changed)
        tests, followed = await asyncio.to_thread(
            self._affected.by_records, Touched(origin, changes), self._zones
        )
        zones = {**self._zones, origin: changed}.values()
        await self._check_tests(tests, self._steering, zones, self._compiled)
        return PreparedZone(origin, changed.serial, changed, followed)

    def commit_zone_change(self, prepared: PreparedZone) -> int:
        """Publish the zone; return the generation."""
        generation = self._dataplane.publish_zone(prepared.zone)
        self._zones = {**self._zones, prepared.origin: prepared.zone}
        self._affected.forget(prepared.followed)
        return generation

    async def prepare_latency(self, rows: Sequence[LatencyRow]) -> PreparedLatency:
        """Recompile steering off the event loop; ``rows`` are all the API's rows.

        Raises SteeringError, and InvalidChangeError when a policy test fails then.
        """
        steering = with_latency(self._site_steering, rows)
        compiled = await asyncio.to_thread(compile_steering, steering)
        tests = await asyncio.to_thread(self._affected.by_latency, self._zones)
        await self._check_tests(tests, steering, self._zones.values(), compiled)
        return PreparedLatency(steering, compiled)

    async def _check_tests(
        self,
        tests: Sequence[PolicyTest],
        steering: SteeringConfig,
        zones: Iterable[Zone],
        compiled: Steering,
    ) -> None:
        """Raises InvalidChangeError when one of ``tests`` fails on this that passes on what is published."""
        failed = await asyncio.to_thread(_failed_tests, tests, steering, zones, compiled)
        if not failed or self._compiled is None:
            return
        before = await asyncio.to_thread(
            _failed_tests, tests, self._steering, self._zones.values(), self._compiled
        )
        known = {finding.place for finding in before}
        broken = [finding for finding in failed if finding.place not in known]
        if broken:
            message = "the site's own policy tests refuse this: " + "; ".join(shown(broken))
            raise InvalidChangeError(message, findings=broken)

    def commit_latency(self, prepared: PreparedLatency, verdicts: bytes, loads: bytes = b"") -> int:
        """Publish the steering; return the generation."""
        self._dataplane.publish_steering(prepared.compiled)
        self._steering = prepared.steering
        self._compiled = prepared.compiled
        return self._dataplane.publish_verdicts(verdicts, loads)

    def publish_verdicts(self, verdicts: bytes, loads: bytes = b"") -> int:
        """Publish one octet per endpoint of ``steering``, and two per POP or none; return the generation."""
        return self._dataplane.publish_verdicts(verdicts, loads)

    def publish_flattened(self, rows: list[tuple[str, int, int, list[bytes], bool]]) -> int:
        """Publish all that is known of ALIAS targets that no zone here holds; return the generation.

        Each is (target, A or AAAA, TTL in seconds, RDATA, whether it is stale).
        """
        return self._dataplane.publish_flattened(rows)

    def explain(
        self,
        name: str,
        rtype: int,
        client: str,
        subnet: str | None,
        supposed: tuple[bytes, bytes] | None = None,
    ) -> dict[str, Any]:
        """Each step of the answer and the answer itself, by the code that answers: an ``ExplainReport``.

        The data plane's own JSON, with the response decoded; ``endpoints`` are for the caller to add.
        ``supposed`` are verdicts and loads to explain by instead of those published.

        Raises InvalidChangeError when a part of the question is malformed.
        """
        from gslb.zones.message import read_response  # noqa: PLC0415 - no start needs it

        try:
            text = self._dataplane.explain(name, rtype, client, subnet, *(supposed or ()))
        except ValueError as error:
            raise InvalidChangeError(str(error)) from error
        explained: dict[str, Any] = json.loads(text)
        return {**explained, "answer": read_response(bytes.fromhex(explained["wire"]))}

    def demand(self) -> list[tuple[Cell, int]]:
        """Queries since the last call, by cell. Blocks for milliseconds; may be called from any thread."""
        rows = self._dataplane.demand()
        return [(Cell(name, rtype, country, client), count) for name, rtype, country, client, count in rows]

    def decider(self) -> Decider:
        """Says which shares of the answers go where, on the steering that is published now."""
        return Decider(self._steering, self._compiled)

    def counters(self) -> dict[str, int]:
        """The data plane's monotonic counters."""
        return self._dataplane.counters()


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Garbage collection is off meanwhile, and does not look at what was made, now or later.

    A load makes hundreds of thousands of objects and no cycles of them. A collection that looks at all of
    them holds up the event loop, whatever thread it is in.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.freeze()
            gc.enable()


def prepare_site(
    directory: Path, overlay: Overlay, may_leave_out: Callable[[RRsetKey], bool]
) -> PreparedSite:
    """Load and compile the site at ``directory`` with ``overlay`` over it. Blocks; raises SiteError."""
    site, findings = load_site(directory)
    if site is None:
        raise SiteError(findings)
    steering = with_latency(site.steering, overlay.latency)
    try:
        compiled = compile_site(replace(site, steering=steering))
    except SiteError as error:
        raise SiteError([*findings, *error.findings]) from error
    zones: dict[str, Zone] = {}
    remarks: list[Finding] = []
    left_out: set[RRsetKey] = set()
    resorts = LastResorts(steering)
    for text, made in zip(site.zone_texts, compiled.zones, strict=True):
        origin, zone = text.origin, made
        if changes := overlay.rrsets.get(origin):
            zone, misfits, lost = lay_over(made, changes, resorts, site.steered, may_leave_out)
            remarks += lost
            left_out.update((origin, name, rtype) for (name, rtype, _, _), _ in misfits)
            remarks += _misfit_findings(origin, misfits, Place(text.files[0]), may_leave_out)
        last = overlay.serials.get(origin)
        zones[origin] = zone if last is None else _with_serial_above(zone, last, equal=True)
    errors = [remark for remark in remarks if remark.severity is Severity.ERROR]
    if errors:
        raise SiteError([*findings, *errors])
    return PreparedSite(
        steering=steering,
        findings=(*findings, *compiled.findings, *remarks),
        zones=zones,
        origins=tuple(sorted(zones)),
        compiled=compiled.steering,
        site_steering=site.steering,
        tests=site.tests,
        left_out=frozenset(left_out),
        named=NamedFiles(_named_files(site, directory)),
    )


def _named_files(site: LoadedSite, directory: Path) -> frozenset[Path]:
    """Databases and tables wherever they are, included files that are not in the directory."""
    base = directory.resolve()
    included = {Path(file).absolute() for text in site.zone_texts for file in text.files[1:]}
    outside = {path for path in included if not path.resolve().is_relative_to(base)}
    return frozenset(map(Path, (*site.steering.databases, *site.steering.table_files))) | outside


def _moves(before: Steering | None, prepared: PreparedSite) -> Moves | None:
    """What moves, if geo data changed."""
    if before is None or prepared.compiled.has_map_of(before):
        return None
    from gslb.steering.moves import moves_between  # noqa: PLC0415 - no start needs it

    return moves_between(before, prepared.compiled, prepared.steering, 0)


def _log_moves(moves: Moves) -> None:
    """A line for each of the first trees, and one that counts."""
    names = {name for tree in moves.trees for name in tree.names}
    log.info("geo data changed", names_with_moves=len(names), not_compared=moves.omitted)
    for tree in moves.trees[:TREES_LOGGED]:
        log.info(
            "networks are answered with other POPs",
            names=list(tree.names)[:3],
            name_count=len(tree.names),
            networks=tree.moved.networks,
            ipv4_addresses=tree.moved.ipv4,
            ipv6_48s=round(tree.moved.ipv6, 3),
            largest=[
                f"{'+'.join(move.source) or 'zone'} to {'+'.join(move.target) or 'zone'}: "
                f"{move.amount.networks} networks of {move.country or 'no country'}"
                for move in tree.moves[:3]
            ],
        )


def _failed_tests(
    tests: Sequence[PolicyTest], steering: SteeringConfig, zones: Iterable[Zone], compiled: Steering
) -> list[Finding]:
    if not tests:
        return []
    from gslb.policy_tests import failures, run_policy_tests  # noqa: PLC0415 - a start without tests is quicker

    return failures(run_policy_tests(tests, steering, zones, compiled))


def _misfit_findings(
    origin: str, misfits: Sequence[Misfit], place: Place, may_leave_out: Callable[[RRsetKey], bool]
) -> list[Finding]:
    """A finding for each, errors first; at most MISFITS_SHOWN, and one that counts the others."""
    findings = []
    for (name, rtype, _, _), problem in misfits:
        key = (origin, name, rtype)
        findings.append(_misfit(key, problem, place, may_leave_out(key)))
    findings.sort(key=lambda finding: finding.severity is not Severity.ERROR)
    others = findings[MISFITS_SHOWN:]
    if others:
        message = f"{len(others)} more RRsets that the API set no longer fit this zone"
        findings[MISFITS_SHOWN:] = [Finding("zone-api-change", others[0].severity, place, message)]
    return findings


def _misfit(key: RRsetKey, problem: str, place: Place, is_left_out: bool) -> Finding:
    origin, name, rtype = key
    what = f"{present_type(rtype)} RRset of {name}"
    help_ = (
        "mend the file, or set the RRset anew or give it back to the file through the API "
        f'(PATCH /v1/zones/{origin}/rrsets, "records": null)'
    )
    if is_left_out:
        message = f"the {what} that the API set no longer fits this zone and is inactive: {problem}; {help_}"
        return Finding("zone-api-change", Severity.WARNING, place, message)
    message = f"the {what} that the API set no longer fits this zone: {problem}; {help_}"
    return Finding("zone-api-change", Severity.ERROR, place, message)


def _changed_zone(zone: Zone, changes: list[RRsetChange]) -> Zone:
    return _with_serial_above(zone.with_rrsets(changes), zone.serial)


def _without_last_resort(
    lost: Mapping[str, tuple[Finding, Collection[int]]], changes: Sequence[RRsetChange]
) -> InvalidChangeError:
    """The error of names that removals would leave without records to fall back to."""
    problems = [
        (str(index), lost[owner][0].message)
        for index, (owner, rtype, _, rdata) in enumerate(changes)
        if not rdata and owner in lost and rtype in lost[owner][1]
    ]
    findings = [finding for finding, _ in lost.values()]
    return InvalidChangeError(problems[0][1], problems=problems, findings=findings)


def _with_serial_above(zone: Zone, last: int, *, equal: bool = False) -> Zone:
    """The zone with a serial newer than ``last``, or with ``equal`` the serial ``last`` itself."""
    if is_newer(zone.serial, last) or (equal and zone.serial == last):
        return zone
    soa = zone.rrset(zone.origin, SOA)
    if soa is None:
        raise ValueError(f"the zone {zone.origin} has no SOA record")
    ttl, (rdata, *_) = soa
    serial = last if equal else next_serial(last)
    return zone.with_rrsets([(zone.origin, SOA, ttl, [with_serial(rdata, serial)])])
