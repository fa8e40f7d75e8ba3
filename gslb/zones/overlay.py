"""Changes of the API laid over a zone, as far as they fit what its file says now."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gslb._dataplane import Zone
    from gslb.model.change import RRsetChange

Misfit = tuple["RRsetChange", str]
"""A change that does not fit, and why."""


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
