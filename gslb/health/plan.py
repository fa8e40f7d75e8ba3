"""What a configuration wants watched, and what of what is watched already that is. Pure.

Thousands of targets take a while to list and to compare: a reload does so off the event loop, and the checker
(``gslb/health/checker.py``) only takes over what comes out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gslb.health.probes import ProbeTarget, probe_target
from gslb.model.finding import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from gslb.model.finding import Place
    from gslb.model.health import Observed
    from gslb.model.site import Monitor, SteeringConfig

Key = tuple[str, ProbeTarget]
"""A target: a monitor's name and where it probes."""

NOBODY = -1
"""Stands for the place of a jury where there is none, and for the place before of what is new."""


class Monitored(NamedTuple):
    """What monitors say: ``monitors[i]`` observes ``observed[i]`` of the endpoint ``numbers[i]``."""

    monitors: Sequence[str] = ()
    observed: Sequence[Observed] = ()
    numbers: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class WatchPlan:
    """The targets of one configuration, and which endpoints they decide of.

    A *jury* are the targets that together judge the same endpoints: ``juries`` has for each their places in
    ``targets``, ``numbers`` the endpoints, and ``jury_of`` each endpoint's jury or ``NOBODY``. ``monitors``
    are by name and without their place in the site, which ``places`` has; ``counts`` says how many targets
    each has. ``pairs`` has each target with each endpoint that it is about, as lists of monitors, places of
    targets, and endpoints.
    """

    monitors: Mapping[str, Monitor] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    targets: Sequence[Key] = ()
    juries: Sequence[tuple[int, ...]] = ()
    numbers: Sequence[tuple[int, ...]] = ()
    jury_of: Sequence[int] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    pairs: tuple[Sequence[str], Sequence[int], Sequence[int]] = ((), (), ())

    def monitored(self, observed: Sequence[Observed]) -> Monitored:
        """What the monitors say where the targets, by their places, are ``observed`` so."""
        monitors, targets, numbers = self.pairs
        return Monitored(monitors, list(map(observed.__getitem__, targets)), numbers)


@dataclass(frozen=True, slots=True)
class PlanChange:
    """A plan, and where its targets and juries were in the one before: their places there, or ``NOBODY``.

    ``left_targets`` and ``left_juries`` are those of the one before that are in this no more, ``edited`` the
    monitors that are not what they were.
    """

    plan: WatchPlan
    targets: Sequence[int]
    juries: Sequence[int]
    left_targets: Sequence[int]
    left_juries: Sequence[int]
    edited: frozenset[str]


def plan_watches(config: SteeringConfig) -> WatchPlan:
    """What ``config`` wants watched."""
    monitors = {monitor.name: monitor.model_copy(update={"place": NOWHERE}) for monitor in config.monitors}
    targets: dict[Key, int] = {}
    juries: dict[tuple[int, ...], int] = {}
    numbers: list[list[int]] = []
    jury_of: list[int] = []
    for pool in config.pools:
        own = [monitors[name] for name in pool.monitors if name in monitors]
        for endpoint in pool.endpoints:
            keys = ((monitor.name, probe_target(endpoint, monitor)) for monitor in own)
            jury = tuple(targets.setdefault(key, len(targets)) for key in keys)
            place = juries.setdefault(jury, len(juries)) if jury else NOBODY
            if place == len(numbers):
                numbers.append([])
            if place != NOBODY:
                numbers[place].append(len(jury_of))
            jury_of.append(place)
    return WatchPlan(
        monitors,
        {monitor.name: monitor.place for monitor in config.monitors},
        list(targets),
        list(juries),
        list(map(tuple, numbers)),
        jury_of,
        Counter(name for name, _ in targets),
        _pairs(targets, juries, numbers),
    )


def change_of_plan(before: WatchPlan, after: WatchPlan) -> PlanChange:
    """What ``after`` takes over."""
    targets = _places(after.targets, before.targets)
    # A jury is the same where its targets are, whatever their places are now.
    juries = _places([tuple(targets[place] for place in jury) for jury in after.juries], before.juries)
    edited = (name for name, monitor in after.monitors.items() if before.monitors.get(name) != monitor)
    return PlanChange(
        after,
        targets,
        juries,
        sorted(set(range(len(before.targets))).difference(targets)),
        sorted(set(range(len(before.juries))).difference(juries)),
        frozenset(edited),
    )


def _pairs(
    targets: Iterable[Key], juries: Iterable[Sequence[int]], numbers: Iterable[Sequence[int]]
) -> tuple[list[str], list[int], list[int]]:
    names = [name for name, _ in targets]
    pairs = [
        (target, number)
        for jury, own in zip(juries, numbers, strict=True)
        for target in jury
        for number in own
    ]
    places = [target for target, _ in pairs]
    return [names[target] for target in places], places, [number for _, number in pairs]


def _places(wanted: Sequence[Hashable], known: Sequence[Hashable]) -> list[int]:
    """Where each of ``wanted`` is in ``known``, or ``NOBODY``."""
    places = {one: place for place, one in enumerate(known)}
    return [places.get(one, NOBODY) for one in wanted]
