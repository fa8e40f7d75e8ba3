"""Stand-ins that tests of the control plane share: time, probes, a data plane, a site."""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dns.name

from gslb.aliases.resolution import Resolution, ResolutionError
from gslb.config.rdata import present_type
from gslb.errors import InvalidChangeError
from gslb.health.probes import ProbeResult, ProbeTarget
from gslb.model.alias import ALIAS
from gslb.model.site import (
    Endpoint,
    LatencyRow,
    LocationKind,
    Monitor,
    Policy,
    Pool,
    Pop,
    SteeredName,
    SteeringConfig,
    WeightedStep,
    WhenAllDown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gslb.errors import GslbError
    from gslb.model.change import Overlay, RRsetChange, RRsetKey
    from gslb.model.finding import Finding
    from gslb.model.site import ResolverSettings
    from gslb.steering.demand import Cell

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
A, NS, SOA, CNAME, TXT = 1, 2, 6, 5, 16


class FakeClock:
    """Time that moves only when told; sleepers wake in order."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self.elapsed + seconds, self._count, future))
        await future

    async def advance(self, seconds: float) -> None:
        """Let time pass, and everyone who wakes do their work."""
        end = self.elapsed + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end + 1e-9:
            at, _, future = heapq.heappop(self._sleepers)
            self.elapsed = max(self.elapsed, at)
            if not future.done():
                future.set_result(None)
            await settle()
        self.elapsed = end


async def settle() -> None:
    """Let every task run until it waits for something."""
    for _ in range(10):
        await asyncio.sleep(0)


class FakeProber:
    """Probes that succeed but for the targets in ``failing``; ``probed`` has every (time, target)."""

    def __init__(self, clock: FakeClock, *, takes: float = 0.0) -> None:
        self.clock = clock
        self.takes = takes
        self.failing: set[str] = set()
        self.without_result = False
        self.reasons: dict[str, str] = {}
        """Why probes of a monitor have no result, by its name."""
        self.probed: list[tuple[float, str]] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.closed = False

    async def probe(self, monitor: Monitor, target: ProbeTarget) -> ProbeResult:
        self.probed.append((self.clock.elapsed, str(target)))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.takes:
                await self.clock.sleep(self.takes)
        finally:
            self.in_flight -= 1
        if monitor.name in self.reasons:
            return ProbeResult(None, self.reasons[monitor.name], self.takes)
        if self.without_result:
            return ProbeResult(None, "too many open files", self.takes)
        if str(target) in self.failing:
            return ProbeResult(False, "connection refused", self.takes)
        return ProbeResult(True, "status 200", self.takes)

    async def close(self) -> None:
        self.closed = True


class FakeResolver:
    """Answers from ``answers`` by (name, type), text being why there is none; ``asked`` has every question.

    What is in no list has no addresses, for a minute.
    """

    def __init__(self, settings: ResolverSettings | None = None) -> None:
        self.settings = settings
        self.answers: dict[tuple[str, int], Resolution | str] = {}
        self.asked: list[tuple[str, int]] = []
        self.gate: asyncio.Event | None = None

    async def resolve(self, name: str, rtype: int) -> Resolution:
        self.asked.append((name, rtype))
        if self.gate is not None:
            await self.gate.wait()
        answer = self.answers.get((name, rtype), Resolution(60, ()))
        if isinstance(answer, str):
            raise ResolutionError(answer)
        return answer


@dataclass(frozen=True)
class FakeZone:
    """A zone as the data plane shows it."""

    origin: str
    serial: int = 1
    table: Mapping[tuple[str, int], tuple[int, list[bytes]]] = field(default_factory=dict)

    @property
    def record_count(self) -> int:
        return sum(len(rdata) for _, rdata in self.table.values())

    @property
    def name_count(self) -> int:
        return len({name for name, _ in self.table})

    def rrset(self, name: str, rtype: int) -> tuple[int, list[bytes]] | None:
        return self.table.get((name, rtype))

    def aliases(self) -> list[tuple[str, str, int]]:
        return [
            (name, dns.name.from_wire(rdata[0], 0)[0].to_text(), ttl)
            for (name, rtype), (ttl, rdata) in self.table.items()
            if rtype == ALIAS
        ]

    def rrsets(
        self, offset: int, limit: int, rtype: int | None = None
    ) -> tuple[list[tuple[str, int, int, list[bytes]]], int | None]:
        rows = list(enumerate((*key, *value) for key, value in sorted(self.table.items())))
        found = [(at, row) for at, row in rows[offset:] if rtype in {None, row[1]}]
        following = found[limit][0] if len(found) > limit else None
        return [row for _, row in found[:limit]], following

    def changed(self, changes: Sequence[RRsetChange]) -> FakeZone:
        table = dict(self.table)
        for name, rtype, ttl, rdata in changes:
            table.pop((name, rtype), None)
            if rdata:
                table[name, rtype] = (ttl, rdata)
        for name, rtype in table:
            if rtype == CNAME and any(other != CNAME and owner == name for owner, other in table):
                raise ValueError(f"{name} has a CNAME beside other data")
        return replace(self, table=table, serial=self.serial + 1)


@dataclass(frozen=True)
class FakePreparedSite:
    steering: SteeringConfig
    findings: Sequence[Finding] = ()
    zones: Mapping[str, FakeZone] = field(default_factory=dict)
    left_out: frozenset[RRsetKey] = frozenset()

    def serial(self, origin: str) -> int | None:
        return self.zones[origin].serial if origin in self.zones else None


@dataclass(frozen=True)
class FakePreparedZone:
    zone: FakeZone

    @property
    def origin(self) -> str:
        return self.zone.origin

    @property
    def serial(self) -> int:
        return self.zone.serial


@dataclass(frozen=True)
class FakePreparedLatency:
    steering: SteeringConfig


class FakeDecider:
    """Divides every answer evenly among the endpoints of the first pool that serve."""

    def __init__(self, steering: SteeringConfig) -> None:
        self._pops = [endpoint.pop for endpoint in steering.pools[0].endpoints]
        self._names = {name.name for name in steering.names}

    def knows(self, cell: Cell) -> bool:
        return cell.name in self._names

    def shares(self, cells: Sequence[Cell], verdicts: bytes, loads: bytes) -> list[dict[str, float]]:
        serving = [pop for pop, octet in zip(self._pops, verdicts, strict=False) if not octet & 3]
        return [dict.fromkeys(serving, 1 / max(1, len(serving))) for _ in cells]


class FakePublisher:
    """Publishes into lists. ``site`` is what the next load finds; ``fails`` is raised by it instead.

    ``verdicts`` and ``published`` are without last-good marks, which ``octets`` has too.
    """

    def __init__(self, site: SteeringConfig | None = None, zones: Sequence[FakeZone] = ()) -> None:
        self.site = site or example_site()
        self.site_zones = {zone.origin: zone for zone in zones or (example_zone(),)}
        self.fails: GslbError | None = None
        self.findings: Sequence[Finding] = ()
        self.generation = 0
        self.steering = SteeringConfig()
        self.live: dict[str, FakeZone] = {}
        self.verdicts = b""
        self.octets = b""
        self.loads = b""
        self.published: list[tuple[str, bytes]] = []
        self.flattened: list[tuple[str, int, int, list[bytes], bool]] = []
        self.overlays: list[Overlay] = []
        self.gate: asyncio.Event | None = None
        self.counted: list[tuple[Cell, int]] = []
        self.supposed: tuple[bytes, bytes] | None = None
        self.data = {"queries_udp": 7, "queries_tcp": 2, "responses_noerror": 8, "odd-one": 1}

    def zones(self) -> Mapping[str, FakeZone]:
        return self.live

    def origins(self) -> Sequence[str]:
        return sorted(self.live)

    async def prepare_site(
        self, overlay: Overlay, may_leave_out: Callable[[RRsetKey], bool] = lambda _: False
    ) -> FakePreparedSite:
        self.overlays.append(overlay)
        if self.gate is not None:
            await self.gate.wait()
        if self.fails is not None:
            raise self.fails
        zones = dict(self.site_zones)
        for origin, changes in overlay.rrsets.items():
            if origin in zones:
                changed = zones[origin].changed(changes)
                zones[origin] = replace(changed, serial=max(zones[origin].serial, overlay.serials[origin]))
        return FakePreparedSite(with_latency(self.site, overlay.latency), self.findings, zones)

    def commit_site(self, prepared: FakePreparedSite, verdicts: bytes, loads: bytes = b"") -> int:
        assert len(verdicts) == sum(len(pool.endpoints) for pool in prepared.steering.pools)
        self.steering, self.live = prepared.steering, dict(prepared.zones)
        return self._publish("site", verdicts, loads)

    async def prepare_zone_change(self, origin: str, changes: list[RRsetChange]) -> FakePreparedZone:
        try:
            return FakePreparedZone(self.live[origin].changed(changes))
        except ValueError as error:
            raise InvalidChangeError(str(error)) from error

    def commit_zone_change(self, prepared: FakePreparedZone) -> int:
        self.live[prepared.origin] = prepared.zone
        return self._publish("zone", self.octets, self.loads)

    async def prepare_latency(self, rows: Sequence[LatencyRow]) -> FakePreparedLatency:
        return FakePreparedLatency(with_latency(self.site, rows))

    def commit_latency(self, prepared: FakePreparedLatency, verdicts: bytes, loads: bytes = b"") -> int:
        self.steering = prepared.steering
        return self._publish("latency", verdicts, loads)

    def publish_verdicts(self, verdicts: bytes, loads: bytes = b"") -> int:
        return self._publish("verdicts", verdicts, loads)

    def publish_flattened(self, rows: list[tuple[str, int, int, list[bytes], bool]]) -> int:
        self.flattened = rows
        return self._publish("flattened", self.octets, self.loads)

    def demand(self) -> list[tuple[Cell, int]]:
        counted, self.counted = self.counted, []
        return counted

    def decider(self) -> FakeDecider:
        return FakeDecider(self.steering)

    def explain(
        self,
        name: str,
        rtype: int,
        client: str,
        subnet: str | None,
        supposed: tuple[bytes, bytes] | None = None,
    ) -> dict[str, object]:
        self.supposed = supposed
        fra = {"endpoint": 0, "pop": "fra", "address": "192.0.2.1"}
        sin = {"endpoint": 2, "pop": "sin", "address": "192.0.2.3", "why": "down"}
        verdict = {"step": "verdict", "candidates": 2, "groups": [[fra]], "removed": [sin]}
        return {
            "name": name,
            "type": present_type(rtype),
            "client": client,
            "subnet": subnet,
            "generation": self.generation,
            "steps": [
                {"step": "zone", "origin": "example.com.", "serial": 10},
                {"step": "steer", "steps": [verdict]},
            ],
            "wire": "",
            "answer": None,
        }

    def counters(self) -> dict[str, int]:
        return dict(self.data)

    def _publish(self, what: str, octets: bytes, loads: bytes) -> int:
        self.octets, self.loads = octets, loads
        self.verdicts = bytes(octet & 3 for octet in octets)
        self.published.append((what, self.verdicts))
        self.generation += 1
        return self.generation


def with_latency(site: SteeringConfig, rows: Sequence[LatencyRow]) -> SteeringConfig:
    table = {(row.kind, row.value, row.pop): row for row in [*site.latency, *rows]}
    return site.model_copy(update={"latency": tuple(table.values())})


def example_site() -> SteeringConfig:
    """Pool ``web`` in fra, ams and sin, monitored; pool ``mail`` in fra alone, not monitored."""
    return SteeringConfig(
        pops=(Pop(name="fra", title="Frankfurt"), Pop(name="ams"), Pop(name="sin"), Pop(name="idle")),
        monitors=(Monitor(name="http", type="http", port=80, interval=10, timeout=2, jitter=0),),
        pools=(
            Pool(
                name="web",
                monitors=("http",),
                endpoints=(
                    Endpoint(pop="fra", address="192.0.2.1"),
                    Endpoint(pop="ams", address="192.0.2.2"),
                    Endpoint(pop="sin", address="192.0.2.3"),
                ),
            ),
            Pool(
                name="mail",
                endpoints=(Endpoint(pop="fra", address="192.0.2.1"),),
                when_all_down=WhenAllDown.FALLBACK,
            ),
        ),
        policies=(Policy(name="even", steps=(WeightedStep(),)),),
        names=(SteeredName(name="www.example.com.", pool="web", policy="even"),),
        latency=(LatencyRow(kind=LocationKind.COUNTRY, value="DE", pop="fra", milliseconds=9),),
    )


def example_zone() -> FakeZone:
    return FakeZone(
        "example.com.",
        serial=10,
        table={
            ("example.com.", SOA): (3600, [b"\0\0" + bytes(20)]),
            ("example.com.", NS): (3600, [b"\3ns1\7example\3com\0"]),
            ("ns1.example.com.", A): (300, [bytes([192, 0, 2, 53])]),
            ("txt.example.com.", TXT): (300, [b"\5hello"]),
        },
    )
