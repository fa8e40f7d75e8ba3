"""Draining and undraining: durable, then published, then acknowledged; expiry; warnings."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from gslb.errors import InvalidChangeError, NotFoundError, StateError
from gslb.model.health import Drain
from gslb.operations import operations
from tests.unit.fakes import START

HOUR = timedelta(hours=1)


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
