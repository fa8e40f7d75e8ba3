"""Recent demand and what it would come to, on the data plane that serves, and how both are reported."""

from __future__ import annotations

from random import Random

import dns.message
import pytest

from gslb._dataplane import DataPlane
from gslb.aliases.flattener import Flattener
from gslb.errors import InvalidChangeError
from gslb.health.checker import Checker
from gslb.operations.demand import GAUGES_LIMIT, OTHER, READ_SECONDS, DemandMeter
from gslb.operations.operations import Operations
from gslb.operations.what_if import Requested
from gslb.publish import Publisher
from gslb.steering.demand import Cell
from gslb.store.store import Store
from tests.unit.fakes import FakeClock, FakeProber, FakePublisher, FakeResolver
from tests.unit.sites import write_site

WWW = "www.example.com."
GERMANY, FRANCE, NOWHERE = "10.49.0.1", "10.33.0.1", "10.99.0.1"
OVERRIDES = (
    "network,continent,country,subdivision,asn,latitude,longitude\n"
    "10.49.0.0/16,EU,DE,,,,\n"
    "10.33.0.0/16,EU,FR,,,,\n"
)
SITE = """\
pops: {fra: {capacity: 1000}, ams: {capacity: 5}, sin: }
geo: {overrides: overrides.csv}
pools:
  web:
    when_all_down: nodata
    endpoints:
      - {pop: fra, address: 192.0.2.1}
      - {pop: ams, address: 192.0.2.2}
      - {pop: sin, address: 192.0.2.3}
policies:
  near:
    - geo: {country: {DE: [fra, ams], FR: [fra, sin]}, default: [sin]}
  even: [weighted]
names:
  www.example.com: {pool: web, policy: near, ttl: 20}
  even.example.com: {pool: web, policy: even, ttl: 20}
"""


class Live:
    """Operations over a data plane that answers without sockets."""

    def __init__(self, directory):
        self.directory = directory
        self.site = write_site(directory / "site", site=SITE)
        (self.site / "latency.csv").unlink()
        (self.site / "overrides.csv").write_text(OVERRIDES)
        self.clock = FakeClock()
        self.dataplane = DataPlane(seed=1)

    async def start(self):
        self.publisher = Publisher(self.site, self.dataplane)
        self.store = await Store.open(self.directory)
        self.checker = Checker(FakeProber(self.clock), self.clock, randomness=Random(1))
        self.flattener = Flattener(self.publisher.publish_flattened, self.clock, make_resolver=FakeResolver)
        self.operations = Operations(
            self.publisher, self.store, self.checker, self.flattener, self.clock, version="1.2.3"
        )
        await self.operations.start()

    async def stop(self):
        await self.operations.stop()
        await self.flattener.stop()
        await self.checker.stop()
        await self.store.close()

    def ask(self, client, times=1, name=WWW, rtype="A"):
        wire = dns.message.make_query(name, rtype).to_wire()
        for _ in range(times):
            self.dataplane.answer(wire, client)

    async def count(self, seconds=READ_SECONDS):
        """Let time pass, and read the counts of it."""
        self.clock.elapsed += seconds
        await self.operations._demand.read()


@pytest.fixture
async def live(tmp_path):
    live = Live(tmp_path)
    await live.start()
    yield live
    await live.stop()


async def test_demand_is_told_by_name_type_and_country(live):
    live.ask(GERMANY, 60)
    live.ask(FRANCE, 30)
    live.ask(NOWHERE, 5)
    live.ask(NOWHERE, 5, name="even.example.com.")
    live.ask(GERMANY, 9, rtype="AAAA")  # the pool has none
    live.ask(GERMANY, 9, name="ns1.example.com.")  # not steered
    await live.count()
    page = await live.operations.demand(["name", "type", "country"], None, 0, 3)
    assert [(row.name, row.type, row.country, row.queries_per_second) for row in page.rows] == [
        (WWW, "A", "DE", 12),
        (WWW, "A", "FR", 6),
        ("even.example.com.", "A", "", 1),
    ]
    assert [row.share for row in page.rows] == [0.6, 0.3, 0.05]
    assert (page.total, page.next_offset) == (4, 3)
    assert (page.demand.queries_per_second, page.demand.cells, page.demand.seconds) == (20, 4, 5)
    page = await live.operations.demand(["country"], "WWW.example.com", 0, 100)
    assert [(row.name, row.type, row.country) for row in page.rows] == [
        (None, None, "DE"),
        (None, None, "FR"),
        (None, None, ""),
    ]
    assert page.next_offset is None
    with pytest.raises(InvalidChangeError):
        await live.operations.demand(["name"], "a..b", 0, 1)
    assert (await live.operations.gauges()).demand[WWW, "DE"] == 12
    assert live.operations.counters()["demand_unplaced"] == 0


async def test_no_query_is_lost_when_the_steering_is_replaced(live):
    for _ in range(12):
        live.ask(GERMANY, 10)
        await live.operations.reload()
    live.ask(GERMANY, 5)
    await live.count(125)
    page = await live.operations.demand(["name"], None, 0, 10)
    assert [(row.name, row.queries_per_second) for row in page.rows] == [(WWW, 1)]


async def test_explaining_is_no_demand(live):
    live.operations.explain(WWW, "A", GERMANY, None)
    live.operations.explain(WWW, "A", GERMANY, None, Requested(down=("fra",)))
    await live.count()
    assert (await live.operations.demand(["name"], None, 0, 10)).total == 0


