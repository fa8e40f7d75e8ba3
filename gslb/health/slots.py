"""How many probes may run at once: a semaphore whose size changes while it is held."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class Slots:
    """Whoever enters waits for a free slot and gives it back at exit. Belongs to the event loop's thread."""

    def __init__(self, count: int) -> None:
        self._semaphore = asyncio.Semaphore(count)
        self._count = count
        self._surplus = 0

    @property
    def count(self) -> int:
        """How many may be held at once."""
        return self._count

    def resize(self, count: int) -> None:
        """Have ``count`` slots: more at once; fewer as slots are given back, since no probe is broken off."""
        self._surplus += self._count - count
        self._count = count
        while self._surplus < 0:
            self._surplus += 1
            self._semaphore.release()

    async def __aenter__(self) -> None:
        await self._semaphore.acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._surplus:
            self._surplus -= 1
        else:
            self._semaphore.release()
