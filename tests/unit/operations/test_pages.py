"""Lists in pages, which cost no more than what they show."""

from __future__ import annotations

import threading

import pytest

from gslb.errors import InvalidChangeError
from gslb.model.alias import ALIAS
from gslb.operations.counts import EndpointCounts
from gslb.steering.roster import Roster
from tests.unit.fakes import FakeZone

TARGET = b"\3cdn\7example\3org\0"


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


async def test_no_more_endpoints_are_looked_at_than_an_explanation_names(world, monkeypatch):
    looked = []
    endpoint = Roster.endpoint
    monkeypatch.setattr(
        Roster, "endpoint", lambda roster, number: looked.append(number) or endpoint(roster, number)
    )
    report = world.operations.explain("www.example.com", "A", "192.0.2.7", None)
    assert list(report.endpoints) == looked == [0, 2]


async def test_metrics_are_counted_off_the_event_loop_as_things_stood_at_the_scrape(world, monkeypatch):
    threads = []
    for count in ("verdicts", "observed", "monitored"):
        counted = getattr(EndpointCounts, count)
        monkeypatch.setattr(
            EndpointCounts,
            count,
            lambda counts, counted=counted: threads.append(threading.current_thread()) or counted(counts),
        )
    gauges = await world.operations.gauges()
    assert len(threads) == 3
    assert threading.main_thread() not in threads
    assert gauges.observed == {("fra", "unknown"): 2, ("ams", "unknown"): 1, ("sin", "unknown"): 1}
    assert gauges.zone_serials == {"example.com.": 10}


async def test_aliases_come_in_pages_by_name_and_no_other_is_looked_at(world, monkeypatch):
    table = {(f"h{number}.example.net.", ALIAS): (60, [TARGET]) for number in reversed(range(10))}
    zones = [FakeZone(origin, 1, own) for origin, own in (("example.net.", table), ("a.test.", {}))]
    world.publisher.site_zones = {zone.origin: zone for zone in zones}
    await world.operations.reload()
    looked = []
    monkeypatch.setattr(world.flattener, "lookups", lambda target: looked.append(target) or [])
    pages = [world.operations.aliases(offset, 4) for offset in (0, 4, 8, 12)]
    names = [[row.name for row in page.aliases] for page in pages]
    assert [len(page) for page in names] == [4, 4, 2, 0]
    assert [name for page in names for name in page] == [f"h{number}.example.net." for number in range(10)]
    assert [(page.total, page.offset, page.next_offset) for page in pages] == [
        (10, 0, 4),
        (10, 4, 8),
        (10, 8, None),
        (10, 12, None),
    ]
    assert len(looked) == 2 * 10, "its addresses and their state"


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
