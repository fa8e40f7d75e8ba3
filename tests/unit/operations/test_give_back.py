"""RRsets that the API set and that go back to the zone file, over the real data plane, site and store."""

from __future__ import annotations

from random import Random

import dns.message
import pytest
from structlog.testing import capture_logs

from gslb._dataplane import DataPlane
from gslb.aliases.flattener import Flattener
from gslb.errors import ConflictError, InvalidChangeError, SiteError, StateError
from gslb.health.checker import Checker
from gslb.operations.operations import Operations
from gslb.operations.zone_changes import RequestedRRset
from gslb.publish import Publisher
from gslb.store.store import Store
from tests.unit.fakes import FakeClock, FakeProber
from tests.unit.sites import ZONE, write_site

ZONE_NAME = "example.com"
CHANGED = RequestedRRset("ns1", "A", 60, ("192.0.2.200",))
GIVEN_BACK = RequestedRRset("ns1", "A", None, None)
ADDED = RequestedRRset("added", "A", 60, ("192.0.2.201",))
TEXT = RequestedRRset("text", "TXT", 60, ('"set"',))
CLASH = ZONE + "added IN CNAME www\ntext IN CNAME www\n"


class World:
    """A server without sockets; ``restart`` keeps only what is on disk."""

    def __init__(self, directory):
        self.site = write_site(directory / "site")
        self.state = directory
        self.clock = FakeClock()

    async def start(self):
        self.dataplane = DataPlane(seed=1)
        self.publisher = Publisher(self.site, self.dataplane)
        self.store = await Store.open(self.state)
        self.checker = Checker(FakeProber(self.clock), self.clock, randomness=Random(1))
        self.flattener = Flattener(self.publisher.publish_flattened, self.clock)
        self.operations = Operations(
            self.publisher, self.store, self.checker, self.flattener, self.clock, version="1"
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

    async def change(self, *rrsets):
        return await self.operations.change_rrsets(ZONE_NAME, rrsets, "ana")

    def ask(self, name, rtype="A"):
        wire = self.dataplane.answer(dns.message.make_query(name, rtype).to_wire(), "192.0.2.9")
        return [rdata.to_text() for rrset in dns.message.from_wire(wire).answer for rdata in rrset]

    @property
    def api_changes(self):
        return self.operations.zone(ZONE_NAME).api_changes


@pytest.fixture
async def world(tmp_path):
    world = World(tmp_path)
    await world.start()
    yield world
    await world.stop()


async def test_an_rrset_is_given_back_durably_with_the_other_changes_of_the_request(world):
    await world.change(CHANGED, TEXT)
    assert world.ask("ns1.example.com") == ["192.0.2.200"]
    result = await world.change(GIVEN_BACK, ADDED)
    assert (result.serial, result.changed, result.generation) == (12, 2, world.publisher.generation)
    for _ in range(2):
        assert world.ask("ns1.example.com") == ["192.0.2.53"]
        assert world.ask("added.example.com") == ["192.0.2.201"]
        assert world.ask("text.example.com", "TXT") == ['"set"']
        assert world.ask("example.com", "SOA")[0].split()[2] == "12"
        assert world.api_changes == 2
        await world.restart()
    latest = (await world.store.change_log())[0].detail
    assert {"name": "ns1.example.com.", "type": 1, "records": None} in latest["rrsets"]


async def test_a_removal_is_given_back_and_what_was_never_set_may_be_too(world):
    await world.change(RequestedRRset("alias", "CNAME", None, ()))
    assert world.ask("alias.example.com", "CNAME") == []
    back = [RequestedRRset(name, "CNAME", None, None) for name in ("alias", "never")]
    result = await world.change(*back)
    assert (result.serial, result.changed, result.unchanged) == (12, 1, 1)
    assert world.ask("alias.example.com", "CNAME") == ["www.example.com."]
    assert world.api_changes == 0


@pytest.mark.parametrize("broken", ["site", "disk", "change", "gone"])
async def test_giving_back_is_all_or_nothing(world, monkeypatch, broken):
    await world.change(CHANGED)
    before, generation = await world.store.rrsets(), world.publisher.generation
    request, expected = [GIVEN_BACK, ADDED], SiteError
    if broken == "site":
        write_site(world.site, zone=ZONE + "x IN A nonsense\n")
    elif broken == "change":
        request.append(RequestedRRset("www", "CNAME", 60, ("ns1",)))
    elif broken == "gone":
        (world.site / "site.yaml").write_text("pops: {fra: }\n")
        (world.site / "example.com.zone").rename(world.site / "example.net.zone")
        expected = ConflictError
    else:

        async def full(*args, **kwargs):
            raise StateError("disk is full")

        monkeypatch.setattr(world.store, "put_rrsets", full)
        expected = StateError
    with pytest.raises(expected):
        await world.change(*request)
    assert (await world.store.rrsets(), world.publisher.generation) == (before, generation)
    assert world.ask("ns1.example.com") == ["192.0.2.200"]
    assert world.ask("added.example.com") == []


async def test_a_start_leaves_out_what_no_longer_fits_and_it_can_be_given_back_one_by_one(world):
    await world.change(CHANGED, ADDED, TEXT)
    write_site(world.site, zone=CLASH)
    with pytest.raises(SiteError, match="give it back to the file through the API"):
        await world.operations.reload()
    assert world.ask("added.example.com") == ["192.0.2.201"]
    with capture_logs() as logs:
        result = await world.restart()
    findings = [finding for finding in result.findings if finding.rule == "zone-api-change"]
    assert [finding.severity for finding in findings] == ["warning", "warning"]
    assert findings[0].file.endswith("example.com.zone")
    errors = [line for line in logs if line["event"] == "API change left out"]
    assert [line["log_level"] for line in errors] == ["error", "error"]
    assert world.ask("ns1.example.com") == ["192.0.2.200"]
    assert world.ask("added.example.com", "CNAME") == ["www.example.com."]
    assert world.api_changes == 3
    with pytest.raises(SiteError):
        await world.operations.reload()
    await world.change(RequestedRRset("added", "A", None, None))
    assert world.api_changes == 2
    with pytest.raises(SiteError):
        await world.operations.reload()
    await world.change(RequestedRRset("text", "TXT", None, None))
    reloaded = await world.operations.reload()
    assert [finding for finding in reloaded.findings if finding.rule == "zone-api-change"] == []
    assert world.api_changes == 1


async def test_what_was_left_out_can_be_set_anew(world):
    await world.change(ADDED)
    write_site(world.site, zone=CLASH)
    await world.restart()
    await world.change(RequestedRRset("added", "CNAME", None, ()), ADDED)
    assert world.ask("added.example.com") == ["192.0.2.201"]
    await world.operations.reload()
    assert world.ask("added.example.com") == ["192.0.2.201"]


async def test_what_changes_nothing_is_not_counted_as_changed(world, monkeypatch):
    def no_load(*args):
        raise AssertionError("nothing is to be loaded anew")

    await world.change(CHANGED)
    before = await world.store.rrsets(), len(await world.store.change_log()), world.publisher.generation
    monkeypatch.setattr(world.publisher, "prepare_site", no_load)
    never, gone = RequestedRRset("ns2", "A", None, None), RequestedRRset("wwww", "A", None, ())
    for request in ([never], [gone], [never, gone], [RequestedRRset("ns1", "AAAA", None, ())]):
        result = await world.change(*request)
        assert (result.changed, result.unchanged) == (0, len(request))
        assert (result.serial, result.generation) == (11, before[2])
    after = await world.store.rrsets(), len(await world.store.change_log()), world.publisher.generation
    assert after == before
    result = await world.change(gone, ADDED)
    assert (result.serial, result.changed, result.unchanged) == (12, 1, 1)
    assert world.api_changes == 2


async def test_what_is_removed_already_stays_removed(world):
    removal = RequestedRRset("alias", "CNAME", None, ())
    assert (await world.change(removal)).changed == 1
    assert (await world.change(removal)).unchanged == 1
    await world.restart()
    assert world.ask("alias.example.com", "CNAME") == []


async def test_what_was_left_out_can_be_removed(world):
    await world.change(ADDED)
    write_site(world.site, zone=CLASH)
    await world.restart()
    assert (await world.change(RequestedRRset("added", "A", None, ()))).changed == 1
    assert (await world.operations.reload()).findings is not None
    assert [row.records for row in await world.store.rrsets()] == [()]


async def test_the_problem_of_a_change_is_told_where_it_stands_in_the_request(world):
    gone = RequestedRRset("wwww", "A", None, ())
    with pytest.raises(InvalidChangeError) as caught:
        await world.change(gone, RequestedRRset("www", "CNAME", 60, ("ns1",)))
    assert [pointer for pointer, _ in caught.value.problems] == ["/rrsets/1"]
