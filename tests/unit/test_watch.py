"""Changes that nothing reports are found all the same, by looking."""

import asyncio
import threading
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from gslb import watch
from gslb.config.files import stamps
from gslb.config.named_files import NamedFiles


class Watching:
    """``watch_site`` on a directory; ``reloads`` has each reload's cause."""

    def __init__(self, site, state):
        self.site, self.state = site, state
        self.reloads = asyncio.Queue()
        self.publisher = SimpleNamespace(named=NamedFiles())

    def name(self, *files):
        """The site names these from now on, and has read them."""
        self.publisher.named = replace(self.publisher.named, files=frozenset(files), seen=stamps(files))

    def look(self):
        return watch.look(self.site, self.state)

    async def reload(self, cause, is_loaded=lambda: False):
        await self.reloads.put(cause)

    async def run(self, loaded):
        self.publisher.named = replace(self.publisher.named, site=loaded)
        await watch.watch_site(self.site, self.state, self.publisher, self.reload)


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


async def test_a_large_site_is_rested_from_unless_the_system_tells_of_a_change(watching, monkeypatch):
    monkeypatch.setattr(watch, "LEAST_REST", 1e9)
    elsewhere = watching.site.parent / "elsewhere"
    elsewhere.write_text("one")
    (watching.site / "b.zone").symlink_to(elsewhere)
    async with started(watching, watch.look(watching.site, watching.state)):
        (watching.site / "a.zone").write_text("another")
        await asyncio.wait_for(watching.reloads.get(), 10)
        elsewhere.write_text("of which nobody tells")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(watching.reloads.get(), 0.5)
        (watching.site / "a.zone").write_text("yet another")
        await asyncio.wait_for(watching.reloads.get(), 10)


def test_a_look_sees_what_can_belong_to_a_site(watching):
    (watching.site / "state" / "state.db").write_text("")
    (watching.site / "state-of-things.zone").write_text("")
    (watching.site / "a.zone~").write_text("")
    (watching.site / ".git").mkdir()
    (watching.site / "below").mkdir()
    (watching.site / "below" / "c.yaml").write_text("12345")
    (watching.site / "nowhere.zone").symlink_to("absent")
    seen = watch.look(watching.site, watching.state)
    assert {(path.removeprefix(f"{watching.site}/"), octets) for path, _, _, octets in seen} == {
        ("a.zone", 3),
        ("state-of-things.zone", 0),
        ("below/c.yaml", 5),
    }
    assert seen == stamps(watching.site / path for path in ("a.zone", "state-of-things.zone", "below/c.yaml"))
    assert watch.look(watching.site / "absent", watching.state) == frozenset()


async def test_each_change_is_taken_up_once(watching):
    loaded = watch.look(watching.site, watching.state)
    async with started(watching, loaded):
        (watching.site / "a.zone").write_text("another")
        await asyncio.wait_for(watching.reloads.get(), 10)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(watching.reloads.get(), 0.3)


async def test_a_file_elsewhere_is_looked_at_from_the_reload_on_that_names_it(watching, tmp_path):
    database = tmp_path / "city.mmdb"
    database.write_text("one")
    async with started(watching, watch.look(watching.site, watching.state)):
        watching.name(database)
        (watching.site / "a.zone").write_text("another")
        await asyncio.wait_for(watching.reloads.get(), 10)
        for text in ("a newer one", "the newest one of all"):
            replacement = tmp_path / "new.mmdb"
            replacement.write_text(text)
            replacement.rename(database)
            await asyncio.wait_for(watching.reloads.get(), 10)


async def test_a_link_elsewhere_that_leads_to_another_file_is_a_change(watching, tmp_path):
    for name in ("march.mmdb", "april.mmdb"):
        (tmp_path / name).write_text(name)
    database = tmp_path / "city.mmdb"
    database.symlink_to("march.mmdb")
    watching.name(database)
    async with started(watching, watch.look(watching.site, watching.state)):
        (tmp_path / "new").symlink_to("april.mmdb")
        (tmp_path / "new").rename(database)
        await asyncio.wait_for(watching.reloads.get(), 10)


@pytest.mark.parametrize("text", ["", "half of it", None])
async def test_a_file_elsewhere_that_is_cut_short_or_removed_is_a_change(watching, tmp_path, text):
    database = tmp_path / "city.mmdb"
    database.write_text("half of it, and the other half")
    watching.name(database)
    async with started(watching, watch.look(watching.site, watching.state)):
        if text is None:
            database.unlink()
        else:
            database.write_text(text)
        await asyncio.wait_for(watching.reloads.get(), 10)


async def test_a_file_elsewhere_that_is_replaced_while_it_is_loaded_is_loaded_again(watching, tmp_path):
    database = tmp_path / "city.mmdb"
    database.write_text("one")
    watching.name(database)
    reloads = []

    async def reload(cause, _):
        reloads.append(cause)
        if len(reloads) == 1:
            database.write_text("the third, too late for this reload")
        await watching.reloads.put(cause)

    watching.reload = reload
    task = asyncio.create_task(watching.run(watching.look()))
    try:
        database.write_text("the second")
        for _ in range(2):
            await asyncio.wait_for(watching.reloads.get(), 10)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_file_that_changed_between_the_load_and_the_watch_is_a_change(watching, tmp_path):
    database = tmp_path / "city.mmdb"
    database.write_text("one")
    watching.name(database)
    database.write_text("another one")
    assert await next_reload(watching, watch.look(watching.site, watching.state)) == "changed files"


