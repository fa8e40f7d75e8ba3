"""Changes of the API laid over a zone, as far as they fit what its file says now."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from gslb._dataplane import Zone
    from gslb.model.change import RRsetChange, RRsetKey
    from gslb.model.finding import Finding
    from gslb.zones.last_resort import LastResorts

Misfit = tuple["RRsetChange", str]
"""A change that does not fit, and why."""

WITHOUT_LAST_RESORT = "without it the name has no records to fall back to (when_all_down: fallback)"


def lay_over(
    zone: Zone,
    changes: Sequence[RRsetChange],
    resorts: LastResorts,
    origins: Collection[str],
    may_leave_out: Callable[[RRsetKey], bool],
) -> tuple[Zone, list[Misfit], list[Finding]]:
    """``zone`` with every change that fits, those that do not, and errors of names without a last resort.

    A removal that takes a name its last resort is an error, or where ``may_leave_out`` says so a change that
    does not fit.
    """
    changed, misfits = fit_changes(zone, changes)
    lost = resorts.lost(changed, changes, origins, are_stored=True)
    inactive = [
        change
        for change in changes
        if change[0] in lost
        and not change[3]
        and change[1] in lost[change[0]][1]
        and may_leave_out((zone.origin, change[0], change[1]))
    ]
    if inactive:
        left_out = {change[:2] for change in inactive}
        changed, misfits = fit_changes(zone, [change for change in changes if change[:2] not in left_out])
        misfits += [(change, WITHOUT_LAST_RESORT) for change in inactive]
        lost = resorts.lost(changed, changes, origins, are_stored=True)
    return changed, misfits, [finding for finding, _ in lost.values()]


def fit_changes(zone: Zone, changes: Sequence[RRsetChange]) -> tuple[Zone, list[Misfit]]:
    """``zone`` with every change that fits, and the changes that do not.

    Changes of one owner name fit together if they can, such as an address in place of a removed CNAME.
    """
    ordered = sorted(changes, key=lambda change: change[:2])
    return _fit(zone, [list(group) for _, group in groupby(ordered, key=lambda change: change[0])])


def _fit(zone: Zone, groups: list[list[RRsetChange]]) -> tuple[Zone, list[Misfit]]:
    """Halves what does not fit as a whole, so that few misfits among thousands of changes are found soon."""
    if not groups:
        return zone, []
    try:
        return zone.with_rrsets([change for group in groups for change in group]), []
    except ValueError as error:
        problem = str(error)
    if len(groups) == 1:
        (group,) = groups
        if len(group) == 1:
            return zone, [(group[0], problem)]
        # Removals first: they make room.
        groups = [[change] for change in sorted(group, key=lambda change: bool(change[3]))]
    middle = len(groups) // 2
    zone, first = _fit(zone, groups[:middle])
    zone, second = _fit(zone, groups[middle:])
    return zone, first + second
