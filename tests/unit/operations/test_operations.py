from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from random import Random

import pytest
from structlog.testing import capture_logs

from gslb.aliases.flattener import Flattener
from gslb.errors import InvalidChangeError, NotFoundError, SiteError, StateError
from gslb.health.checker import Checker
from gslb.model.finding import Finding, Place, Severity
from gslb.model.health import Drain, Observed
from gslb.model.site import Nameserver, ResolverSettings, SteeringConfig
from gslb.operations import content, operations
from gslb.operations.latency_changes import RequestedLatency
from gslb.operations.operations import Operations
from gslb.operations.zone_changes import RequestedRRset
from gslb.store.store import Store
from tests.unit.fakes import START, FakeClock, FakeProber, FakePublisher, FakeResolver, example_site, settle

HOUR = timedelta(hours=1)
WWW = RequestedRRset("www", "A", 60, ("192.0.2.80",))
BROKEN = SiteError([Finding("zone-syntax", Severity.ERROR, Place("a.zone", 3), "bad TTL")])


class World:
    """Operations with everything around it; ``restart`` keeps only what is on disk."""

    def __init__(self, directory):
        self.directory = directory
        self.clock = FakeClock()
        self.operations = None

    async def start(self):
        self.prober = FakeProber(self.clock)
        self.publisher = FakePublisher()
        self.store = await Store.open(self.directory)
        self.checker = Checker(self.prober, self.clock, randomness=Random(1))
        self.flattener = Flattener(self.publisher.publish_flattened, self.clock, make_resolver=FakeResolver)
        self.operations = Operations(
            self.publisher, self.store, self.checker, self.flattener, self.clock, version="1.2.3"
        )
        return await self.operations.start()

    async def stop(self):
        await self.operations.stop()
        await self.flattener.stop()
        await self.checker.stop()
        await self.store.close()

    async def restart(self):
        await self.stop()
        return await self.start()


@pytest.fixture
async def world(tmp_path):
    world = World(tmp_path)
    await world.start()
    yield world
    await world.stop()


def disk_full(*args, **kwargs):
    raise StateError("state.db: database or disk is full")


async def test_start_publishes_the_site(world):
    assert world.publisher.published == [("site", bytes(4))]
    status = world.operations.status()
    assert (status.generation, status.zones, status.records, status.names, status.pops) == (1, 1, 4, 1, 4)
    assert status.queries == 9
    assert status.last_reload.success


async def test_a_drain_is_durable_then_published_then_acknowledged(world):
    result = await world.operations.drain("fra", "fibre cut", "ana", None)
    assert result.changed
    assert result.generation == world.publisher.generation == 2
    assert world.publisher.published[-1] == ("verdicts", bytes([2, 0, 0, 2]))
    assert await world.store.drains() == [Drain("fra", "fibre cut", "ana", START)]


async def test_a_drain_holds_over_a_restart(world):
    await world.operations.drain("fra", "fibre cut", "ana", None)
    await world.restart()
    assert world.publisher.published == [("site", bytes([2, 0, 0, 2]))]
    assert world.operations.pop("fra").pop.drain.reason == "fibre cut"


async def test_a_drain_warns_of_pools_left_without_a_serving_endpoint(world):
    result = await world.operations.drain("fra", "fibre cut", "ana", None)
    assert len(result.warnings) == 1
    assert result.warnings[0].startswith("pool mail has no serving endpoint left: when_all_down is fallback")
    await world.operations.drain("ams", "x", "ana", None)
    result = await world.operations.drain("sin", "x", "ana", None)
    assert [warning.split()[1] for warning in result.warnings] == ["web"]


@pytest.mark.parametrize("broken", ["drain_warnings", "overload_warnings"])
async def test_a_drain_in_force_does_not_fail_over_its_warnings(world, monkeypatch, broken):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(operations, broken, fail)
    with capture_logs() as logs:
        result = await world.operations.drain("fra", "fibre cut", "ana", None)
    assert result.changed
    assert result.generation == world.publisher.generation == 2
    assert result.warnings == [
        "what this drain leaves unserved or overloads is not known: see the server's log"
    ]
    assert [line["event"] for line in logs if line.get("exc_info")] == [
        "the warnings of a drain are not known"
    ]
    assert [drain.pop for drain in await world.store.drains()] == ["fra"]


