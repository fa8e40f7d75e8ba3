"""ALIAS targets over time: resolved, refreshed, stale, forgotten, with a clock and a resolver of the test."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from structlog.testing import capture_logs

from gslb.aliases import flattener as subject
from gslb.aliases.external import ExternalAlias
from gslb.aliases.flattener import AAAA, A, Flattener
from gslb.aliases.resolution import Resolution
from gslb.model.alias import AliasState
from gslb.model.site import Nameserver, ResolverSettings
from tests.unit.fakes import FakeClock, FakeResolver, settle

SERVERS = (Nameserver(address="192.0.2.53"),)
SETTINGS = ResolverSettings(nameservers=SERVERS, min_ttl=30, max_ttl=3600, stale=1000)
CDN = "cdn.example.org."
APEX = ExternalAlias("example.com.", 300, (CDN,))
ONE, TWO = b"\xc0\0\2\1", b"\xc0\0\2\2"


class World:
    def __init__(self):
        self.clock = FakeClock()
        self.resolver = FakeResolver()
        self.tables = []
        self.flattener = Flattener(
            self.tables.append,
            self.clock,
            make_resolver=lambda _: self.resolver,
            randomness=Random(1),
            concurrency=4,
        )

    def rows(self, rtype=A):
        """The rows published last, of one type."""
        return [row for row in self.tables[-1] if row[1] == rtype]

    async def start(self, *aliases, settings=SETTINGS):
        self.flattener.reconfigure(aliases or (APEX,), settings)
        await self.clock.advance(0.2)


@pytest.fixture
async def world():
    world = World()
    with capture_logs():
        yield world
    await world.flattener.stop()


@pytest.mark.parametrize(("of_target", "answered"), [(60, 60), (5, 30), (9999, 3600)])
async def test_the_ttl_is_within_floor_and_ceiling(world, of_target, answered):
    world.resolver.answers[CDN, A] = Resolution(of_target, (ONE, TWO))
    await world.start(APEX._replace(ttl=10))
    assert world.rows() == [(CDN, A, answered, [ONE, TWO], False)]
    assert [(row[0], row[3]) for row in world.rows(AAAA)] == [(CDN, [])]


async def test_addresses_are_refreshed_before_they_expire(world):
    world.resolver.answers[CDN, A] = Resolution(100, (ONE,))
    await world.start()
    world.resolver.answers[CDN, A] = Resolution(100, (TWO,))
    await world.clock.advance(60)
    assert world.rows()[0][3] == [ONE]
    await world.clock.advance(32)
    assert world.rows() == [(CDN, A, 100, [TWO], False)]
    assert (world.flattener.failures, world.resolver.asked.count((CDN, A))) == (0, 2)


async def test_without_a_resolver_that_answers_data_becomes_stale_and_is_then_forgotten(world):
    world.resolver.answers[CDN, A] = Resolution(100, (ONE,))
    await world.start()
    world.resolver.answers[CDN, A] = "timed out"
    await world.clock.advance(99)
    assert world.rows() == [(CDN, A, 100, [ONE], False)]
    await world.clock.advance(2)
    assert world.rows() == [(CDN, A, 30, [ONE], True)]  # RFC 8767 section 4
    assert world.flattener.state(CDN) is AliasState.STALE
    assert world.flattener.lookups(CDN)[0].error == "timed out"
    await world.clock.advance(997)
    assert world.rows()[0][4]
    await world.clock.advance(3)
    assert world.rows() == []
    assert world.flattener.state(CDN) is AliasState.UNKNOWN
    world.resolver.answers[CDN, A] = Resolution(100, (TWO,))
    await world.clock.advance(61)
    assert world.rows() == [(CDN, A, 100, [TWO], False)]


async def test_data_becomes_stale_while_a_question_hangs(world):
    world.resolver.answers[CDN, A] = Resolution(100, (ONE,))
    await world.start()
    world.resolver.gate = asyncio.Event()
    await world.clock.advance(102)
    assert world.rows()[0][4]


async def test_failures_are_tried_again_with_backoff(world):
    world.resolver.answers[CDN, A] = "refused"
    await world.start()
    await world.clock.advance(600)
    tries = world.resolver.asked.count((CDN, A))
    assert 14 <= tries <= 19  # after 1, 2, 4, … 60 seconds and up to a quarter earlier
    assert world.flattener.failures == tries


async def test_aliases_of_one_target_share_its_questions_and_its_addresses(world):
    both = ExternalAlias("example.net.", 60, ("other.test.", CDN))
    await world.start(APEX, both)
    assert sorted(world.resolver.asked) == [(CDN, A), (CDN, AAAA), ("other.test.", A), ("other.test.", AAAA)]
    assert [row[0] for row in world.rows()] == [CDN, "other.test."]
    assert world.flattener.states() == {AliasState.FRESH: 2, AliasState.STALE: 0, AliasState.UNKNOWN: 0}
    pairs = [(APEX, CDN), (both, "other.test."), (both, CDN)]
    for offset in range(5):
        for limit in range(1, 5):
            assert world.flattener.page(offset, limit) == pairs[offset : offset + limit]
    assert world.flattener.leads == 3


async def test_states_are_those_of_each_target(world):
    world.resolver.answers[CDN, AAAA] = "refused"
    world.resolver.answers["other.test.", A] = Resolution(30, (ONE,))
    aliases = [APEX, ExternalAlias("example.net.", 60, ("other.test.", "third.test."))]
    await world.start(*aliases)
    await world.clock.advance(10)
    world.resolver.gate = asyncio.Event()
    await world.clock.advance(25)
    states = [world.flattener.state(target) for target in (CDN, "other.test.", "third.test.")]
    assert states == [AliasState.UNKNOWN, AliasState.STALE, AliasState.FRESH]
    assert world.flattener.states() == dict.fromkeys(AliasState, 1)
    world.flattener.reconfigure(aliases, None)
    assert world.flattener.states() == {AliasState.FRESH: 0, AliasState.STALE: 0, AliasState.UNKNOWN: 3}


async def test_a_change_that_leaves_the_targets_leaves_everything(world, monkeypatch):
    await world.start()
    monkeypatch.setattr(world.flattener, "publish", None)
    renamed = APEX._replace(owner="renamed.example.com.")
    world.flattener.reconfigure([APEX, renamed], SETTINGS)
    assert world.flattener.page(0, 10) == [(APEX, CDN), (renamed, CDN)]
    assert len(world.resolver.asked) == 2


async def test_without_targets_nobody_waits_for_them(world):
    world.flattener.reconfigure([], None)
    await world.flattener.wait_until_tried(3_600)
    assert world.clock.elapsed == 0


async def test_names_that_are_too_many_are_warned_of(world):
    cut = APEX._replace(is_whole=False)
    with capture_logs() as logs:
        await world.start(cut, cut._replace(owner="example.net."))
    (warning,) = [entry for entry in logs if entry["log_level"] == "warning"]
    assert warning["event"] == "ALIAS leads to too many names"
    assert (warning["alias"], warning["aliases"], warning["followed"]) == ("example.com.", 2, 1024)


async def test_questions_in_flight_are_bounded(world):
    world.resolver.gate = asyncio.Event()
    await world.start(*(ExternalAlias(f"a{n}.test.", 60, (f"t{n}.test.",)) for n in range(10)))
    assert len(world.resolver.asked) == 4
    world.resolver.gate.set()
    await world.clock.advance(1)
    assert len(world.resolver.asked) == 20


async def test_an_alias_with_another_target_is_never_answered_with_the_old_ones_addresses(world):
    world.resolver.answers[CDN, A] = Resolution(100, (ONE,))
    await world.start()
    world.flattener.reconfigure([APEX._replace(targets=("other.test.",))], SETTINGS)
    assert world.tables[-1] == []
    world.flattener.reconfigure([], SETTINGS)
    await world.clock.advance(500)
    assert (CDN, A) not in world.resolver.asked[2:]


async def test_a_reload_keeps_what_is_known_and_publishes_nothing_new(world):
    world.resolver.answers[CDN, A] = Resolution(100, (ONE,))
    await world.start()
    published, asked = len(world.tables), len(world.resolver.asked)
    await world.start()
    assert (len(world.tables), len(world.resolver.asked)) == (published, asked)
    await world.start(settings=SETTINGS.model_copy(update={"timeout": 1.0}))
    assert len(world.tables) == published
    assert len(world.resolver.asked) == asked + 2


async def test_without_settings_nothing_is_resolved_and_what_was_known_is_withdrawn(world):
    world.resolver.answers[CDN, A] = Resolution(100, (ONE,))
    await world.start()
    await world.start(settings=None)
    assert world.tables[-1] == []
    assert world.flattener.state(CDN) is AliasState.UNKNOWN
    await world.clock.advance(500)
    assert len(world.resolver.asked) == 2


async def test_answers_that_come_together_are_published_together(world):
    await world.start(*(ExternalAlias(f"a{n}.test.", 60, (f"t{n}.test.",)) for n in range(100)))
    await world.clock.advance(0.5)
    assert len(world.tables[-1]) == 200
    assert len(world.tables) <= 4


async def test_a_fault_in_the_resolver_is_a_failure_like_any_other(world, monkeypatch):
    async def broken(name, rtype):
        raise RuntimeError(name)

    monkeypatch.setattr(world.resolver, "resolve", broken)
    await world.start()
    assert world.flattener.lookups(CDN)[0].error == "RuntimeError"
    monkeypatch.undo()
    await world.clock.advance(2)
    assert world.flattener.state(CDN) is AliasState.FRESH


async def test_the_wait_at_start_ends_when_all_were_tried(world):
    world.resolver.answers[CDN, A] = "refused"
    world.flattener.reconfigure([APEX], SETTINGS)
    waiting = asyncio.create_task(world.flattener.wait_until_tried(2.0))
    await settle()
    assert waiting.done()
    assert world.rows(AAAA)


async def test_the_wait_at_start_ends_in_time(world):
    world.resolver.gate = asyncio.Event()
    world.flattener.reconfigure([APEX], SETTINGS)
    waiting = asyncio.create_task(world.flattener.wait_until_tried(2.0))
    await world.clock.advance(1.9)
    assert not waiting.done()
    await world.clock.advance(0.2)
    assert waiting.done()


async def test_the_wait_at_start_is_none_without_aliases(world):
    world.flattener.reconfigure([], None)
    waiting = asyncio.create_task(world.flattener.wait_until_tried(2.0))
    await settle()
    assert waiting.done()
    assert world.tables == []


async def test_the_same_aliases_again_are_no_work_and_no_warning(world, monkeypatch):
    monkeypatch.setattr(subject, "MAXIMUM_TARGETS", 1)
    two = APEX._replace(owner="two.example.com.", targets=("two.example.org.",))
    with capture_logs() as logs:
        await world.start(APEX, two)
        looked = []
        monkeypatch.setattr(world.flattener, "_rows", lambda: looked.append(1) or [])
        world.flattener.reconfigure([APEX, two], SETTINGS.model_copy())
    assert [entry["event"] for entry in logs] == ["too many ALIAS targets"]
    assert looked == []


async def test_without_aliases_all_is_tried(world):
    world.flattener.reconfigure([], None)
    await asyncio.wait_for(world.flattener.wait_until_tried(1e9), 10)
