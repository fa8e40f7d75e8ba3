"""Keeps the addresses behind ALIAS records up to date: one asyncio task per target and type.

::

    reconfigure ──► resolve ──► known ──► publish the whole table
                      ▲           │
                      └── pause ◄─┘   before it expires, or with backoff after a failure
"""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_right
from collections import Counter
from itertools import accumulate, islice
from typing import TYPE_CHECKING

import structlog

from gslb.aliases.lookup import Known, Lookup
from gslb.aliases.resolution import ResolutionError
from gslb.aliases.schedule import bounded_ttl, refresh_delay, retry_delay
from gslb.config.leads import MAXIMUM_NAMES
from gslb.model.alias import AliasState
from gslb.model.finding import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gslb.aliases.external import ExternalAlias
    from gslb.aliases.resolution import Resolver
    from gslb.model.clock import Clock
    from gslb.model.site import ResolverSettings

log = structlog.get_logger(__name__)

A, AAAA = 1, 28

CONCURRENCY = 64
"""Questions in flight at once; the others wait their turn."""
MAXIMUM_TARGETS = 10_000
"""Targets that are kept up to date; those beyond stay unknown."""
PUBLISH_SECONDS = 0.1
"""The shortest time between two publishes that answers cause."""
AGEING_SECONDS = 0.5
"""How often data is looked through for what has expired."""

FlattenedRow = tuple[str, int, int, list[bytes], bool]
"""Target, A or AAAA, TTL in seconds, RDATA and whether it is stale, as the native boundary wants it."""


