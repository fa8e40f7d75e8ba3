"""Watches the site directory, the geo databases and overrides, and asks for a reload when they change.

The system tells when to look, and looking tells whether anything changed. So nothing is missed that changed
while nobody watched (between the load and the watch, during a reload), or that the system does not tell (a
network file system, a link that leads elsewhere): it is found at most ``LOOK_SECONDS`` later.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from watchfiles import Change, awatch

from gslb.config.files import MAXIMUM_FILES, UnreadableFileError, find_files

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from gslb.publish import Publisher

log = structlog.get_logger(__name__)

QUIET_MS = 100
"""A change is taken up when nothing has changed for so long: editors and git write many files."""
LONGEST_MS = 1_000
"""But a stream of changes is not waited for longer than this."""
LOOK_SECONDS = 5.0
"""Without word from the system, and when it cannot watch (out of inotify watches), look after so long."""

Seen = frozenset[tuple[str, int, int, int]]
"""What files looked like: path, inode, time of change in nanoseconds, octets."""


def look(site: Path, state: Path) -> Seen:
    """All files of a site but hidden ones, backups (``NAME~``) and the state directory. Blocks."""
    try:
        files = find_files(site, lambda name: not name.endswith("~"), most=2 * MAXIMUM_FILES)
    except UnreadableFileError:  # the reload will say so
        return frozenset()
    return _stamps(file for file in files if not file.is_relative_to(state))


async def watch_site(
    site: Path, state: Path, publisher: Publisher, reload: Callable[[str], Awaitable[None]], loaded: Seen
) -> None:
    """Call ``reload`` after each change, for ever. ``loaded`` is a look from before the site was loaded.

    ``site`` and ``state`` are absolute, without symbolic links.
    """
    watch = _Watch(site, state, publisher, reload, loaded)
    while True:
        watch.follow_databases()
        try:
            await watch.until_databases_change()
        except (OSError, RuntimeError) as error:
            log.error("the site directory cannot be watched: it is looked at instead", error=str(error))
            await asyncio.sleep(LOOK_SECONDS)
            await watch.reload_if_changed()


class _Watch:
    """What the site and its databases looked like when they were last loaded."""

    def __init__(
        self,
        site: Path,
        state: Path,
        publisher: Publisher,
        reload: Callable[[str], Awaitable[None]],
        loaded: Seen,
    ) -> None:
        self._site = site
        self._state = state
        self._publisher = publisher
        self._reload = reload
        self._seen = loaded
        self._databases: frozenset[Path] = frozenset()
        self._seen_databases: Seen = frozenset()

    def follow_databases(self) -> None:
        """From now on look at the databases that the site names now."""
        self._databases = self._databases_outside()
        self._seen_databases = _stamps(self._databases)

    async def until_databases_change(self) -> None:
        """Watch until a database changed, since a replaced file needs a new watch."""
        watched = sorted(path for path in self._databases if path.is_file())
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
            async for _ in signals:
                before = self._databases, self._seen_databases
                await self.reload_if_changed()
                if (self._databases_outside(), self._seen_databases) != before:
                    return

    async def reload_if_changed(self) -> None:
        """Look, and reload unless all is as it was."""
        # Looked at before it is loaded, so that what changes meanwhile is a change at the next look.
        seen = await asyncio.to_thread(look, self._site, self._state)
        seen_databases = _stamps(self._databases)
        changed = {path for path, *_ in (seen ^ self._seen) | (seen_databases ^ self._seen_databases)}
        if changed:
            self._seen, self._seen_databases = seen, seen_databases
            log.info("site changed", files=sorted(changed)[:10], count=len(changed))
            await self._reload("changed files")

    def _is_of_site(self, _: Change, path: str) -> bool:
        return not Path(path).is_relative_to(self._state)

    def _databases_outside(self) -> frozenset[Path]:
        """The databases and override files that looking at the site does not cover."""
        steering = self._publisher.steering
        named = map(Path, (*steering.databases, *steering.override_files))
        return frozenset(path for path in named if not path.is_relative_to(self._site))


def _stamps(files: Iterable[Path]) -> Seen:
    stamps = set()
    for file in files:
        with suppress(OSError):  # gone meanwhile: as if it had not been there
            status = file.stat()
            stamps.add((str(file), status.st_ino, status.st_mtime_ns, status.st_size))
    return frozenset(stamps)