async def test_a_drain_over_a_reload_is_compared_with_the_site_that_is_served(world, monkeypatch):
    sides = []
    monkeypatch.setattr(
        operations, "overload_warnings", lambda *arguments: sides.append(arguments[-2:]) or []
    )
    put = world.store.put_drain

    async def reload_then_put(drain):
        site = world.publisher.site
        world.publisher.site = site.model_copy(update={"pools": site.pools[:1]})
        await world.operations.reload()
        await put(drain)

    monkeypatch.setattr(world.store, "put_drain", reload_then_put)
    await world.operations.drain("fra", "fibre cut", "ana", None)
    ((before, after),) = sides
    assert [octet & 3 for octet in before[0]] == [0, 0, 0]
    assert [octet & 3 for octet in after[0]] == [2, 0, 0]


async def test_a_second_drain_replaces_reason_and_expiry(world):
    await world.operations.drain("fra", "fibre cut", "ana", None)
    result = await world.operations.drain("fra", "maintenance", "bo", START + HOUR)
    assert not result.changed
    assert world.operations.pop("fra").pop.drain.expires_at == START + HOUR
    assert len(world.publisher.published) == 2


async def test_undrain_restores_what_probes_say(world):
    await world.operations.drain("fra", "fibre cut", "ana", None)
    world.prober.failing = {"192.0.2.1:80"}
    await world.clock.advance(60)
    assert world.publisher.verdicts == bytes([2, 0, 0, 2])
    result = await world.operations.undrain("fra", "bo")
    assert result.changed
    assert world.publisher.verdicts == bytes([1, 0, 0, 0])
    again = await world.operations.undrain("fra", "bo")
    assert (again.changed, again.generation) == (False, result.generation)


async def test_an_unknown_pop_is_refused_with_the_known_ones(world):
    with pytest.raises(
        NotFoundError, match=r"no POP is named .fr.; did you mean .fra.\? .*ams, fra, idle, sin"
    ):
        await world.operations.drain("fr", "x", "ana", None)
    with pytest.raises(NotFoundError):
        await world.operations.undrain("nope", "ana")
    with pytest.raises(NotFoundError):
        world.operations.pop("nope")
    assert len(world.publisher.published) == 1


async def test_a_drain_that_would_be_over_is_refused(world):
    with pytest.raises(InvalidChangeError, match="not in the future") as caught:
        await world.operations.drain("fra", "x", "ana", START)
    assert caught.value.field == "/expires_at"


async def test_what_cannot_be_made_durable_is_not_published(world, monkeypatch):
    monkeypatch.setattr(world.store, "put_drain", disk_full)
    monkeypatch.setattr(world.store, "put_rrsets", disk_full)
    monkeypatch.setattr(world.store, "put_latency", disk_full)
    with pytest.raises(StateError):
        await world.operations.drain("fra", "x", "ana", None)
    with pytest.raises(StateError):
        await world.operations.change_rrsets("example.com", [WWW], "ana")
    with pytest.raises(StateError):
        await world.operations.set_latency([RequestedLatency("country:DE", "fra", 1)], "ana")
    assert len(world.publisher.published) == 1
    assert world.operations.pop("fra").pop.intent == "serve"


async def test_a_drain_expires(world):
    await world.operations.drain("fra", "x", "ana", START + timedelta(seconds=30))
    await world.clock.advance(29)
    assert world.publisher.verdicts == bytes([2, 0, 0, 2])
    await world.clock.advance(2)
    for _ in range(100):
        if world.publisher.verdicts == bytes(4):
            break
        await asyncio.sleep(0.001)
    assert world.publisher.verdicts == bytes(4)
    assert await world.store.drains() == []
    assert (await world.store.change_log())[0].kind == "drain-expired"


async def test_a_drain_that_expired_while_stopped_is_gone_at_the_start(world):
    await world.operations.drain("fra", "x", "ana", START + HOUR)
    await world.stop()
    world.clock.elapsed = 3_601
    await world.start()
    assert world.publisher.verdicts == bytes(4)
    assert await world.store.drains() == []


async def test_flips_reach_the_data_plane(world):
    world.prober.failing = {"192.0.2.2:80"}
    await world.clock.advance(31)
    assert world.publisher.published[1:] == [("verdicts", bytes([0, 1, 0, 0]))]
    world.prober.failing = set()
    await world.clock.advance(31)
    assert world.publisher.published[2:] == [("verdicts", bytes(4))]


async def test_flips_of_one_moment_share_a_publish(world):
    for numbers in ((0,), (1,), (2, 3)):
        world.operations._verdicts.observe(numbers, Observed.DOWN)
    await settle()
    assert world.publisher.published[1:] == [("verdicts", bytes([1, 1, 1, 1]))]