def test_the_state_directory_hidden_files_and_backups_do_not_count(watching):
    before = watch.look(watching.site, watching.state)
    for name in (".hidden", "state/token", "a.zone~", ".git/index"):
        (watching.site / name).parent.mkdir(exist_ok=True)
        (watching.site / name).write_text("text")
    assert watch.look(watching.site, watching.state) == before


def test_a_site_that_cannot_be_looked_at_is_no_error(tmp_path):
    assert watch.look(tmp_path / "gone", tmp_path / "state") == frozenset()


class TestReloadsOfOthers:
    """What a reload by command or signal has loaded is not loaded again."""

    @pytest.fixture
    async def loading(self, watching):
        """A watch of a loaded site; ``load`` is another's reload, which ``reads`` before it commits."""
        watching.database = watching.site.parent / "city.mmdb"
        watching.database.write_text("one")
        watching.publisher.named = NamedFiles(site=watching.look())
        watching.name(watching.database)
        watching.watch = watch._Watch(watching.site, watching.state, watching.publisher, watching.reload)
        await watching.watch.follow_named()
        return watching

    @staticmethod
    def read(loading):
        """The files as a reload that begins now reads them."""
        files = frozenset({loading.database})
        return NamedFiles(files, stamps(files), loading.look())

    @pytest.mark.parametrize("name", ["site/a.zone", "city.mmdb"])
    async def test_a_change_that_was_loaded_before_it_is_seen(self, loading, name):
        (loading.site.parent / name).write_text("another")
        loading.publisher.named = self.read(loading)
        await loading.watch.reload_if_changed()
        assert loading.reloads.empty()
        (loading.site.parent / name).write_text("yet another")
        await loading.watch.reload_if_changed()
        assert loading.reloads.get_nowait() == "changed files"

    @pytest.mark.parametrize("name", ["site/a.zone", "city.mmdb"])
    async def test_a_change_while_another_loads_is_loaded(self, loading, name):
        (loading.site / "b.zone").write_text("new")
        read = self.read(loading)
        (loading.site.parent / name).write_text("another, too late")
        loading.publisher.named = read
        await loading.watch.reload_if_changed()
        assert loading.reloads.get_nowait() == "changed files"

    async def test_a_change_that_another_is_loading_when_it_is_seen(self, loading):
        (loading.site / "a.zone").write_text("another")
        asked = []

        async def reload(cause, is_loaded):
            asked.append(is_loaded())
            loading.publisher.named = self.read(loading)  # the reload that is under way ends
            asked.append(is_loaded())

        loading.watch._reload = reload
        await loading.watch.reload_if_changed()
        assert asked == [False, True]

    @pytest.mark.parametrize("name", ["site/a.zone", "city.mmdb", None])
    async def test_the_event_loop_waits_for_no_file(self, loading, monkeypatch, name):
        """A network file system may let one wait for ever, and a large site takes long to compare."""
        threads = []
        for wanted in ("look", "site_stamps", "stamps", "_are_as", "_differing"):
            self.record_threads(monkeypatch, watch, wanted, threads)
        self.record_threads(monkeypatch, Path, "stat", threads)
        if name is not None:
            (loading.site.parent / name).write_text("another")
            loading.publisher.named = self.read(loading)
        threads.clear()
        await loading.watch.follow_named()
        await loading.watch.reload_if_changed()
        assert len(threads) > 4
        assert threading.current_thread() not in threads

    @staticmethod
    def record_threads(monkeypatch, owner, name, threads):
        """Each call of ``owner.name`` adds the thread that it is in."""
        called = getattr(owner, name)

        def record(*args, **options):
            threads.append(threading.current_thread())
            return called(*args, **options)

        monkeypatch.setattr(owner, name, record)

    async def test_a_look_that_finds_all_as_it_was_keeps_what_it_was(self, loading):
        seen, named = loading.watch._seen, loading.watch._seen_named
        await loading.watch.reload_if_changed()
        assert loading.watch._seen is seen
        assert loading.watch._seen_named is named
        (loading.site / "a.zone").unlink()
        await loading.watch.reload_if_changed()
        assert loading.watch._seen == loading.look() == frozenset()
        assert loading.watch._seen_named is named

    async def test_files_as_before_after_some_that_did_not_load_are_loaded(self, loading):
        loading.publisher.named = self.read(loading)
        good, aside = loading.site / "a.zone", loading.site / "a.zone~"
        good.rename(aside)
        good.write_text("broken")
        await loading.watch.reload_if_changed()
        assert loading.reloads.get_nowait() == "changed files"
        aside.rename(good)
        assert loading.look() == loading.publisher.named.site
        await loading.watch.reload_if_changed()
        assert loading.reloads.get_nowait() == "changed files"
