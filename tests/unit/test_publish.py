"""The publisher over the real native module and a real site directory."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from contextlib import suppress
from pathlib import Path

import dns.message
import pytest
from structlog.testing import capture_logs

from gslb import prepare
from gslb import publish as subject
from gslb._dataplane import DataPlane
from gslb.config.files import stamps
from gslb.errors import InvalidChangeError, NotFoundError, SiteError
from gslb.model.change import Overlay
from gslb.model.site import LatencyRow, LocationKind
from gslb.publish import Publisher
from tests.geo import write_countries, write_database
from tests.unit.sites import LATENCY, SITE, ZONE, write_site

A, CNAME, SOA, TXT, AAAA = 1, 5, 6, 16, 28
ORIGIN = "example.com."
HOUR_NS = 3_600_000_000_000
ADDED = ("added.example.com.", A, 60, [bytes([192, 0, 2, 200])])


class World:
    """A publisher with its data plane and site directory."""

    def __init__(self, directory):
        self.directory = directory
        self.dataplane = DataPlane(seed=1)
        self.ahead_ns = 0
        self.publisher = Publisher(
            directory, self.dataplane, nanoseconds=lambda: time.time_ns() + self.ahead_ns
        )

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
    assert list(publisher.origins()) == []


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


async def test_what_was_served_is_freed_by_a_thread(world, monkeypatch):
    jobs = []
    prepared = await world.publisher.prepare_site(Overlay())
    before = weakref.ref(world.publisher.steering), weakref.ref(world.publisher.steering.pools[0])
    loop = asyncio.get_running_loop()
    with monkeypatch.context() as patched:
        patched.setattr(loop, "run_in_executor", lambda _, job, *values: jobs.append((job, values)))
        endpoints = sum(len(pool.endpoints) for pool in prepared.steering.pools)
        world.publisher.commit_site(prepared, bytes(endpoints))
    assert [one() is None for one in before] == [False, False], "not by the event loop"
    ((job, values),) = jobs
    await asyncio.to_thread(job, *values)
    assert [one() is None for one in before] == [True, True]


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


WWW, WITHOUT_WWW = "www.example.com.", ("www.example.com.", A, 0, [])
SIXTH = (WWW, AAAA, 60, [bytes(15) + b"\1"])


async def test_a_name_keeps_its_last_resort(world):
    with pytest.raises(
        InvalidChangeError, match=r"'www.example.com.' would have no A or AAAA record"
    ) as caught:
        await world.change(ADDED, WITHOUT_WWW)
    (finding,) = caught.value.findings
    assert finding.message.endswith("; leave it, or change when_all_down of the pool first")
    assert caught.value.problems == (("1", finding.message),)
    assert str(caught.value) == finding.message
    assert (finding.rule, finding.severity) == ("site-fallback-without-records", "error")
    assert (finding.place.file, finding.place.line) == ("site/site.yaml", 18)
    assert world.serial == 10
    # Another type will do, and other removals concern nobody.
    await world.change(WITHOUT_WWW, SIXTH, (WWW, TXT, 0, []), ("ns1.lab.example.com.", A, 0, []))
    with pytest.raises(InvalidChangeError):
        await world.change((*SIXTH[:3], []))
    # Nor does it matter of a pool that does not fall back.
    write_site(world.directory, site=SITE.replace("fallback", "nodata"))
    await world.load()
    await world.change(WITHOUT_WWW)


async def test_a_reload_keeps_the_last_resort_that_the_api_removed(world):
    write_site(world.directory, site=SITE.replace("fallback", "nodata"))
    await world.load(overlay(WITHOUT_WWW, ADDED, serial=11))
    write_site(world.directory)
    with pytest.raises(SiteError) as caught:
        await world.load(overlay(WITHOUT_WWW, ADDED, serial=11))
    (finding,) = caught.value.findings
    assert (finding.rule, finding.place.line) == ("site-fallback-without-records", 18)
    assert "removed through the API: set it anew, or give it back to the file" in finding.message
    # Others fit, and a start leaves the removal out.
    await world.load(overlay(WITHOUT_WWW, SIXTH, serial=11))
    prepared = await world.publisher.prepare_site(overlay(WITHOUT_WWW, ADDED, serial=11), lambda _: True)
    assert prepared.left_out == {(ORIGIN, WWW, A)}
    (remark,) = [finding for finding in prepared.findings if finding.rule == "zone-api-change"]
    assert (remark.severity, "no records to fall back to" in remark.message) == ("warning", True)
    assert prepared.zones[ORIGIN].rrset(WWW, A) is not None
    assert prepared.zones[ORIGIN].rrset("added.example.com.", A) is not None


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


GEO_SITE = SITE.replace(
    "    - geo: {default: [ams]}\n", "    - geo: {country: {DE: [fra], US: [sin]}, default: [ams]}\n"
)
GEO_SITE += "geo: {databases: [../city.mmdb]}\n"


@pytest.fixture
async def geo_world(tmp_path, monkeypatch):
    """A site whose only database, beside its directory, has the client's network in Germany."""
    monkeypatch.chdir(tmp_path)
    write_countries(tmp_path / "city.mmdb", {"192.0.2.0/24": "DE"})
    world = World(write_site(tmp_path / "site", site=GEO_SITE))
    await world.load()
    assert world.ask("www.example.com")[0] == "192.0.2.1"
    return world