async def test_a_zone_change_is_published_and_holds_over_reload_and_restart(world):
    result = await world.operations.change_rrsets("EXAMPLE.com", [WWW], "ana")
    assert (result.zone, result.serial, result.changed) == ("example.com.", 11, 1)
    assert world.publisher.live["example.com."].rrset("www.example.com.", 1) == (60, [bytes([192, 0, 2, 80])])
    assert world.operations.zone("example.com").api_changes == 1
    await world.operations.reload()
    await world.restart()
    assert world.publisher.live["example.com."].serial == 11
    assert world.publisher.live["example.com."].rrset("www.example.com.", 1) == (60, [bytes([192, 0, 2, 80])])
    assert world.operations.zone("example.com.").api_changes == 1


async def test_a_zone_change_that_breaks_the_zone_changes_nothing(world):
    broken = RequestedRRset("ns1", "CNAME", 60, ("www",))
    with pytest.raises(InvalidChangeError, match="CNAME") as caught:
        await world.operations.change_rrsets("example.com.", [WWW, broken], "ana")
    assert [pointer for pointer, _ in caught.value.problems] == ["/rrsets/1"]
    with pytest.raises(NotFoundError, match=r"no zone is named .example\.net\.."):
        await world.operations.change_rrsets("example.net.", [WWW], "ana")
    assert await world.store.rrsets() == []
    assert len(world.publisher.published) == 1


async def test_concurrent_zone_changes_are_both_kept(world):
    other = RequestedRRset("other", "A", 60, ("192.0.2.81",))
    results = await asyncio.gather(
        world.operations.change_rrsets("example.com.", [WWW], "ana"),
        world.operations.change_rrsets("example.com.", [other], "bo"),
    )
    assert sorted(result.serial for result in results) == [11, 12]
    zone = world.publisher.live["example.com."]
    assert zone.rrset("www.example.com.", 1)
    assert zone.rrset("other.example.com.", 1)


async def test_a_change_that_has_begun_is_carried_through_when_its_asker_goes_away(world):
    release, begun = asyncio.Event(), asyncio.Event()
    put = world.store.put_drain

    async def slow(drain):
        begun.set()
        await release.wait()
        await put(drain)

    world.store.put_drain = slow
    task = asyncio.create_task(world.operations.drain("fra", "x", "ana", None))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    release.set()
    await world.operations._intent.finish()
    assert world.publisher.verdicts == bytes([2, 0, 0, 2])


async def test_a_drain_does_not_wait_for_a_reload(world):
    world.publisher.gate = asyncio.Event()
    reload = asyncio.create_task(world.operations.reload())
    await world.operations.drain("fra", "x", "ana", None)
    assert not reload.done()
    assert world.publisher.verdicts == bytes([2, 0, 0, 2])
    world.publisher.gate.set()
    await reload
    assert world.publisher.published[-1] == ("site", bytes([2, 0, 0, 2]))


async def test_a_failed_reload_leaves_everything_and_says_why(world):
    world.publisher.fails = BROKEN
    with pytest.raises(SiteError, match="bad TTL"):
        await world.operations.reload()
    assert len(world.publisher.published) == 1
    last = world.operations.status().last_reload
    assert (last.success, last.message) == (False, "a.zone:3: error: bad TTL [zone-syntax]")
    gauges = world.operations.gauges()
    assert (gauges.reload_successes, gauges.reload_failures) == (1, 1)


async def test_a_reload_renumbers_endpoints_and_keeps_what_is_known(world):
    world.prober.failing = {"192.0.2.2:80"}
    await world.clock.advance(40)
    assert world.publisher.verdicts == bytes([0, 1, 0, 0])
    site = example_site()
    world.publisher.site = site.model_copy(update={"pools": tuple(reversed(site.pools))})
    result = await world.operations.reload()
    assert (result.pops, result.names, result.zones) == (4, 1, 1)
    assert world.publisher.published[-1] == ("site", bytes([0, 0, 1, 0]))


async def test_a_reload_to_nothing_leaves_nothing(world):
    world.publisher.site = SteeringConfig()
    await world.operations.reload()
    assert world.publisher.verdicts == b""
    assert world.operations.pops().pops == []


class CountedZones(dict):
    """So many zones by origin, all of them one, that count how often one is looked at."""

    def __init__(self, count, zone):
        super().__init__((f"z{number:06}.example.", zone) for number in range(count))
        self.looks = 0

    def __getitem__(self, origin):
        self.looks += 1
        return super().__getitem__(origin)


