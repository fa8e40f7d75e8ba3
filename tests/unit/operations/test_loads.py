"""Loads as the API reports them: published at once, held against wavering, unknown when they grow old."""

from __future__ import annotations

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from gslb.errors import InvalidChangeError, NotFoundError
from gslb.model.site import LoadSettings, Milliseconds
from gslb.operations.latency_changes import RequestedLatency
from tests.unit.fakes import START, example_site

UNKNOWN = "ffff"


async def test_a_load_is_published_at_once_and_reported_with_its_age(world):
    result = world.operations.set_load("fra", 0.83)
    assert result.generation == world.publisher.generation == 2
    assert world.publisher.loads.hex() == "033e" + 3 * UNKNOWN
    assert world.publisher.verdicts == bytes(4)
    world.clock.elapsed = 12.5
    load = world.operations.pop("fra").pop.load
    assert (load.load, load.reported, load.age) == (0.83, 0.83, 12.5)
    assert load.expires_at == START + timedelta(seconds=60)
    assert world.operations.pop("ams").pop.load is None
    assert (await world.operations.gauges()).loads == {"fra": 0.83}


async def test_what_changes_nothing_is_not_published(world):
    world.operations.set_load("fra", 0.83)
    result = world.operations.set_load("fra", 0.80)
    assert result.generation == world.publisher.generation == 2
    assert (result.loads["fra"].load, result.loads["fra"].reported) == (0.83, 0.80)


async def test_several_loads_share_a_publish(world):
    result = world.operations.set_loads({"fra": 0.5, "sin": 1.25, "ams": None})
    assert [what for what, _ in world.publisher.published] == ["site", "verdicts"]
    assert world.publisher.loads.hex() == "01f4" + UNKNOWN + "04e2" + UNKNOWN
    assert result.loads["ams"] is None
    assert result.loads["sin"].load == 1.25


async def test_a_timer_publishes_that_a_load_is_unknown(world):
    world.operations.set_load("fra", 0.83)
    await world.clock.advance(59)
    assert world.publisher.loads
    with capture_logs() as logs:
        await world.clock.advance(3)
    assert world.publisher.loads == b""
    assert world.operations.pop("fra").pop.load is None
    assert [(line["event"], line["pops"]) for line in logs if "pops" in line] == [
        ("loads not reported any more", ["fra"])
    ]


async def test_loads_stay_over_a_reload_and_go_with_a_restart(world):
    world.operations.set_loads({"fra": 0.5, "ams": 0.4})
    site = example_site()
    world.publisher.site = site.model_copy(
        update={"pops": (*site.pops[1:], site.pops[0]), "load": LoadSettings(max_age=30)}
    )
    world.clock.elapsed = 20
    await world.operations.reload()
    assert world.publisher.loads.hex() == "0190" + 2 * UNKNOWN + "01f4"
    assert world.operations.pop("fra").pop.load.expires_at == START + timedelta(seconds=30)
    await world.clock.advance(12)
    assert world.publisher.loads == b""
    world.operations.set_load("fra", 0.5)
    await world.restart()
    assert world.publisher.loads == b""


async def test_loads_go_with_every_publish(world):
    world.operations.set_load("fra", 0.5)
    await world.operations.drain("sin", "cable", "ana", None)
    assert world.publisher.loads.hex() == "01f4" + 3 * UNKNOWN
    await world.operations.set_latency([RequestedLatency("default", "fra", 1)], "ana")
    assert world.publisher.loads.hex() == "01f4" + 3 * UNKNOWN
    assert [octet & 3 for octet in world.publisher.octets] == [0, 0, 2, 0]


async def test_wrong_loads_change_nothing(world):
    with pytest.raises(NotFoundError, match="no POP is named 'nope'"):
        world.operations.set_load("nope", 0.5)
    for load in (-0.1, 65.1, float("nan")):
        with pytest.raises(InvalidChangeError, match="a load is 0 to 65, 1 for a POP that is full"):
            world.operations.set_load("fra", load)
    with pytest.raises(InvalidChangeError) as caught:
        world.operations.set_loads({"fra": 66, "a/b~": 0.5, "ams": 0.5})
    assert [pointer for pointer, _ in caught.value.problems] == ["/loads/fra", "/loads/a~1b~0"]
    for none in ({}, {str(number): 0.5 for number in range(4097)}):
        with pytest.raises(InvalidChangeError, match="a request has 1 to 4096"):
            world.operations.set_loads(none)
    assert world.publisher.generation == 1


async def test_a_small_change_of_latency_leaves_all_as_it_was(world):
    site = example_site()
    world.publisher.site = site.model_copy(update={"latency_hysteresis": Milliseconds(milliseconds=2)})
    await world.operations.reload()
    generation = world.publisher.generation
    result = await world.operations.set_latency([RequestedLatency("country:DE", "fra", 11)], "ana")
    assert (result.changed, result.unchanged, result.generation) == (0, 1, generation)
    assert await world.store.latency() == []
    both = [RequestedLatency("country:DE", "fra", 11.5), RequestedLatency("country:FR", "fra", 4)]
    result = await world.operations.set_latency(both, "ana")
    assert (result.changed, result.unchanged) == (2, 0)
    back = [RequestedLatency("country:DE", "fra", None), RequestedLatency("country:FR", "fra", 5)]
    result = await world.operations.set_latency(back, "ana")
    assert (result.changed, result.unchanged) == (1, 1)
    assert {row.location: row.ms for row in world.operations.latency().rows} == {
        "country:DE": 9,
        "country:FR": 4,
    }
