"""Watches the site directory and the geo databases, and asks for a reload when they change."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from watchfiles import awatch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gslb.publish import Publisher

log = structlog.get_logger(__name__)

QUIET_MS = 100
"""A change is taken up when nothing has changed for so long: editors and git write many files."""
LONGEST_MS = 1_000
"""But a stream of changes is not waited for longer than this."""
RETRY_SECONDS = 5.0
"""What cannot be watched (gone, or out of inotify watches) is tried again after so long."""


async def watch_site(
    site: Path, state: Path, publisher: Publisher, reload: Callable[[str], Awaitable[None]]
) -> None:
    """Call ``reload`` after each change, for ever. Hidden files and the state directory do not count.

    ``site`` and ``state`` are absolute, without symbolic links.
    """
    while True:
        databases = {Path(database) for database in publisher.steering.databases}
        try:
            await _watch_once(site, state, databases, reload)
        except (OSError, RuntimeError) as error:
            log.error("the site directory cannot be watched: changes need `gslb reload`", error=str(error))
            await asyncio.sleep(RETRY_SECONDS)


async def _watch_once(
    site: Path,
    state: Path,
    databases: set[Path],
    reload: Callable[[str], Awaitable[None]],
) -> None:
    """Watch until a database changed, since a replaced file needs a new watch. All paths are absolute."""
    outside = databases_outside(site, databases)
    async for changes in awatch(
        site,
        *sorted(outside),
        watch_filter=lambda _, path: counts(Path(path), site, state, databases),
        debounce=LONGEST_MS,
        step=QUIET_MS,
        rust_timeout=int(RETRY_SECONDS * 1000),
        yield_on_timeout=True,
    ):
        files = {path for _, path in changes}
        if files:
            log.info("site changed", files=sorted(files)[:10], count=len(files))
            await reload("changed files")
        if not outside.isdisjoint(map(Path, files)) or databases_outside(site, databases) != outside:
            if not files:
                await reload("changed databases")
            return


def counts(path: Path, site: Path, state: Path, databases: set[Path]) -> bool:
    """Whether a change of ``path`` may change what is served. All paths are absolute.

    Hidden files and what editors keep beside a file (``NAME~``) do not count, nor does the state directory,
    which may lie within the site's.
    """
    if path in databases:
        return True
    if not path.is_relative_to(site) or path.is_relative_to(state):
        return False
    return not any(part.startswith(".") or part.endswith("~") for part in path.relative_to(site).parts)


def databases_outside(site: Path, databases: set[Path]) -> set[Path]:
    """The databases that exist and that watching the site does not cover."""
    return {path for path in databases if path.is_file() and not path.is_relative_to(site)}