async def test_a_page_of_many_zones_looks_at_no_more_than_it_has(world, monkeypatch):
    zones = CountedZones(300_000, world.publisher.live["example.com."])
    origins = sorted(zones)
    monkeypatch.setattr(world.publisher, "zones", lambda: zones)
    monkeypatch.setattr(world.publisher, "origins", lambda: origins)
    page = world.operations.zones(299_000, 1_000)
    assert [zone.zone for zone in page.zones] == origins[299_000:]
    assert (page.total, page.offset, page.next_offset, zones.looks) == (300_000, 299_000, None, 1_000)
    page = world.operations.zones(298_999, 1_000)
    assert (len(page.zones), page.next_offset, zones.looks) == (1_000, 299_999, 2_000)
    assert world.operations.zones(300_000, 1_000).zones == []


async def test_a_page_of_endpoints_asks_for_the_health_of_no_others(world):
    asked = []
    health = world.checker.health
    world.checker.health = lambda numbers: health(asked.append(tuple(numbers)) or asked[-1])
    pages = [world.operations.endpoints(offset, 3) for offset in (0, 3, 4)]
    assert [[row.number for row in page.endpoints] for page in pages] == [[0, 1, 2], [3], []]
    assert [page.next_offset for page in pages] == [3, None, None]
    assert asked == [(0, 1, 2), (3,), ()]


async def test_pops_show_observed_intent_and_verdict(world):
    world.prober.failing = {"192.0.2.2:80"}
    await world.clock.advance(40)
    await world.operations.drain("sin", "x", "ana", None)
    pops = {pop.name: pop for pop in world.operations.pops().pops}
    assert {name: pop.verdict for name, pop in pops.items()} == {
        "fra": "serving",
        "ams": "down",
        "sin": "drained",
        "idle": "unused",
    }
    assert pops["fra"].observed.model_dump() == {"up": 1, "down": 0, "unknown": 1}
    endpoints = world.operations.endpoints(0, 100).endpoints
    assert [(e.number, e.pool, e.pop, e.verdict, e.intent) for e in endpoints] == [
        (0, "web", "fra", "serving", "serve"),
        (1, "web", "ams", "down", "serve"),
        (2, "web", "sin", "drained", "drain"),
        (3, "mail", "fra", "serving", "serve"),
    ]
    assert endpoints[1].reason == "connection refused"
    assert endpoints[1].probe == "192.0.2.2:80"


async def test_rrsets_come_in_pages_and_by_name_and_type(world):
    operations = world.operations
    page = await operations.rrsets("example.com", 0, 3)
    assert [(rrset.name, rrset.type) for rrset in page.rrsets] == [
        ("example.com.", "NS"),
        ("example.com.", "SOA"),
        ("ns1.example.com.", "A"),
    ]
    assert page.next_offset == 3
    last = await operations.rrsets("example.com", 3, 3)
    assert (len(last.rrsets), last.next_offset) == (1, None)
    by_name = await operations.rrsets("example.com", 0, 10, name="@")
    assert [rrset.type for rrset in by_name.rrsets] == ["NS", "SOA"]
    by_type = await operations.rrsets("example.com", 0, 10, rtype="txt")
    assert [rrset.records for rrset in by_type.rrsets] == [['"hello"']]
    both = await operations.rrsets("example.com", 0, 10, name="ns1.example.com.", rtype="A")
    assert [rrset.records for rrset in both.rrsets] == [["192.0.2.53"]]
    assert (await operations.rrsets("example.com", 0, 10, name="none")).rrsets == []
    with pytest.raises(InvalidChangeError):
        await operations.rrsets("example.com", 0, 10, rtype="NOPE")


async def test_latency_rows_are_read_off_the_event_loop(world, monkeypatch):
    threads = set()
    for name in ("read_latency", "without_small_changes"):
        read = getattr(content, name)
        monkeypatch.setattr(
            content, name, lambda *a, read=read: threads.add(threading.current_thread()) or read(*a)
        )
    await world.operations.set_latency([RequestedLatency("country:DE", "fra", 3.5)], "ana")
    assert threads
    assert threading.main_thread() not in threads


async def test_latency_rows_are_set_reported_with_their_source_and_given_back(world):
    operations = world.operations
    result = await operations.set_latency(
        [RequestedLatency("country:DE", "fra", 3.5), RequestedLatency("continent:AS", "sin", 20)], "ana"
    )
    assert result.changed == 2
    assert {(r.location, r.pop): (r.ms, r.source) for r in operations.latency().rows} == {
        ("country:DE", "fra"): (3.5, "api"),
        ("continent:AS", "sin"): (20, "api"),
    }
    await world.restart()
    operations = world.operations
    await operations.set_latency([RequestedLatency("country:DE", "fra", None)], "ana")
    assert {(r.location, r.pop): (r.ms, r.source) for r in operations.latency().rows} == {
        ("country:DE", "fra"): (9, "site"),
        ("continent:AS", "sin"): (20, "api"),
    }


