"""A world for each test."""

import pytest

from tests.unit.operations.world import World


@pytest.fixture
async def world(tmp_path):
    world = World(tmp_path)
    await world.start()
    yield world
    await world.stop()
