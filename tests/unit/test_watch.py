"""Changes that nothing reports are found all the same, by looking."""

import asyncio
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace

import pytest

from gslb import watch


class Watching:
    """``watch_site`` on a directory; ``reloads`` has each reload's cause."""

    def __init__(self, site, state):
        self.site, self.state = site, state
        self.reloads = asyncio.Queue()
        self.publisher = SimpleNamespace(steering=SimpleNamespace(databases=(), override_files=()))

    async def run(self, loaded):
        await watch.watch_site(self.site, self.state, self.publisher, self.reloads.put, loaded)


@pytest.fixture
async def watching(tmp_path, monkeypatch):
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.05)
    site = tmp_path.resolve() / "site"
    (site / "state").mkdir(parents=True)
    (site / "a.zone").write_text("one")
    return Watching(site, site / "state")


@asynccontextmanager
async def started(watching, loaded):
    task = asyncio.create_task(watching.run(loaded))
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def next_reload(watching, loaded):
    async with started(watching, loaded):
        return await asyncio.wait_for(watching.reloads.get(), 10)


async def test_a_change_between_the_load_and_the_watch_is_taken_up(watching):
    loaded = watch.look(watching.site, watching.state)
    (watching.site / "a.zone").write_text("another")
    assert await next_reload(watching, loaded) == "changed files"


async def test_a_change_behind_a_hidden_link_is_taken_up(watching, tmp_path):
    """How Kubernetes changes a mounted ConfigMap: what is seen changes, what is reported is hidden."""
    for number in (1, 2):
        (watching.site / f".version{number}").mkdir()
        (watching.site / f".version{number}" / "b.zone").write_text(f"version {number}")
    (watching.site / ".data").symlink_to(".version1")
    (watching.site / "b.zone").symlink_to(".data/b.zone")
    loaded = watch.look(watching.site, watching.state)
    (watching.site / ".new").symlink_to(".version2")
    (watching.site / ".new").rename(watching.site / ".data")
    assert await next_reload(watching, loaded) == "changed files"


async def test_each_change_is_taken_up_once(watching):
    loaded = watch.look(watching.site, watching.state)
    async with started(watching, loaded):
        (watching.site / "a.zone").write_text("another")
        await asyncio.wait_for(watching.reloads.get(), 10)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(watching.reloads.get(), 0.3)


@pytest.mark.parametrize("key", ["databases", "override_files"])
async def test_a_database_elsewhere_is_looked_at_from_the_reload_on_that_names_it(watching, tmp_path, key):
    database = tmp_path / "city.mmdb"
    database.write_text("one")
    async with started(watching, watch.look(watching.site, watching.state)):
        setattr(watching.publisher.steering, key, (str(database),))
        (watching.site / "a.zone").write_text("another")
        await asyncio.wait_for(watching.reloads.get(), 10)
        for text in ("a newer one", "the newest one of all"):
            replacement = tmp_path / "new.mmdb"
            replacement.write_text(text)
            replacement.rename(database)
            await asyncio.wait_for(watching.reloads.get(), 10)


def test_the_state_directory_hidden_files_and_backups_do_not_count(watching):
    before = watch.look(watching.site, watching.state)
    for name in (".hidden", "state/token", "a.zone~", ".git/index"):
        (watching.site / name).parent.mkdir(exist_ok=True)
        (watching.site / name).write_text("text")
    assert watch.look(watching.site, watching.state) == before


def test_a_site_that_cannot_be_looked_at_is_no_error(tmp_path):
    assert watch.look(tmp_path / "gone", tmp_path / "state") == frozenset()
