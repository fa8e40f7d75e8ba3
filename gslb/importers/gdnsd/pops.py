"""POPs for datacenters, and for resources that are in none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.importers.gdnsd.policies import NOWHERE
from gslb.importers.gdnsd.site import Pop, fresh_name

if TYPE_CHECKING:
    from gslb.importers.gdnsd.model import Configuration, MetaResource, Resource
    from gslb.importers.gdnsd.site import Site


class Pops:
    """Names POPs, and adds them to ``site`` as they are asked for.

    ``taken`` are the names that no pool may have.
    """

    def __init__(self, configuration: Configuration, site: Site) -> None:
        self._configuration = configuration
        self._site = site
        self._names: dict[str, dict[tuple[float, float] | None, str]] = {}
        self.taken: set[str] = set()
        self._plan()

    def _plan(self) -> None:
        """A POP for each datacenter, and another for the same name at other coordinates."""
        maps = self._configuration.maps
        for map_ in maps.values():
            for name in map_.datacenters:
                known = self._names.setdefault(name, {})
                where = map_.coordinates.get(name)
                if where is not None and where not in known:
                    known[where] = self._take(name if not known else f"{name}.{map_.name}")
        for (plugin, _), meta in self._configuration.metas.items():
            for name in meta.named if plugin == "metafo" else maps[meta.map].datacenters:
                if not self._names.setdefault(name, {}):
                    self._names[name][None] = self._take(name)

    def _take(self, wanted: str) -> str:
        name = fresh_name(wanted, self.taken)
        self.taken.add(name)
        return name

    def of_datacenter(self, meta: MetaResource, datacenter: str) -> str:
        """The POP of a datacenter."""
        known = self._names[datacenter]
        where = self._configuration.maps[meta.map].coordinates.get(datacenter) if meta.map else None
        if where not in known:
            where = next(iter(known))
        name = known[where]
        self._site.pops.setdefault(name, Pop(name, f"datacenter {datacenter}", where))
        return name

    def of_resource(self, resource: Resource) -> str:
        """A POP for a resource that is in no datacenter."""
        name = self._take(f"{resource.name}.site")
        self._site.pops[name] = Pop(name, f"where the addresses of {resource.plugin}!{resource.name} are")
        return name

    def nowhere(self) -> str:
        """The POP without endpoints."""
        name = self._names.setdefault("", {})
        if None not in name:
            name[None] = self._take(NOWHERE)
            note = "has no endpoint: a rule that lists it lists nothing"
            self._site.pops[name[None]] = Pop(name[None], note)
        return name[None]
