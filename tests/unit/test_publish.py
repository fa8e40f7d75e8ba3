"""The publisher over the real native module and a real site directory."""

from __future__ import annotations

import dns.message
import pytest

from gslb._dataplane import DataPlane
from gslb.errors import InvalidChangeError, NotFoundError, SiteError
from gslb.model.change import Overlay
from gslb.model.site import LatencyRow, LocationKind
from gslb.publish import Publisher
from tests.unit.sites import LATENCY, SITE, ZONE, write_site

A, CNAME, SOA = 1, 5, 6
ORIGIN = "example.com."
ADDED = ("added.example.com.", A, 60, [bytes([192, 0, 2, 200])])


class World:
    """A publisher with its data plane and site directory."""

    def __init__(self, directory):
        self.directory = directory
        self.dataplane = DataPlane(seed=1)
        self.publisher = Publisher(directory, self.dataplane)

    async def load(self, overlay=None, may_leave_out=lambda _: False):
        prepared = await self.publisher.prepare_site(overlay or Overlay(), may_leave_out)
        endpoints = sum(len(pool.endpoints) for pool in prepared.steering.pools)
        return self.publisher.commit_site(prepared, bytes(endpoints))

    async def change(self, *changes):
        prepared = await self.publisher.prepare_zone_change(ORIGIN, list(changes))
        self.publisher.commit_zone_change(prepared)
        return prepared.serial

    def ask(self, name, rtype="A"):
        wire = self.dataplane.answer(dns.message.make_query(name, rtype).to_wire(), "192.0.2.9")
        return [rdata.to_text() for rrset in dns.message.from_wire(wire).answer for rdata in rrset]

    @property
    def serial(self):
        served = int(self.ask("example.com", "SOA")[0].split()[2])
        assert self.publisher.zones()[ORIGIN].serial == served
        return served


