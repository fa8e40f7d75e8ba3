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
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import structlog
from watchfiles import Change, awatch

from gslb.config.files import look, stamps

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gslb.config.files import Seen
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


def _timed_look(site: Path, state: Path) -> tuple[Seen, float]:
    """A look, and the CPU time it took in seconds: what it costs, however busy the machine is."""
    begun = time.thread_time()
    seen = look(site, state)
    return seen, time.thread_time() - begun


class Reload(Protocol):
    """Loads the site anew."""

    def __call__(self, cause: str, is_loaded: Callable[[], bool] = ..., /) -> Awaitable[None]:
        """Load it for a ``cause``, unless ``is_loaded`` says so when what loads it before has ended."""


async def watch_site(site: Path, state: Path, publisher: Publisher, reload: Reload) -> None:
    """Call ``reload`` after each change since the site was loaded, for ever.

    ``site`` and ``state`` are absolute, without symbolic links; ``publisher`` looks as ``look`` does.
    """
    watch = _Watch(site, state, publisher, reload)
    while True:
        watch.follow_named()
        try:
            await watch.until_named_change()
        except (OSError, RuntimeError) as error:
            log.error("the site directory cannot be watched: it is looked at instead", error=str(error))
            await asyncio.sleep(LOOK_SECONDS)
            await watch.reload_if_changed()


class _Watch:
    """What the site and the files that it names looked like when they were last loaded."""

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

    def follow_named(self) -> None:
        """From now on look at the files that the site names now.

        Those it named before are as they were last seen, the others as they were when they were read: what
        changed since is a change at the next look.
        """
        known, self._named = self._named, self._publisher.named.files
        seen = {stamp for stamp in self._seen_named if Path(stamp[0]) in self._named}
        read = {stamp for stamp in self._publisher.named.seen if Path(stamp[0]) not in known}
        self._seen_named = frozenset(seen | read)

    async def until_named_change(self) -> None:
        """Watch until a named file changed, since a replaced one needs a new watch."""
        watched = sorted(path for path in self._named if path.is_file())
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
                before = self._named, self._seen_named
                await self.reload_if_changed()
                if (self._publisher.named.files, self._seen_named) != before:
                    return

    async def reload_if_changed(self) -> None:
        """Look, and reload unless all is as it was, or another reload that began since has loaded it."""
        # Looked at before it is loaded, so that what changes meanwhile is a change at the next look.
        seen, seconds = await asyncio.to_thread(_timed_look, self._site, self._state)
        self._rest_until = asyncio.get_running_loop().time() + LEAST_REST * seconds
        seen_named = stamps(self._named)
        changed = {path for path, *_ in (seen ^ self._seen) | (seen_named ^ self._seen_named)}
        is_loaded = partial(self._is_loaded, seen, self._known)
        if changed:
            self._seen, self._seen_named = seen, seen_named
        if changed and not is_loaded():
            log.info("site changed", files=sorted(changed)[:10], count=len(changed))
            await self._reload("changed files", is_loaded)
        self._known = self._publisher.named

    def _is_loaded(self, seen: Seen, known: NamedFiles) -> bool:
        """Whether another site than the ``known`` one was published and its files are as they were read.

        The files of a site that was known already may have been others in between, which did not load: that
        they are as before has to be found out by a reload, which also ends the report of the failure.
        """
        named = self._publisher.named
        return named is not known and named.site == seen and named.seen == stamps(named.files)

    def _is_of_site(self, _: Change, path: str) -> bool:
        return not Path(path).is_relative_to(self._state)
