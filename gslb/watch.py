"""Watches the site directory and the files elsewhere that it names, and asks for a reload when they change.

The system tells when to look, and looking tells whether anything changed. So nothing is missed that changed
while nobody watched (between the load and the watch, during a reload), or that the system does not tell (a
network file system, a link that leads elsewhere): it is found at most ``LOOK_SECONDS`` later, of very large
sites later than that.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import structlog
from watchfiles import Change, awatch

from gslb.config.files import UnreadableFileError, look, site_stamps, stamps

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from gslb.config.files import Seen, Stamp
    from gslb.config.named_files import NamedFiles
    from gslb.publish import Publisher

log = structlog.get_logger(__name__)

QUIET_MS = 100
"""A change is taken up when nothing has changed for so long: editors and git write many files."""
LONGEST_MS = 1_000
"""But a stream of changes is not waited for longer than this."""
LOOK_SECONDS = 5.0
"""Without word from the system, and when it cannot watch (out of inotify watches), look after so long."""
LEAST_REST = 50
"""But rest this many times the CPU time of the last look: one at 300,000 files takes about a second."""


@dataclass(frozen=True, slots=True)
class _Looked:
    """What the site and the files that it names look like: the same objects as before if they are as before.

    ``changed`` are the paths of those that are not. ``seconds`` is the CPU time that looking took: what it
    costs, however busy the machine is.
    """

    site: Seen
    named: Seen
    changed: tuple[str, ...]
    seconds: float


class Reload(Protocol):
    """Loads the site anew."""

    def __call__(self, cause: str, is_loaded: Callable[[], bool] = ..., /) -> Awaitable[None]:
        """Load it for a ``cause``, unless ``is_loaded`` says so when what loads it before has ended.

        ``is_loaded`` blocks, so it is asked in a thread.
        """


async def watch_site(site: Path, state: Path, publisher: Publisher, reload: Reload) -> None:
    """Call ``reload`` after each change since the site was loaded, for ever.

    ``site`` and ``state`` are absolute, without symbolic links; ``publisher`` looks as ``look`` does.
    """
    watch = _Watch(site, state, publisher, reload)
    while True:
        watched = await watch.follow_named()
        try:
            await watch.until_named_change(watched)
        except (OSError, RuntimeError) as error:
            log.error("the site directory cannot be watched: it is looked at instead", error=str(error))
            await asyncio.sleep(LOOK_SECONDS)
            await watch.reload_if_changed()


class _Watch:
    """What the site and the files that it names looked like when they were last loaded.

    A file system may let one wait, and a large site takes long to compare: both in threads.
    """

    def __init__(self, site: Path, state: Path, publisher: Publisher, reload: Reload) -> None:
        self._site = site
        self._state = state
        self._publisher = publisher
        self._reload = reload
        self._known = publisher.named
        self._seen = publisher.named.site
        self._named: frozenset[Path] = frozenset()
        self._seen_named: Seen = frozenset()
        self._rest_until = 0.0

    async def follow_named(self) -> list[Path]:
        """From now on look at the files that the site names now; return those that can be watched.

        Those it named before are as they were last seen, the others as they were when they were read: what
        changed since is a change at the next look.
        """
        named = self._publisher.named
        self._seen_named, watched = await asyncio.to_thread(self._follow, named)
        self._named = named.files
        return watched

    def _follow(self, named: NamedFiles) -> tuple[Seen, list[Path]]:
        seen = {stamp for stamp in self._seen_named if Path(stamp[0]) in named.files}
        read = {stamp for stamp in named.seen if Path(stamp[0]) not in self._named}
        return frozenset(seen | read), sorted(path for path in named.files if path.is_file())

    async def until_named_change(self, watched: list[Path]) -> None:
        """Watch until a named file changed, since a replaced one needs a new watch."""
        signals = awatch(
            self._site,
            *watched,
            watch_filter=self._is_of_site,
            debounce=LONGEST_MS,
            step=QUIET_MS,
            rust_timeout=int(LOOK_SECONDS * 1000),
            yield_on_timeout=True,
        )
        async with aclosing(signals):
            async for changes in signals:
                if not changes and asyncio.get_running_loop().time() < self._rest_until:
                    continue
                seen_named = self._seen_named
                await self.reload_if_changed()
                if self._seen_named is not seen_named or self._publisher.named.files != self._named:
                    return

    async def reload_if_changed(self) -> None:
        """Look, and reload unless all is as it was, or another reload that began since has loaded it."""
        # Looked at before it is loaded, so that what changes meanwhile is a change at the next look.
        looked = await asyncio.to_thread(self._look)
        self._rest_until = asyncio.get_running_loop().time() + LEAST_REST * looked.seconds
        is_loaded = partial(self._is_loaded, looked.site, self._known)
        self._seen, self._seen_named = looked.site, looked.named
        if looked.changed and not await asyncio.to_thread(is_loaded):
            log.info("site changed", files=looked.changed[:10], count=len(looked.changed))
            await self._reload("changed files", is_loaded)
        self._known = self._publisher.named

    def _look(self) -> _Looked:
        begun = time.thread_time()
        site, named = self._seen, self._seen_named
        if not self._is_site_as(site):
            site = look(self._site, self._state)
        if not _are_as(named, now := stamps(self._named)):
            named = now
        changed = {*_differing(site, self._seen), *_differing(named, self._seen_named)}
        return _Looked(site, named, tuple(sorted(changed)), time.thread_time() - begun)

    def _is_site_as(self, known: Seen) -> bool:
        try:
            return _are_as(known, site_stamps(self._site, self._state))
        except UnreadableFileError:
            return False

    def _is_loaded(self, seen: Seen, known: NamedFiles) -> bool:
        """Whether another site than the ``known`` one was published and its files are as they were read.

        The files of a site that was known already may have been others in between, which did not load: that
        they are as before has to be found out by a reload, which also ends the report of the failure. Blocks.
        """
        named = self._publisher.named
        return named is not known and _are_as(named.site, seen) and _are_as(named.seen, stamps(named.files))

    def _is_of_site(self, _: Change, path: str) -> bool:
        return not Path(path).is_relative_to(self._state)


def _are_as(known: Seen, stamps: Iterable[Stamp]) -> bool:
    """Whether files are as they are known, each told once.

    One by one, and nothing is kept: Python compares and frees whole sets without letting another thread run,
    which takes a tenth of a second at 300,000 files.
    """
    same = 0
    for stamp in stamps:
        if stamp not in known:
            return False
        same += 1
    return same == len(known)


def _differing(one: Seen, other: Seen) -> Iterator[str]:
    """Paths of files that are not as in the other. One by one, as above."""
    if one is not other:
        yield from (stamp[0] for stamp in one if stamp not in other)
        yield from (stamp[0] for stamp in other if stamp not in one)
