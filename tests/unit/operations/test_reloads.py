"""Reloading the site: what is kept, what is refused, and what is logged."""

from __future__ import annotations

import asyncio
import threading

import pytest
from structlog.testing import capture_logs

from gslb.errors import SiteError, StateError
from gslb.model.finding import Finding, Place, Severity
from gslb.model.site import SteeringConfig
from gslb.operations.reports import finding_report
from tests.unit.fakes import FakeZone, example_site, example_zone, settle

BROKEN = SiteError([Finding("zone-syntax", Severity.ERROR, Place("a.zone", 3), "bad TTL")])


async def test_a_failed_reload_leaves_everything_and_says_why(world):
    world.publisher.fails = BROKEN
    with pytest.raises(SiteError, match="bad TTL"):
        await world.operations.reload()
    assert len(world.publisher.published) == 1
    last = world.operations.status().last_reload
    assert (last.success, last.message) == (False, "a.zone:3: error: bad TTL [zone-syntax]")
    gauges = await world.operations.gauges()
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


async def test_what_looks_at_all_of_a_site_is_done_once_and_off_the_event_loop(world, monkeypatch):
    looks = []

    class CountedZone(FakeZone):
        @property
        def record_count(self):
            looks.append(threading.current_thread() is threading.main_thread())
            return super().record_count

    def report(finding):
        looks.append(threading.current_thread() is threading.main_thread())
        return finding_report(finding)

    zones = [CountedZone(f"z{number}.example.", 1, example_zone().table) for number in range(5)]
    world.publisher.site_zones = {zone.origin: zone for zone in zones}
    world.publisher.findings = BROKEN.findings
    monkeypatch.setattr("gslb.operations.content.finding_report", report)
    result = await world.operations.reload()
    assert (result.zones, result.records) == (5, 5 * example_zone().record_count)
    assert [finding.message for finding in result.findings] == ["bad TTL"]
    assert looks == [False] * (5 + 1)


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


async def test_whether_a_reload_is_needed_is_asked_in_a_thread(world):
    threads = []
    await world.operations.reload_unless(lambda: threads.append(threading.current_thread()), "changed files")
    assert threads
    assert threading.current_thread() not in threads


@pytest.mark.parametrize("error", [BROKEN, StateError("disk full")])
async def test_a_failed_reload_is_logged_once(world, error):
    world.publisher.fails = error
    with capture_logs() as logs, pytest.raises(type(error)):
        await world.operations.reload("SIGHUP")
    await settle()
    assert [(entry["log_level"], entry["cause"]) for entry in logs] == [("error", "SIGHUP")]
    assert len(logs[0]["errors"]) == 1
