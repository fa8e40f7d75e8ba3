"""What would be: suppositions laid over the live state, which they leave as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gslb.config.durations import parse_duration
from gslb.config.wording import did_you_mean, quote
from gslb.model.what_if import Suppositions
from gslb.operations.problems import Problems
from gslb.steering.loads import MAXIMUM_LOAD
from gslb.steering.what_if import WhatIf

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gslb.model.clock import Clock
    from gslb.model.health import Drain
    from gslb.model.site import SteeringConfig
    from gslb.operations.drains import Drains
    from gslb.operations.verdicts import Verdicts
    from gslb.steering.verdict import VerdictTable

FARTHEST = timedelta(days=3_650)
"""How far away a moment may be that is looked at."""


@dataclass(frozen=True, slots=True)
class Requested:
    """Suppositions as a request has them, unread. ``at`` is RFC 3339, or ``2h`` for two hours from now.

    ``wrong_loads`` says what is wrong with what should be a load and is none.
    """

    down: tuple[str, ...] = ()
    drain: tuple[str, ...] = ()
    load: Mapping[str, float] = field(default_factory=dict)
    at: str | None = None
    wrong_loads: tuple[str, ...] = ()


NOTHING = Requested()
"""Supposes nothing: the live state."""


@dataclass(frozen=True, slots=True)
class Supposed:
    """The state under suppositions: for the data plane, and the drains that hold then, by POP."""

    suppositions: Suppositions
    table: VerdictTable
    loads: bytes
    drains: Mapping[str, Drain]

    @property
    def octets(self) -> tuple[bytes, bytes]:
        """Verdicts and loads, as ``Publisher.publish_verdicts`` takes them."""
        return self.table.to_bytes(), self.loads


def read_suppositions(requested: Requested, config: SteeringConfig, now: datetime) -> Suppositions:
    """Raises InvalidChangeError with everything that is wrong with them."""
    problems = Problems()
    pops = {pop.name for pop in config.pops}
    in_pools = {f"{pool.name}/{endpoint.pop}" for pool in config.pools for endpoint in pool.endpoints}
    _check("/down", requested.down, pops | in_pools, problems)
    _check("/drain", requested.drain, pops, problems)
    for text in requested.wrong_loads:
        problems.add("/load", text)
    _check("/load", requested.load, pops, problems)
    for pop, load in requested.load.items():
        if not 0 <= load <= MAXIMUM_LOAD:
            problems.add("/load", f"of {pop} is {load}; a load is 0 to {MAXIMUM_LOAD:g}")
    at = None if requested.at is None else _moment(requested.at, now, problems)
    problems.raise_any()
    return Suppositions(
        down=tuple(dict.fromkeys(requested.down)),
        drain=tuple(dict.fromkeys(requested.drain)),
        load=dict(requested.load),
        at=at,
    )


def suppose(
    suppositions: Suppositions, config: SteeringConfig, verdicts: Verdicts, drains: Drains, clock: Clock
) -> Supposed:
    """The live state with the suppositions laid over it.

    At another moment drains that have ended by then, or had not begun, do not hold, and loads are unknown
    that are too old by then. Probes say what they say now.
    """
    now = clock.now()
    at = suppositions.at or now
    then = drains.active() if suppositions.at is None else drains.at(at)
    what_if = WhatIf(config)
    table = what_if.verdicts(suppositions, verdicts.table, then)
    loads = what_if.loads(suppositions, verdicts.loads_after((at - now).total_seconds()))
    return Supposed(suppositions, table, loads, then)


def _check(pointer: str, names: Iterable[str], known: set[str], problems: Problems) -> None:
    for name in names:
        if name not in known:
            problems.add(pointer, f"no POP is named {quote(name)}{did_you_mean(name, known)}")


def _moment(text: str, now: datetime, problems: Problems) -> datetime | None:
    try:
        at = _read_moment(text, now)
    except (ValueError, OverflowError):
        problems.add(
            "/at", f"{quote(text)} is no time: write 2026-03-01T14:00:00Z, or 2h for two hours from now"
        )
        return None
    if abs(at - now) > FARTHEST:
        problems.add("/at", f"{quote(text)} is more than ten years away")
        return None
    return at


def _read_moment(text: str, now: datetime) -> datetime:
    try:
        return now + timedelta(seconds=parse_duration(text))
    except ValueError:
        at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at
