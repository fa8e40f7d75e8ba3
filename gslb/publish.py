"""The only caller of the native publish functions: publishes a site, whole or in parts.

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

import structlog

from gslb.affected_tests import AffectedTests
from gslb.config.named_files import BeforeReading, NamedFiles
from gslb.errors import InvalidChangeError, NotFoundError, SiteError, shown
from gslb.model.finding import Finding, Severity
from gslb.model.site import SteeringConfig
from gslb.prepare import PreparedSite, prepare_site
from gslb.steering.compile import compile_steering
from gslb.steering.decider import Decider
from gslb.steering.demand import Cell
from gslb.steering.geo_checks import check_replaced
from gslb.steering.latency import with_latency
from gslb.zones.last_resort import LastResorts
from gslb.zones.serial import with_serial_above
from gslb.zones.touched import Touched

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from gslb._dataplane import DataPlane, Steering, Zone
    from gslb.config.files import Seen
    from gslb.model.change import Overlay, RRsetChange, RRsetKey
    from gslb.model.policy_test import PolicyTest
    from gslb.model.site import LatencyRow
    from gslb.steering.moves import Moves

log = structlog.get_logger(__name__)

TREES_LOGGED = 5
"""Groups of names of which a reload says what new geo data moves."""


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


def _changed_zone(zone: Zone, changes: list[RRsetChange]) -> Zone:
    return with_serial_above(zone.with_rrsets(changes), zone.serial)


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
