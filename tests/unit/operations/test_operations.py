"""What the API and the command line ask of a running server."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest

from gslb.errors import InvalidChangeError, NotFoundError, StateError
from gslb.model.health import Observed
from gslb.model.site import Nameserver, ResolverSettings
from gslb.operations import content
from gslb.operations.latency_changes import RequestedLatency
from gslb.operations.zone_changes import RequestedRRset
from tests.unit.fakes import START, example_site, settle

WWW = RequestedRRset("www", "A", 60, ("192.0.2.80",))


def disk_full(*args, **kwargs):
    raise StateError("state.db: database or disk is full")


async def test_start_publishes_the_site(world):
    assert world.publisher.published == [("site", bytes(4))]
    status = world.operations.status()
    assert (status.generation, status.zones, status.records, status.names, status.pops) == (1, 1, 4, 1, 4)
    assert status.queries == 9
    assert status.last_reload.success


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


async def test_a_latency_row_that_was_never_set_is_not_counted_as_given_back(world):
    never = RequestedLatency("country:FR", "fra", None)
    result = await world.operations.set_latency([never, RequestedLatency("default", "ams", None)], "ana")
    assert (result.changed, result.unchanged, result.generation) == (0, 2, 1)
    assert await world.store.change_log() == []
    result = await world.operations.set_latency([never, RequestedLatency("country:DE", "fra", 3)], "ana")
    assert (result.changed, result.unchanged) == (1, 1)
    result = await world.operations.set_latency([never, RequestedLatency("country:DE", "fra", None)], "ana")
    assert (result.changed, result.unchanged) == (1, 1)


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


async def test_an_alias_set_through_the_api_is_resolved_and_reported(world):
    servers = (Nameserver(address="192.0.2.53"),)
    world.publisher.site = example_site().model_copy(
        update={"resolver": ResolverSettings(nameservers=servers)}
    )
    await world.operations.reload()
    alias = RequestedRRset("@", "ALIAS", 60, ("cdn.example.org.",))
    await world.operations.change_rrsets("example.com", [alias], "ana")
    await world.clock.advance(0.2)
    report = world.operations.aliases(0, 10)
    assert (report.has_resolver, report.total) == (True, 1)
    assert (report.aliases[0].name, report.aliases[0].resolved) == ("example.com.", "cdn.example.org.")
    assert [(one.type, one.state, one.ttl) for one in report.aliases[0].addresses] == [
        ("A", "fresh", 60),
        ("AAAA", "fresh", 60),
    ]
    assert world.publisher.flattened[0] == ("cdn.example.org.", 1, 60, [], False)
    assert (await world.operations.gauges()).alias_targets == {"fresh": 1, "stale": 0, "unknown": 0}
    assert (await world.operations.gauges()).resolution_successes == 2
    assert world.operations.status().aliases.fresh == 1
    await world.operations.change_rrsets("example.com", [RequestedRRset("@", "ALIAS", None, ())], "ana")
    assert world.publisher.flattened == []
    assert world.operations.aliases(0, 10).aliases == []


async def test_a_name_has_one_alias(world):
    two = RequestedRRset("@", "ALIAS", 60, ("a.example.org.", "b.example.org."))
    with pytest.raises(InvalidChangeError, match="at most one ALIAS record"):
        await world.operations.change_rrsets("example.com", [two], "ana")
