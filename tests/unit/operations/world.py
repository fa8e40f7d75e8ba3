"""Operations with everything around it in memory, but for the store."""

from __future__ import annotations

from random import Random

from gslb.aliases.flattener import Flattener
from gslb.health.checker import Checker
from gslb.operations.operations import Operations
from gslb.store.store import Store
from tests.unit.fakes import FakeClock, FakeProber, FakePublisher, FakeResolver


class World:
    """Operations with everything around it; ``restart`` keeps only what is on disk."""

    def __init__(self, directory):
        self.directory = directory
        self.clock = FakeClock()
        self.operations = None

    async def start(self):
        self.prober = FakeProber(self.clock)
        self.publisher = FakePublisher()
        self.store = await Store.open(self.directory)
        self.checker = Checker(self.prober, self.clock, randomness=Random(1))
        self.flattener = Flattener(self.publisher.publish_flattened, self.clock, make_resolver=FakeResolver)
        self.operations = Operations(
            self.publisher, self.store, self.checker, self.flattener, self.clock, version="1.2.3"
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