async def test_a_new_database_is_in_force_at_once_and_what_moves_is_logged(geo_world, tmp_path):
    write_countries(tmp_path / "city.mmdb", {"192.0.2.0/24": "US"})
    with capture_logs() as logs:
        await geo_world.load()
    assert geo_world.ask("www.example.com")[0] == "192.0.2.3"
    changed, moved = logs
    assert changed["event"] == "geo data changed"
    assert (changed["names_with_moves"], changed["not_compared"]) == (1, 0)
    assert (moved["names"], moved["networks"], moved["ipv4_addresses"]) == (["www.example.com."], 1, 256)
    assert (moved["ipv6_48s"], moved["largest"]) == (0, ["ams+fra to fra+sin: 1 networks of US"])


async def test_a_reload_that_changes_no_geo_data_logs_no_moves(geo_world, tmp_path):
    write_countries(tmp_path / "city.mmdb", {"192.0.2.0/24": "DE"})
    with capture_logs() as logs:
        await geo_world.load()
    assert logs == []


@pytest.mark.parametrize("damage", ["", "text", "half"])
async def test_a_broken_database_is_refused_by_name_and_the_old_one_stays(geo_world, tmp_path, damage):
    database = tmp_path / "city.mmdb"
    whole = database.read_bytes()
    generation = geo_world.publisher.generation
    # In its place, as a copy that stopped half way leaves it.
    with database.open("r+b") as file:
        file.truncate(0)
        file.write(whole[: len(whole) // 2] if damage == "half" else damage.encode())
    with pytest.raises(SiteError) as refused:
        await geo_world.load()
    (error,) = (found for found in refused.value.findings if found.rule == "site-geo-database")
    assert str(database) in error.message
    assert geo_world.publisher.generation == generation
    assert geo_world.ask("www.example.com")[0] == "192.0.2.1"
    database.write_bytes(whole)
    await geo_world.load()
    assert geo_world.publisher.generation > generation


@pytest.mark.parametrize(
    ("steps", "is_refused"), [("geo: {country: {DE: [fra]}}", True), ("distance", True), ("latency", False)]
)
async def test_a_database_of_another_kind_is_refused_if_policies_look_at_what_it_lacks(
    geo_world, tmp_path, steps, is_refused
):
    write_database(
        tmp_path / "city.mmdb",
        {
            "192.0.2.0/24": {
                "country": {"iso_code": "DE"},
                "location": {"latitude": 50.0, "longitude": 8.0},
            }
        },
    )
    # Others of the site say places and coordinates too.
    write_countries(tmp_path / "other.mmdb", {"198.51.100.0/24": "US"})
    site = SITE.replace("    - distance\n", "").replace("geo: {default: [ams]}", steps)
    site += "geo: {databases: [../city.mmdb, ../other.mmdb]}\n"
    write_site(geo_world.directory, site=site)
    generation = await geo_world.load()
    write_database(tmp_path / "city.mmdb", {"192.0.2.0/24": {"autonomous_system_number": 64500}})
    if not is_refused:
        assert await geo_world.load() == generation + 1
        return
    with pytest.raises(SiteError) as caught:
        await geo_world.load()
    (finding,) = caught.value.findings
    assert (finding.rule, finding.place.file) == ("site-geo-database", "city.mmdb")
    assert (
        "city.mmdb is of another kind than the one it replaces: it has AS numbers and no" in finding.message
    )
    assert geo_world.publisher.generation == generation


async def test_files_that_the_site_names_are_known_wherever_they_are(geo_world, tmp_path):
    for name in ("elsewhere.inc", "latency.csv"):
        (tmp_path / name).write_text("extra IN TXT text\n" if name.endswith("inc") else LATENCY)
    (geo_world.directory / "inside.inc").write_text("inside IN TXT text\n")
    zone = ZONE + "$INCLUDE ../elsewhere.inc\n$INCLUDE inside.inc\n"
    site = GEO_SITE.replace("table: latency.csv", "table: ../latency.csv")
    write_site(geo_world.directory, site=site, zone=zone)
    geo_world.ahead_ns = HOUR_NS
    await geo_world.load()
    named = geo_world.publisher.named
    assert {path.name for path in named.files} == {"city.mmdb", "elsewhere.inc", "latency.csv"}
    assert all(path.is_absolute() and path.is_file() for path in named.files)
    assert {Path(stamp[0]).name for stamp in named.seen} == {"city.mmdb", "elsewhere.inc", "latency.csv"}


@pytest.fixture
def including(world, tmp_path, monkeypatch):
    """A world whose zone includes ``elsewhere.inc``; ``between`` is done when it has been read."""
    included = tmp_path / "elsewhere.inc"
    included.write_text("extra IN TXT one\n")
    write_site(world.directory, zone=ZONE + "$INCLUDE ../elsewhere.inc\n")
    load = prepare.load_site

    def load_and_more(directory):
        loaded = load(directory)
        world.between()
        return loaded

    monkeypatch.setattr(prepare, "load_site", load_and_more)
    world.between = lambda: None
    world.included = included
    return world


def seen_and_now(world):
    named = world.publisher.named
    return named.seen, stamps(named.files)


async def test_a_file_that_changes_after_it_was_first_read_is_not_known_as_it_is_now(including):
    including.between = lambda: including.included.write_text("extra IN TXT two\n")
    await including.load()
    assert including.ask("extra.example.com", "TXT") == ['"one"']
    assert {Path(stamp[0]).name for stamp in including.publisher.named.seen} == {"latency.csv"}
    # Loaded once more it is known, however young it is: no reload follows from it for ever.
    including.between = lambda: None
    await including.load()
    seen, now = seen_and_now(including)
    assert seen == now != frozenset()


@pytest.mark.parametrize("by_link", [False, True])
async def test_a_known_file_that_changes_after_it_was_read_is_known_as_it_was(including, tmp_path, by_link):
    including.ahead_ns = HOUR_NS
    await including.load()
    before, _ = seen_and_now(including)
    (tmp_path / "other.inc").write_text("extra IN TXT two\n")

    def change():
        if by_link:
            including.included.unlink()
            including.included.symlink_to("other.inc")
        else:
            including.included.write_text("extra IN TXT two and more\n")

    including.between = change
    await including.load()
    seen, now = seen_and_now(including)
    assert seen == before != now
    assert including.ask("extra.example.com", "TXT") == ['"one"']


@pytest.mark.parametrize("is_on", [True, False])
@pytest.mark.parametrize("zone", [ZONE, "broken"])
async def test_no_garbage_is_collected_while_a_site_loads(world, monkeypatch, is_on, zone):
    during = []
    prepare = subject.prepare_site
    monkeypatch.setattr(
        subject, "prepare_site", lambda *arguments: during.append(gc.isenabled()) or prepare(*arguments)
    )
    write_site(world.directory, zone=zone)
    (gc.enable if is_on else gc.disable)()
    try:
        with suppress(SiteError):
            await world.load()
        assert (during, gc.isenabled()) == ([False], is_on)
    finally:
        gc.enable()
        gc.unfreeze()