async def test_explain_checks_what_it_is_asked(world):
    report = world.operations.explain("WWW.example.com", "aaaa", "192.0.2.7", "198.51.100.77/24")
    assert (report.name, report.type) == ("www.example.com.", "AAAA")
    assert report.subnet == "198.51.100.0/24"
    for bad in [
        ("a..b", "A", "192.0.2.7", None),
        ("a", "NOPE", "192.0.2.7", None),
        ("a", "A", "me", None),
        ("a", "A", "fe80::1%eth0", None),
        ("a", "A", "192.0.2.7", "x/24"),
    ]:
        with pytest.raises(InvalidChangeError):
            world.operations.explain(*bad)


async def test_explain_says_what_is_known_of_each_endpoint_that_it_names(world):
    world.prober.failing = {"192.0.2.3:80"}
    await world.clock.advance(40)
    await world.operations.drain("fra", "fibre cut", "ana", None)
    endpoints = world.operations.explain("www.example.com", "A", "192.0.2.7", None).endpoints
    assert list(endpoints) == [0, 2]
    assert (endpoints[0].observed, endpoints[0].drain.reason) == (Observed.UP, "fibre cut")
    assert (endpoints[2].observed, endpoints[2].reason) == (Observed.DOWN, "connection refused")
    assert START < endpoints[2].since < START + timedelta(seconds=40)
    assert endpoints[2].drain is None


async def test_expiry_goes_on_when_the_disk_refuses(world, monkeypatch):
    await world.operations.drain("fra", "x", "ana", START + timedelta(seconds=5))

    async def refuse(now):
        raise StateError("state.db: disk is full")

    monkeypatch.setattr(world.store, "expire_drains", refuse)
    await world.clock.advance(6)
    assert world.publisher.verdicts == bytes(4)
    monkeypatch.undo()
    await world.restart()
    assert world.publisher.verdicts == bytes(4)


async def test_an_alias_set_through_the_api_is_resolved_and_reported(world):
    servers = (Nameserver(address="192.0.2.53"),)
    world.publisher.site = example_site().model_copy(
        update={"resolver": ResolverSettings(nameservers=servers)}
    )
    await world.operations.reload()
    alias = RequestedRRset("@", "ALIAS", 60, ("cdn.example.org.",))
    await world.operations.change_rrsets("example.com", [alias], "ana")
    await world.clock.advance(0.2)
    report = world.operations.aliases()
    assert (report.has_resolver, report.total) == (True, 1)
    assert (report.aliases[0].name, report.aliases[0].resolved) == ("example.com.", "cdn.example.org.")
    assert [(one.type, one.state, one.ttl) for one in report.aliases[0].addresses] == [
        ("A", "fresh", 60),
        ("AAAA", "fresh", 60),
    ]
    assert world.publisher.flattened[0] == ("cdn.example.org.", 1, 60, [], False)
    assert world.operations.gauges().alias_targets == {"fresh": 1, "stale": 0, "unknown": 0}
    assert world.operations.gauges().resolution_successes == 2
    assert world.operations.status().aliases.fresh == 1
    await world.operations.change_rrsets("example.com", [RequestedRRset("@", "ALIAS", None, ())], "ana")
    assert world.publisher.flattened == []
    assert world.operations.aliases().aliases == []


async def test_a_name_has_one_alias(world):
    two = RequestedRRset("@", "ALIAS", 60, ("a.example.org.", "b.example.org."))
    with pytest.raises(InvalidChangeError, match="at most one ALIAS record"):
        await world.operations.change_rrsets("example.com", [two], "ana")


async def test_whether_a_reload_is_needed_is_asked_when_its_turn_comes(world):
    gate = world.publisher.gate = asyncio.Event()
    loads = len(world.publisher.overlays)
    first = asyncio.create_task(world.operations.reload())
    second = asyncio.create_task(world.operations.reload_unless(gate.is_set, "changed files"))
    await settle()
    gate.set()
    await asyncio.gather(first, second)
    assert len(world.publisher.overlays) == loads + 1
    await world.operations.reload_unless(lambda: False, "changed files")
    assert len(world.publisher.overlays) == loads + 2


@pytest.mark.parametrize("error", [BROKEN, StateError("disk full")])
async def test_a_failed_reload_is_logged_once(world, error):
    world.publisher.fails = error
    with capture_logs() as logs, pytest.raises(type(error)):
        await world.operations.reload("SIGHUP")
    await settle()
    assert [(entry["log_level"], entry["cause"]) for entry in logs] == [("error", "SIGHUP")]
    assert len(logs[0]["errors"]) == 1
