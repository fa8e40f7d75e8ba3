from __future__ import annotations

from random import Random

import pytest
from aiohttp.test_utils import TestClient, TestServer

from gslb.aliases.flattener import Flattener
from gslb.api.app import SERVER_LIMITS, build_app
from gslb.health.checker import Checker
from gslb.operations.operations import Operations
from gslb.store.store import Store
from gslb.store.token import Token
from gslb.telemetry.metrics import metrics_renderer
from tests.unit.fakes import FakeClock, FakeProber, FakePublisher, FakeResolver

TOKEN = "correct-horse-battery-staple"
AUTH = {"Authorization": f"Bearer {TOKEN}"}


class Server:
    """The API over real operations and a data plane that is not one; ``ready`` can be switched."""

    def __init__(self):
        self.clock = FakeClock()
        self.publisher = FakePublisher()
        self.ready = True

    async def start(self, directory):
        self.store = await Store.open(directory)
        self.prober = FakeProber(self.clock)
        self.checker = Checker(self.prober, self.clock, randomness=Random(1))
        self.flattener = Flattener(self.publisher.publish_flattened, self.clock, make_resolver=FakeResolver)
        self.operations = Operations(
            self.publisher, self.store, self.checker, self.flattener, self.clock, version="1.2.3"
        )
        await self.operations.start()
        app = build_app(
            self.operations,
            Token(TOKEN),
            ready=lambda: self.ready,
            metrics=metrics_renderer(self.operations.counters, self.operations.gauges),
            version="1.2.3",
        )
        test_server = TestServer(app)
        await test_server.start_server(**SERVER_LIMITS)
        self.client = TestClient(test_server, headers=AUTH)

    async def stop(self):
        await self.client.close()
        await self.operations.stop()
        await self.flattener.stop()
        await self.checker.stop()
        await self.store.close()

    async def problem(self, method, path, status, **request):
        """Send a request that must end in a problem document, and return that."""
        response = await self.client.request(method, path, **request)
        assert response.status == status, await response.text()
        assert response.content_type == "application/problem+json"
        problem = await response.json(content_type=None)
        assert problem["status"] == status
        assert problem["type"].startswith("urn:gslb:problem:")
        assert problem["detail"]
        return problem

    async def json(self, method, path, **request):
        response = await self.client.request(method, path, **request)
        assert response.status == 200, await response.text()
        assert response.content_type == "application/json"
        return await response.json()


@pytest.fixture
async def server(tmp_path):
    server = Server()
    await server.start(tmp_path)
    yield server
    await server.stop()
