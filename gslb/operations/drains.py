"""Drains in force: durable intent of operators, with an end if they gave one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from gslb.errors import InvalidChangeError, StateError
from gslb.model.health import Drain

if TYPE_CHECKING:
    from datetime import datetime

    from gslb.model.clock import Clock
    from gslb.store.store import Store

log = structlog.get_logger(__name__)


class Drains:
    """The drains that were neither lifted nor removed by expiry. Publishing them is the caller's."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._drains: dict[str, Drain] = {}

    def __contains__(self, pop: str) -> bool:
        return pop in self._drains

    async def restore(self) -> None:
        """Take up what is stored, without what expired meanwhile."""
        for drain in await self._store.expire_drains(self._clock.now()):
            log.info("drain expired", pop=drain.pop, reason=drain.reason)
        self._drains = {drain.pop: drain for drain in await self._store.drains()}

    def active(self) -> dict[str, Drain]:
        """Those that hold at this moment, by POP."""
        now = self._clock.now()
        return {pop: drain for pop, drain in sorted(self._drains.items()) if drain.is_active(now)}

    def any_expired(self) -> bool:
        """Whether some of them no longer hold."""
        return len(self.active()) < len(self._drains)

    def check_end(self, expires_at: datetime | None) -> None:
        """Raise InvalidChangeError for an end that is not in the future."""
        if expires_at is not None and expires_at <= self._clock.now():
            raise InvalidChangeError(f"{expires_at.isoformat()} is not in the future", field="/expires_at")

    async def put(
        self, pop: str, reason: str, author: str, expires_at: datetime | None
    ) -> tuple[Drain, bool]:
        """Drain a POP, durably; the drain, and whether there was none in force."""
        drain = Drain(pop, reason, author, self._clock.now(), expires_at)
        await self._store.put_drain(drain)
        is_new = pop not in self.active()
        self._drains[pop] = drain
        log.info("POP drained", pop=pop, reason=reason, author=author)
        return drain, is_new

    async def remove(self, pop: str, author: str) -> bool:
        """Lift a POP's drain, durably; whether there was one."""
        removed = await self._store.remove_drain(pop, author, self._clock.now())
        self._drains.pop(pop, None)
        if removed:
            log.info("POP undrained", pop=pop, author=author)
        return removed

    async def expire(self) -> None:
        """Forget those that no longer hold."""
        now = self._clock.now()
        try:
            await self._store.expire_drains(now)
        except StateError as error:
            # The drain is over all the same: the store knows when it ends, and removes it at the next start.
            log.error("expired drains stay in the state directory", error=str(error))
        for pop, drain in list(self._drains.items()):
            if not drain.is_active(now):
                del self._drains[pop]
                log.info("drain expired", pop=pop, reason=drain.reason)
