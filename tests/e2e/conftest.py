"""A site, its backends and its server, for end-to-end tests."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.backends import Backend
from tests.e2e.server import Server
from tests.e2e.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the test geo databases."""
    directory = tmp_path_factory.mktemp("geo")
    runpy.run_path(str(ROOT / "geo_fixtures" / "build.py"))["build"](directory)
    return directory


@pytest.fixture(scope="session")
def healthy_ports() -> Iterator[dict[str, int]]:
    """Where each POP's backend answers, for tests that leave them alone."""
    backends = {pop: Backend() for pop in ("fra", "ams", "iad")}
    yield {pop: backend.port for pop, backend in backends.items()}
    for backend in backends.values():
        backend.stop()


@pytest.fixture
def backends() -> Iterator[dict[str, Backend]]:
    """Each POP's backend, for tests that stop them."""
    started = {pop: Backend() for pop in ("fra", "ams", "iad")}
    yield started
    for backend in started.values():
        backend.stop()


@pytest.fixture
def site(tmp_path: Path, databases: Path, healthy_ports: dict[str, int]) -> Site:
    """A site of this test's own."""
    return Site(tmp_path / "site", databases, healthy_ports)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts a server on a site directory; it ends with the test."""
    servers: list[Server] = []

    def start(site: Path, state: Path = tmp_path / "state", **options: object) -> Server:
        servers.append(Server(site, state, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.end()


@pytest.fixture
def server(site: Site, start: Callable[..., Server]) -> Server:
    """A server of this test's own."""
    return start(site.path)


@pytest.fixture(scope="module")
def shared(
    tmp_path_factory: pytest.TempPathFactory, databases: Path, healthy_ports: dict[str, int]
) -> Iterator[Server]:
    """A server for all tests of a file that do not change what it serves."""
    directory = tmp_path_factory.mktemp("shared")
    server = Server(Site(directory / "site", databases, healthy_ports).path, directory / "state")
    yield server
    server.end()