class Flattener:
    """Resolves the targets of the present configuration.

    ``publish`` gets the whole table whenever it has changed. All methods belong to the event loop's thread;
    ``reconfigure`` needs the loop running.
    """

    def __init__(
        self,
        publish: Callable[[list[FlattenedRow]], object],
        clock: Clock,
        *,
        make_resolver: Callable[[ResolverSettings], Resolver] | None = None,
        randomness: random.Random | None = None,
        concurrency: int = CONCURRENCY,
    ) -> None:
        self._publish_rows = publish
        self._clock = clock
        self._make_resolver = make_resolver or _network_resolver
        self._random = randomness or random.Random()
        self._slots = asyncio.Semaphore(concurrency)
        self._settings: ResolverSettings | None = None
        self._resolver: Resolver | None = None
        self._aliases: tuple[ExternalAlias, ...] = ()
        self._ends: list[int] = []
        """How many targets the aliases have up to each."""
        self._targets: tuple[str, ...] = ()
        self._resolved: list[tuple[Lookup, Lookup]] = []
        """Of each target that is kept up to date: A, then AAAA."""
        self._lookups: dict[tuple[str, int], Lookup] = {}
        self._published: list[FlattenedRow] = []
        self._has_changed = asyncio.Event()
        self._untried: set[tuple[str, int]] = set()
        self._all_tried = asyncio.Event()
        self._all_tried.set()
        self._running: list[asyncio.Task[None]] = []
        self._stopping: set[asyncio.Task[None]] = set()
        self.successes = 0
        self.failures = 0

    # ── Configuration ────────────────────────────────────────────────────────────────────────────────────

    def reconfigure(self, aliases: Sequence[ExternalAlias], settings: ResolverSettings | None) -> None:
        """Keep these aliases up to date from now on, and publish at once what is known of them.

        Targets that stay keep what is known of them. Without settings nothing is resolved or kept. The same
        again is no work.
        """
        if settings is not None:
            settings = settings.model_copy(update={"place": NOWHERE})
        if tuple(aliases) == self._aliases and settings == self._settings:
            return
        # Each once: very many aliases may share what they lead to.
        ways = dict.fromkeys(alias.targets for alias in aliases)
        targets = tuple(dict.fromkeys(target for targets in ways for target in targets))
        if settings is not None:
            settings = settings.model_copy(update={"place": NOWHERE})
        self._aliases = tuple(aliases)
        self._ends = list(accumulate(len(alias.targets) for alias in aliases))
        _warn_of_too_many(self._aliases, targets if settings else ())
        if (targets, settings) == (self._targets, self._settings):
            return  # after nearly every change
        self._targets = targets
        resolved = self._targets[:MAXIMUM_TARGETS] if settings else ()
        wanted = {(name, rtype) for name in resolved for rtype in (A, AAAA)}
        for key in self._lookups.keys() - wanted:
            self._cancel(self._lookups.pop(key))
        if settings != self._settings:
            self._settings = settings
            self._resolver = None if settings is None else self._make_resolver(settings)
            for lookup in self._lookups.values():
                self._cancel(lookup)
        for key in sorted(wanted):
            lookup = self._lookups.setdefault(key, Lookup(*key))
            if lookup.task is None and self._resolver is not None and settings is not None:
                lookup.task = asyncio.create_task(self._keep_resolving(lookup, self._resolver, settings))
        self._resolved = [(self._lookups[name, A], self._lookups[name, AAAA]) for name in resolved]
        self._untried = {key for key, lookup in self._lookups.items() if lookup.checked_at is None}
        self._tell_if_all_tried()
        if self._lookups and not self._running:
            self._running = [
                asyncio.create_task(self._keep_publishing()),
                asyncio.create_task(self._keep_ageing()),
            ]
        self.publish()

    async def wait_until_tried(self, seconds: float) -> None:
        """Wait until every target has been asked for once, but no longer than this."""
        waits = [
            asyncio.ensure_future(self._all_tried.wait()),
            asyncio.ensure_future(self._clock.sleep(seconds)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        self.publish()

    async def stop(self) -> None:
        """Stop all resolving. What was published stays."""
        for lookup in self._lookups.values():
            self._cancel(lookup)
        self._lookups.clear()
        self._targets, self._resolved = (), []
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, *self._stopping, return_exceptions=True)
        self._running = []

    # ── Reports ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def leads(self) -> int:
        """How many pairs there are of an alias and a target that it may lead to."""
        return self._ends[-1] if self._ends else 0

    def page(self, offset: int, limit: int) -> list[tuple[ExternalAlias, str]]:
        """At most ``limit`` pairs of an alias and a target of it, in their order, from ``offset`` on."""
        first = bisect_right(self._ends, offset)
        passed = self._ends[first - 1] if first else 0
        pairs = ((alias, target) for alias in islice(self._aliases, first, None) for target in alias.targets)
        return list(islice(pairs, offset - passed, offset - passed + limit))

    def states(self) -> dict[AliasState, int]:
        """Every state with the number of targets in it."""
        counts = dict.fromkeys(AliasState, 0)
        counts[AliasState.UNKNOWN] = len(self._targets) - len(self._resolved)
        # Few different pairs of many thousands.
        for states, count in Counter((a.state, aaaa.state) for a, aaaa in self._resolved).items():
            counts[worst(states)] += count
        return counts

    def lookups(self, target: str) -> list[Lookup]:
        """What is known of a target: A, then AAAA; nothing without a resolver."""
        found = (self._lookups.get((target, rtype)) for rtype in (A, AAAA))
        return [lookup for lookup in found if lookup is not None]

    def state(self, target: str) -> AliasState:
        """The worse of the states of a target's two lookups."""
        return worst(lookup.state for lookup in self.lookups(target))

    # ── Inside ───────────────────────────────────────────────────────────────────────────────────────────

    def publish(self) -> None:
        """Publish the table if it is not what is published already."""
        self._has_changed.clear()
        rows = self._rows()
        if rows != self._published:
            self._publish_rows(rows)
            self._published = rows

    def _rows(self) -> list[FlattenedRow]:
        rows: list[FlattenedRow] = []
        if self._settings is None:
            return rows
        for target in self._targets[:MAXIMUM_TARGETS]:
            for lookup in self.lookups(target):
                answer = lookup.answer(self._settings)
                if answer is not None:
                    rows.append((target, lookup.rtype, *answer))
        return rows

    async def _keep_publishing(self) -> None:
        while True:
            await self._has_changed.wait()
            started = self._clock.monotonic()
            self.publish()
            # A large table takes long to make, and the event loop has others to serve.
            took = self._clock.monotonic() - started
            await self._clock.sleep(max(PUBLISH_SECONDS, 10 * took))

    async def _keep_ageing(self) -> None:
        # Apart from the asking: a question to a dead resolver takes long, and many of them take longer.
        while True:
            await self._clock.sleep(AGEING_SECONDS)
            if self._settings is None:
                continue
            now = self._clock.monotonic()
            for lookup in self._lookups.values():
                before = lookup.state
                lookup.age(now, self._settings)
                if lookup.state is not before:
                    self._has_changed.set()

    async def _keep_resolving(self, lookup: Lookup, resolver: Resolver, settings: ResolverSettings) -> None:
        while True:
            async with self._slots:
                delay = await self._resolve(lookup, resolver, settings)
            await self._clock.sleep(delay)

    async def _resolve(self, lookup: Lookup, resolver: Resolver, settings: ResolverSettings) -> float:
        """Ask once; the seconds until it is time to ask again."""
        started = self._clock.monotonic()
        try:
            found = await resolver.resolve(lookup.name, lookup.rtype)
        except ResolutionError as error:
            return self._note_failure(lookup, str(error))
        except Exception as error:  # a bug, which must not end the resolving of this target
            log.exception("resolving an ALIAS target failed", target=lookup.name)
            return self._note_failure(lookup, type(error).__name__)
        if lookup.failures:
            log.info("ALIAS target resolved again", target=lookup.name, type=lookup.rtype)
        ttl = bounded_ttl(found.ttl, settings)
        # The answer is as old as the question: it must not be kept longer than it said.
        lookup.known = Known(ttl, found.rdata, started + ttl)
        lookup.age(self._clock.monotonic(), settings)
        lookup.failures, lookup.error = 0, ""
        self.successes += 1
        self._has_changed.set()
        self._note_tried(lookup)
        return refresh_delay(ttl, self._random)

    def _note_failure(self, lookup: Lookup, error: str) -> float:
        self.failures += 1
        if not lookup.failures:
            log.warning("ALIAS target not resolved", target=lookup.name, type=lookup.rtype, error=error)
        lookup.failures += 1
        lookup.error = error
        self._note_tried(lookup)
        return retry_delay(lookup.failures, self._random)

    def _note_tried(self, lookup: Lookup) -> None:
        lookup.checked_at = self._clock.now()
        self._untried.discard((lookup.name, lookup.rtype))
        self._tell_if_all_tried()

    def _tell_if_all_tried(self) -> None:
        if self._untried:
            self._all_tried.clear()
        else:
            self._all_tried.set()

    def _cancel(self, lookup: Lookup) -> None:
        if lookup.task is not None:
            lookup.task.cancel()
            self._stopping.add(lookup.task)
            lookup.task.add_done_callback(self._stopping.discard)
            lookup.task = None


def worst(states: Iterable[AliasState]) -> AliasState:
    """The worst of some states; ``unknown`` of none."""
    return max(states, key=list(AliasState).index, default=AliasState.UNKNOWN)


def _warn_of_too_many(aliases: Sequence[ExternalAlias], targets: Sequence[str]) -> None:
    if len(targets) > MAXIMUM_TARGETS:
        log.warning("too many ALIAS targets", targets=len(targets), resolved=MAXIMUM_TARGETS)
    cut = [alias.owner for alias in aliases if not alias.is_whole]
    if cut:
        log.warning("ALIAS leads to too many names", alias=cut[0], aliases=len(cut), followed=MAXIMUM_NAMES)


def _network_resolver(settings: ResolverSettings) -> Resolver:
    from gslb.aliases.resolver import NetworkResolver  # noqa: PLC0415 - slow to import, and few sites need it

    return NetworkResolver(settings)
