"""Changes that take turns, and that once begun are carried to their end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = structlog.get_logger(__name__)

Result = TypeVar("Result")


class Turns:
    """Runs one piece of work at a time.

    Whoever waits for a turn may give up (a request's time limit). Work that has begun is finished all the
    same: it must not stop between making a change durable and publishing it.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._running: set[asyncio.Task[object]] = set()

    async def run(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Run ``work`` when its turn comes and return what it returns or raise what it raises."""
        await self._lock.acquire()

        async def carry_through() -> Result:
            try:
                return await work()
            finally:
                self._lock.release()

        task = asyncio.create_task(carry_through())
        self._running.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    async def finish(self) -> None:
        """Wait for the work that has begun."""
        await asyncio.gather(*self._running, return_exceptions=True)

    def _finished(self, task: asyncio.Task[object]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.info("change refused", error=str(error))