@pytest.fixture
async def world(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    world = World(write_site(tmp_path / "site"))
    await world.load()
    return world


def overlay(*changes, serial=None, latency=()):
    return Overlay({ORIGIN: changes} if changes else {}, {} if serial is None else {ORIGIN: serial}, latency)


async def test_before_the_first_load_there_is_nothing(tmp_path):
    publisher = Publisher(tmp_path, DataPlane())
    assert (publisher.generation, dict(publisher.zones()), publisher.steering.pools) == (0, {}, ())


async def test_a_change_is_answered_as_soon_as_it_is_committed(world):
    prepared = await world.publisher.prepare_zone_change(ORIGIN, [ADDED])
    assert world.ask("added.example.com") == []
    before = world.publisher.generation
    assert world.publisher.commit_zone_change(prepared) == before + 1
    assert world.ask("added.example.com") == ["192.0.2.200"]
    assert world.serial == prepared.serial == 11


async def test_serials_rise_with_each_change(world):
    serials = [await world.change(change) for change in (ADDED, (*ADDED[:3], []), ADDED)]
    assert serials == [11, 12, 13]


async def test_a_change_may_set_a_newer_serial_itself_but_not_an_older_one(world):
    ttl, (soa,) = world.publisher.zones()[ORIGIN].rrset(ORIGIN, SOA)
    at = len(soa) - 20

    def numbered(serial):
        return (ORIGIN, SOA, ttl, [soa[:at] + serial.to_bytes(4, "big") + soa[at + 4 :]])

    assert await world.change(numbered(500)) == 500
    assert await world.change(numbered(400)) == 501


async def test_an_overlay_is_laid_over_each_load(world):
    serial = await world.change(ADDED)
    await world.load(overlay(ADDED, serial=serial))
    assert world.ask("added.example.com") == ["192.0.2.200"]
    assert world.serial == 11
    await world.load()
    assert world.ask("added.example.com") == []


async def test_an_overlay_wins_over_the_zone_file_and_may_take_from_it(world):
    await world.load(
        overlay(
            ("ns1.example.com.", A, 60, [bytes([192, 0, 2, 54])]),
            ("alias.example.com.", CNAME, 0, []),
            serial=11,
        )
    )
    assert world.ask("ns1.example.com") == ["192.0.2.54"]
    assert world.ask("alias.example.com", "CNAME") == []


@pytest.mark.parametrize(
    ("file", "stored", "served"),
    [(10, 15, 15), (15, 15, 15), (20, 15, 20), (2**32 - 1, 5, 5), (5, 2**32 - 1, 5)],
)
async def test_the_serial_never_falls_behind_the_stored_one(world, file, stored, served):
    write_site(world.directory, zone=ZONE.replace("hostmaster 10 ", f"hostmaster {file} "))
    await world.load(overlay(ADDED, serial=stored))
    assert world.serial == served


async def test_serials_rise_past_the_end_of_their_circle(world):
    write_site(world.directory, zone=ZONE.replace("hostmaster 10 ", f"hostmaster {2**32 - 1} "))
    await world.load()
    assert await world.change(ADDED) == 1


async def test_an_overlay_that_no_longer_fits_is_a_finding_and_changes_nothing(world):
    generation = world.publisher.generation
    write_site(world.directory, zone=ZONE + "added IN CNAME www\n")
    with pytest.raises(SiteError) as caught:
        await world.load(overlay(ADDED, serial=11))
    (finding,) = [finding for finding in caught.value.findings if finding.severity == "error"]
    assert finding.rule == "zone-api-change"
    assert finding.place.file == "site/example.com.zone"
    assert "added.example.com. would have a CNAME beside other data" in finding.message
    assert "mend the file, or set the RRset anew or give it back" in finding.message
    assert world.publisher.generation == generation
    assert world.ask("added.example.com", "CNAME") == []


async def test_misfits_may_be_left_out_and_only_they(world):
    write_site(world.directory, zone=ZONE + "added IN CNAME www\ntook IN CNAME www\n")
    fits = [(f"n{number}.example.com.", A, 60, [bytes([192, 0, 2, number])]) for number in range(9)]
    room = [("took.example.com.", CNAME, 0, []), ("took.example.com.", A, 60, [bytes([192, 0, 2, 8])])]
    text = ("added.example.com.", 16, 60, [b"\1x"])
    changes = overlay(*fits[:4], ADDED, text, *room, *fits[4:], serial=30)
    left = {(ORIGIN, "added.example.com.", A), (ORIGIN, "added.example.com.", 16)}
    prepared = await world.publisher.prepare_site(changes, left.__contains__)
    assert prepared.left_out == left
    remarks = [finding for finding in prepared.findings if finding.rule == "zone-api-change"]
    assert [(remark.severity, remark.place.file) for remark in remarks] == [
        ("warning", "site/example.com.zone")
    ] * 2
    assert "the A RRset of added.example.com. that the API set" in remarks[0].message
    assert "inactive" in remarks[0].message
    world.publisher.commit_site(prepared, bytes(3))
    assert world.ask("n8.example.com") == ["192.0.2.8"]
    assert world.ask("took.example.com") == ["192.0.2.8"]
    assert world.ask("added.example.com", "CNAME") == ["www.example.com."]
    assert world.serial == 30
    with pytest.raises(SiteError) as caught:
        await world.load(changes, {(ORIGIN, "added.example.com.", A)}.__contains__)
    assert len(caught.value.findings) == 1
    assert "the TXT RRset of added.example.com." in caught.value.findings[0].message


async def test_many_misfits_are_counted(world):
    write_site(world.directory, zone=ZONE + "".join(f"c{n} IN CNAME www\n" for n in range(150)))
    changes = [(f"c{n}.example.com.", A, 60, [bytes(4)]) for n in range(150)]
    last = (ORIGIN, "c0.example.com.", A)
    with pytest.raises(SiteError) as caught:
        await world.load(overlay(*changes, serial=11), lambda key: key != last)
    (finding,) = caught.value.findings
    assert "c0.example.com." in finding.message
    prepared = await world.publisher.prepare_site(overlay(*changes, serial=11), lambda _: True)
    remarks = [finding for finding in prepared.findings if finding.rule == "zone-api-change"]
    assert (len(remarks), len(prepared.left_out)) == (101, 150)
    assert remarks[-1].message.startswith("50 more RRsets")


async def test_an_overlay_of_a_zone_that_left_the_site_does_no_harm(world):
    await world.load(Overlay({"example.org.": (ADDED,)}, {"example.org.": 7}))
    assert world.ask("ns1.example.com") == ["192.0.2.53"]


async def test_a_site_with_errors_tells_all_of_them(world):
    write_site(
        world.directory, zone=ZONE + "x IN A nonsense\n", site=SITE.replace("policy: measured", "policy: m")
    )
    with pytest.raises(SiteError) as caught:
        await world.load()
    rules = {finding.rule for finding in caught.value.findings}
    assert {"zone-syntax", "site-unknown-policy"} <= rules
    assert world.ask("ns1.example.com") == ["192.0.2.53"]


async def test_what_breaks_the_zone_is_refused(world):
    with pytest.raises(InvalidChangeError, match=r"ns1\.example\.com\. would have a CNAME beside other data"):
        await world.change(("ns1.example.com.", CNAME, 60, [b"\3www\7example\3com\0"]))
    with pytest.raises(NotFoundError, match=r"example\.org\."):
        await world.publisher.prepare_zone_change("example.org.", [ADDED])
    assert world.serial == 10


def measured(value, pop, milliseconds):
    return LatencyRow(kind=LocationKind.DEFAULT, value=value, pop=pop, milliseconds=milliseconds)


def table(publisher):
    return {(row.kind.value, row.value, row.pop): row.milliseconds for row in publisher.steering.latency}


async def test_latency_of_the_api_replaces_the_sites_and_gives_it_back(world):
    assert world.ask("www.example.com") == ["192.0.2.2", "192.0.2.1"]
    rows = [measured("", "ams", 5.0), measured("", "sin", 1.0)]
    prepared = await world.publisher.prepare_latency(rows)
    assert table(world.publisher)["default", "", "ams"] == 30
    world.publisher.commit_latency(prepared, bytes(3))
    assert table(world.publisher) == {
        ("default", "", "fra"): 12.345,
        ("default", "", "ams"): 5,
        ("default", "", "sin"): 1,
    }
    world.publisher.commit_latency(await world.publisher.prepare_latency([]), bytes(3))
    assert table(world.publisher) == {("default", "", "fra"): 12.345, ("default", "", "ams"): 30}


async def test_latency_decides_answers(world):
    write_site(world.directory, site=SITE.replace("    - geo: {default: [ams]}\n", ""))
    await world.load()
    assert world.ask("www.example.com") == ["192.0.2.1", "192.0.2.2"]
    prepared = await world.publisher.prepare_latency([measured("", "sin", 1.0)])
    world.publisher.commit_latency(prepared, bytes(3))
    assert world.ask("www.example.com") == ["192.0.2.3", "192.0.2.1"]
    world.publisher.publish_verdicts(bytes([0, 0, 1]))
    assert world.ask("www.example.com") == ["192.0.2.1", "192.0.2.2"]


async def test_latency_is_laid_over_each_load_but_not_for_pops_that_left(world):
    site = SITE.replace("sin: }", "}").replace("      - {pop: sin, address: 192.0.2.3}\n", "")
    write_site(world.directory, site=site, latency=LATENCY)
    await world.load(overlay(latency=(measured("", "sin", 1.0), measured("", "fra", 2.0))))
    assert table(world.publisher) == {("default", "", "fra"): 2, ("default", "", "ams"): 30}


async def test_explain_gives_the_answer_that_a_query_gets(world):
    explained = world.publisher.explain("www.example.com.", A, "192.0.2.9", None)
    assert explained["generation"] == world.publisher.generation
    assert [record.data for record in explained["answer"].answer] == world.ask("www.example.com")
    with pytest.raises(InvalidChangeError):
        world.publisher.explain("www.example.com.", A, "nobody", None)