async def test_what_was_counted_before_the_first_moment_is_left_out(tmp_path):
    live = Live(tmp_path)
    await live.start()
    await live.operations._demand.stop()
    live.ask(GERMANY, 100)
    live.operations._demand = DemandMeter(live.publisher, live.clock)
    live.operations._demand.start()
    live.ask(GERMANY, 5)
    await live.count()
    assert (await live.operations.gauges()).demand == {(WWW, "DE"): 1}
    await live.stop()


async def test_a_simulation_says_who_gets_what_before_and_after(live):
    live.ask(GERMANY, 60)
    live.ask(FRANCE, 30)
    await live.count()
    generation = live.publisher.generation
    report = await live.operations.simulate(Requested(drain=("fra",)), 10)
    rows = {row.pop: (row.before, row.after, row.capacity, row.overloaded) for row in report.pops}
    assert rows == {"fra": (18, 0, 1000, False), "ams": (0, 12, 5, True), "sin": (0, 6, None, False)}
    assert [(row.country, row.before, row.after) for row in report.pops[0].countries] == [
        ("DE", 12, 0),
        ("FR", 6, 0),
    ]
    assert report.nobody is None
    assert (report.demand.queries_per_second, report.demand.seconds, report.left_out) == (18, 5, 0)
    assert report.supposing.text == "fra drained"
    assert (report.at, report.generation) == (live.clock.now(), generation)
    assert live.publisher.generation == generation
    assert live.operations.pop("fra").pop.verdict == "serving"


async def test_what_nobody_gets_has_a_row_of_its_own(live):
    live.ask(GERMANY, 5)
    await live.count()
    report = await live.operations.simulate(Requested(down=("fra", "web/ams", "sin")), 0)
    assert (report.nobody.before, report.nobody.after, report.nobody.countries) == (0, 1, [])


async def test_shares_of_a_policy_that_draws_are_averaged(live):
    live.ask(GERMANY, 3_000, name="even.example.com.")
    await live.count(1)
    report = await live.operations.simulate(Requested(drain=("sin",)), 10)
    before, after = ([row.before for row in report.pops], [row.after for row in report.pops])
    assert before == pytest.approx([1000, 1000, 1000], rel=0.04)
    assert after == pytest.approx([1500, 1500, 0], rel=0.04)
    assert sum(before) == pytest.approx(3000)
    again = await live.operations.simulate(Requested(drain=("sin",)), 10)
    assert again.pops == report.pops


async def test_names_that_are_steered_no_more_are_left_out(live):
    live.ask(GERMANY, 15)
    live.ask(GERMANY, 5, name="even.example.com.")
    await live.count()
    (live.site / "site.yaml").write_text(SITE.replace("  even.example.com:", "  other.example.com:"))
    await live.operations.reload()
    report = await live.operations.simulate(Requested(), 10)
    assert report.left_out == 0.25
    assert report.demand.queries_per_second == 3


async def test_a_drain_warns_of_pops_that_it_overloads(live):
    live.ask(GERMANY, 60)
    await live.count()
    result = await live.operations.drain("fra", "x", "ana", None)
    assert result.warnings == [
        "POP ams gets about 12 queries a second by recent demand, above its capacity of 5 (before: 0)"
    ]
    assert (await live.operations.drain("fra", "y", "ana", None)).warnings == []


async def test_suppositions_are_laid_over_what_is_live(live):
    await live.operations.drain("sin", "cable", "ana", None)
    report = live.operations.explain(WWW, "A", GERMANY, None, Requested(down=("fra",)))
    assert [record.data for record in report.answer.answer] == ["192.0.2.2"]
    assert report.supposing.text == "fra down"
    verdicts = {endpoint.pop: str(endpoint.verdict) for endpoint in report.endpoints.values()}
    assert verdicts == {"fra": "down", "ams": "serving", "sin": "drained"}
    report = live.operations.explain(WWW, "A", GERMANY, None)
    assert [record.data for record in report.answer.answer] == ["192.0.2.1"]
    assert report.supposing is None


async def test_the_loop_reads_the_counts_again_and_again():
    clock, publisher = FakeClock(), FakePublisher()
    meter = DemandMeter(publisher, clock)
    meter.start()
    publisher.counted = [(Cell(WWW, 1, "DE", GERMANY), 50)]
    await clock.advance(READ_SECONDS)
    async with meter._reading:  # which the loop took first
        assert meter.rates() == [(Cell(WWW, 1, "DE", GERMANY), pytest.approx(10))]
    await meter.stop()


async def test_the_least_asked_for_share_a_metric():
    clock, publisher = FakeClock(), FakePublisher()
    meter = DemandMeter(publisher, clock)
    meter.start()
    names = range(GAUGES_LIMIT + 10)
    publisher.counted = [(Cell(f"n{name}.", 1, "DE", GERMANY), 5 if name < 10 else 10) for name in names]
    clock.elapsed = 5
    await meter.read()
    assert len(meter.gauges()) == GAUGES_LIMIT + 1
    assert meter.gauges()[OTHER] == pytest.approx(10)
    assert sum(meter.gauges().values()) == pytest.approx(2 * GAUGES_LIMIT + 10)
    await meter.stop()
