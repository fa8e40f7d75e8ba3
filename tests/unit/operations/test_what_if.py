"""Suppositions: read, checked, and laid over drains, health and loads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gslb.errors import InvalidChangeError
from gslb.model.health import Observed
from gslb.model.what_if import Suppositions
from gslb.operations.what_if import Requested, read_suppositions
from tests.unit.fakes import START, example_site


def octets(world, **requested):
    world.operations.explain("www.example.com", "A", "192.0.2.7", None, Requested(**requested))
    verdicts, loads = world.publisher.supposed
    return bytes(octet & 3 for octet in verdicts), loads.hex()


async def test_pops_pools_and_loads_are_supposed_and_nothing_is_published(world):
    generation = world.publisher.generation
    assert octets(world, down=("fra",)) == (bytes([1, 0, 0, 1]), "")
    assert octets(world, down=("web/fra",), drain=("sin",)) == (bytes([1, 0, 2, 0]), "")
    assert octets(world, load={"ams": 0.5}) == (bytes(4), "ffff01f4ffffffff")
    world.operations.set_load("fra", 0.25)
    assert octets(world, load={"ams": 0.5}) == (bytes(4), "00fa01f4ffffffff")
    assert world.publisher.generation == generation + 1
    assert world.publisher.verdicts == bytes(4)


async def test_without_suppositions_the_published_state_is_explained(world):
    world.operations.explain("www.example.com", "A", "192.0.2.7", None)
    assert world.publisher.supposed is None


async def test_health_and_drains_hold_beside_what_is_supposed(world):
    await world.operations.drain("ams", "cable", "ana", None)
    world.operations._verdicts.table.observe([2], Observed.DOWN)
    assert octets(world, down=("fra",)) == (bytes([1, 2, 1, 1]), "")


async def test_at_another_time_drains_have_ended_and_loads_are_too_old(world):
    await world.operations.drain("fra", "x", "ana", START + timedelta(hours=1))
    await world.operations.drain("ams", "x", "ana", None)
    world.operations.set_load("sin", 0.5)
    assert octets(world, at="59m")[0] == bytes([2, 2, 0, 2])
    assert octets(world, at="1h")[0] == bytes([0, 2, 0, 0])
    assert octets(world, at="2026-03-01T14:00:00+01:00")[0] == bytes([0, 2, 0, 0])
    assert octets(world, at="2026-03-01T11:59:59Z")[0] == bytes(4)
    assert octets(world, at="60s")[1] == "ffffffff01f4ffff"
    assert octets(world, at="61s")[1] == ""
    assert octets(world, at="2h", drain=("sin",), load={"sin": 1})[0] == bytes([0, 2, 2, 0])
    report = world.operations.explain("www.example.com", "A", "192.0.2.7", None, Requested(at="1h"))
    assert report.endpoints[0].drain is None
    assert report.supposing.text == "at 2026-03-01 13:00:00Z"


def test_everything_wrong_is_told_at_once():
    requested = Requested(
        down=("fra", "web/frb"), drain=("web/fra",), load={"nope": 1, "fra": 66}, at="tomorrow"
    )
    with pytest.raises(InvalidChangeError) as caught:
        read_suppositions(requested, example_site(), START)
    assert [pointer for pointer, _ in caught.value.problems] == ["/down", "/drain", "/load", "/load", "/at"]
    assert "did you mean" in caught.value.problems[0][1]


@pytest.mark.parametrize(
    "at", ["", "now", "2026-03-01T12:00:00", "9999-12-31T00:00:00Z", "600w" * 9, "999999w"]
)
def test_what_is_no_time_is_refused(at):
    with pytest.raises(InvalidChangeError, match=r"^/at: "):
        read_suppositions(Requested(at=at), example_site(), START)


def test_loads_that_are_no_numbers_are_refused():
    with pytest.raises(InvalidChangeError, match="a load is 0 to 65"):
        read_suppositions(Requested(load={"fra": float("nan")}), example_site(), START)


def test_suppositions_have_words():
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    both = Suppositions(down=("fra",), drain=("iad",), load={"sin": 0.9}, at=at)
    assert str(both) == "fra down and iad drained and sin at load 0.9, at 2026-03-01 12:00:00Z"
    assert both
    assert not Suppositions()
    assert str(Suppositions()) == ""
