"""For how long gdnsd lets answers be held while nothing fails.

Nothing can go down in less than a monitor's ``interval`` times ``down_thresh``: gdnsd promises no more. Of a
resource's datacenters only those count that it looks at: up to the first that is up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.importers.gdnsd.model import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gslb.importers.gdnsd.model import Configuration, Datacenter, Family, MetaResource
    from gslb.importers.gdnsd.monitors import Watch

    Outcomes = frozenset[tuple[int, bool]]
    """Seconds, and whether what is answered is down, as service types such as ``down`` say."""

NO_LIMIT = 2**28 - 1
"""Seconds, for what is not monitored."""


class Ttls:
    """Finds the longest TTLs of resources. No resource may lead to itself."""

    def __init__(self, configuration: Configuration, watch: Callable[[Family | Datacenter], Watch]) -> None:
        self._configuration = configuration
        self._watch = watch
        self._known: dict[tuple[str, str], Outcomes] = {}

    def longest(self, reference: Reference) -> frozenset[int]:
        """The longest TTL in seconds, for each datacenter that a client can get; empty if there are none."""
        return frozenset(seconds for seconds, _ in self._of(reference))

    def _of(self, reference: Reference) -> Outcomes:
        key = (reference.plugin, reference.name)
        if key not in self._known:
            resource = self._configuration.resources.get(key)
            if resource is not None:
                self._known[key] = self._together(resource.families.values())
            else:
                self._known[key] = self._of_meta(reference)
        return self._known[key]

    def _together(self, watched: Iterable[Family | Datacenter]) -> Outcomes:
        """What is looked at all at once: the least TTL, and down if any is."""
        watches = [self._watch(one) for one in watched]
        seconds = min((one.ttl for one in watches if one.ttl is not None), default=NO_LIMIT)
        return frozenset({(seconds, any(one.is_down for one in watches))})

    def _of_meta(self, reference: Reference) -> Outcomes:
        name, slash, datacenter = reference.name.partition("/")
        meta = self._configuration.metas.get((reference.plugin, name))
        if meta is None:
            return frozenset()
        lists = {(datacenter,)} if slash else self._lists(meta)
        return frozenset(outcome for names in lists for outcome in self._first_up(meta, names))

    def _lists(self, meta: MetaResource) -> set[tuple[str, ...]]:
        """The datacenters that clients may get, best first."""
        if not meta.map:
            return {tuple(meta.datacenters)}
        map_ = self._configuration.maps[meta.map]
        lists = set()
        for names in map_.lists:
            if names is not None:
                lists.add(meta.choices(names))
        if map_.is_auto:
            every = tuple(name for name in map_.datacenters if name in meta.datacenters)
            nearest = [name for name in every if name in map_.coordinates]
            lists |= {(first, *(name for name in every if name != first)) for first in nearest}
        return lists

    def _first_up(self, meta: MetaResource, names: tuple[str, ...]) -> set[tuple[int, bool]]:
        """What one list of datacenters comes to."""
        found = set()
        before = {NO_LIMIT}
        is_empty = True
        for datacenter in filter(None, map(meta.named.get, names)):
            target = datacenter.target
            outcomes = self._of(target) if isinstance(target, Reference) else self._together([datacenter])
            if not outcomes:
                continue
            is_empty = False
            met = {(min(least, one), is_down) for least in before for one, is_down in outcomes}
            found |= {one for one in met if not one[1]}
            before = {least for least, is_down in met if is_down}
        return set() if is_empty else found | {(least, True) for least in before}
