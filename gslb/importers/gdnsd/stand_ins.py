"""Pools that stand in for what datacenters lack.

gdnsd chooses a datacenter first, whatever addresses it has: a client that asks for a family that it lacks
gets none. A pool here has only what answers. So such a datacenter has another pool beside it, which is up
while the datacenter is; the policy leaves nothing to those whose first choice it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.importers.gdnsd.pools import NAMES, SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gslb.config.report import Report
    from gslb.importers.gdnsd.model import Configuration, Datacenter, MetaResource, Reference, Resource
    from gslb.importers.gdnsd.policies import Units
    from gslb.importers.gdnsd.pools import Pools
    from gslb.importers.gdnsd.pops import Pops

MOST_MEMBERS = 256
"""Of a pool, and tiers of a step."""


class StandIns:
    """Makes pools that stand in, each once.

    ``datacenters`` says what a reference to a resource of geoip or metafo may answer from; no resource may
    lead to itself.
    """

    def __init__(
        self,
        report: Report,
        configuration: Configuration,
        pools: Pools,
        pops: Pops,
        datacenters: Callable[[Reference], Iterator[tuple[MetaResource, Datacenter]]],
    ) -> None:
        self._report = report
        self._configuration = configuration
        self._pools = pools
        self._pops = pops
        self._datacenters = datacenters
        self._known: dict[tuple[str, ...], str] = {}
        self._of_targets: dict[tuple[str, str, str], str] = {}

    def add(self, meta: MetaResource, units: Units, kinds: set[str]) -> frozenset[str]:
        """Put what stands in for the datacenters of a resource after each of its ``units``, and tell of it.

        ``kinds`` are the families that any of the datacenters has. Returns the names of what was put there.
        """
        found = {
            (name, kind): stand_in
            for kind in sorted(kinds)
            for name in units
            if (stand_in := self._of_datacenter(meta, meta.datacenters[name], kind))
        }
        members = {pool for pools in units.values() for pool in pools} | set(found.values())
        if len(members) > MOST_MEMBERS:
            message = (
                f"{meta.plugin}!{meta.name} has too many datacenters that lack a family: whoever asks there "
                "for it gets the next datacenter that has some, where gdnsd answers no records"
            )
            self._report.error("import-family", meta.place, message)
            return frozenset()
        for (name, _), stand_in in found.items():
            units[name] += (stand_in,)
        for kind in sorted({kind for _, kind in found}):
            lacking = ", ".join(name for name, lacked in found if lacked == kind)
            message = (
                f"{meta.plugin}!{meta.name} has no {NAMES[kind]} in {lacking}: as with gdnsd, clients whose "
                "datacenter that is get no such records, and gslb_all_down_total counts them. To send them "
                f"to the next datacenter instead, take the pools *.no-{SUFFIXES[kind]} out of the pool and "
                "its policy"
            )
            self._report.info("import-family", meta.place, message)
        return frozenset(found.values())

    def _of_datacenter(self, meta: MetaResource, datacenter: Datacenter, kind: str) -> str:
        """The pool that stands in for a datacenter where it answers nothing of a family, if only at times.

        ``kind`` is ipv4 or ipv6. Empty if the datacenter always has some.
        """
        target = datacenter.target
        if isinstance(target, str):
            return ""
        resource = self._configuration.resources.get((target.plugin, target.name))
        if resource is not None:
            return self._of_resource(resource, kind, meta, datacenter)
        key = (target.plugin, target.name, kind)
        if key not in self._of_targets:
            self._of_targets[key] = self._of_several(target, kind)
        return self._of_targets[key]

    def _of_several(self, target: Reference, kind: str) -> str:
        """The pool that stands in for a resource of geoip or metafo."""
        found = [self._of_datacenter(*one, kind) for one in self._datacenters(target)]
        parts = tuple(dict.fromkeys(name for name in found if name))
        if len(parts) < 2:
            return "".join(parts)
        key = (kind, *parts)
        if key not in self._known:
            note = f"stands in for {target} where that has no {NAMES[kind]}"
            pool = self._pools.add(f"{target.name}.no-{SUFFIXES[kind]}", note)
            pool.members = [(name, None) for name in parts]
            self._known[key] = pool.name
        return self._known[key]

    def _of_resource(self, resource: Resource, kind: str, meta: MetaResource, datacenter: Datacenter) -> str:
        if kind in resource.families or "cname" in resource.families:
            return ""
        pop = self._pops.of_datacenter(meta, datacenter.name)
        key = (kind, resource.plugin, resource.name, pop)
        if key not in self._known:
            wanted = f"{meta.shown_name(datacenter)}.no-{SUFFIXES[kind]}"
            self._known[key] = self._pools.standing_in(resource, kind, wanted, pop).name
        return self._known[key]
