"""What resources of geoip and metafo lead to, one through another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gslb.importers.gdnsd.model import Reference
from gslb.model.pool_graph import MAXIMUM_DEPTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gslb.importers.gdnsd.model import Configuration, Datacenter, MetaResource, Resource


class DeadEndError(Exception):
    """A resource leads to itself, or too deep. ``rule`` is that of the finding, which the text tells."""

    def __init__(self, rule: str, way: tuple[str, ...], why: str) -> None:
        super().__init__(f"{' leads to '.join(way)}, {why}")
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Reach:
    """What can be answered (ipv4, ipv6, cname), over how many pools at most, and whom that looks at.

    ``depth`` counts the resources and datacenters on the way as a pool each. ``follows_client_subnet`` is
    false if a map on the way ignores the client subnet.
    """

    kinds: frozenset[str]
    depth: int
    follows_client_subnet: bool


class Reaches:
    """Finds what references lead to, each once, however many lead there.

    ``depth`` says how many pools lie one within another for a resource's addresses.
    """

    def __init__(self, configuration: Configuration, depth: Callable[[Resource], int]) -> None:
        self._configuration = configuration
        self._depth = depth
        self._known: dict[tuple[str, str], Reach] = {}

    def datacenters(self, reference: Reference) -> Iterator[tuple[MetaResource, Datacenter]]:
        """The datacenters that a reference to geoip or metafo may answer from."""
        name, slash, datacenter = reference.name.partition("/")
        meta = self._configuration.metas.get((reference.plugin, name))
        if meta is not None:
            for found in (meta.named if slash else meta.datacenters).values():
                if not slash or found.name == datacenter:
                    yield meta, found

    def of(self, target: Reference | str) -> Reach:
        """What a reference or CNAME leads to. Raises DeadEndError."""
        return self._of(target, ())

    def _of(self, target: Reference | str, way: tuple[str, ...]) -> Reach:
        """``way`` are the references that lead here, never more than pools may be deep."""
        here = (*way, str(target))
        if str(target) in way:
            loop = here[way.index(str(target)) :]
            raise DeadEndError("import-invalid", loop, "without end: no record is left")
        reach = self._reach(target, way) if len(way) < MAXIMUM_DEPTH else None
        if reach is None or len(way) + reach.depth > MAXIMUM_DEPTH:
            why = (
                f"too deep for pools within pools, of which {MAXIMUM_DEPTH} are possible: no record is left. "
                "Let fewer resources lead to one another"
            )
            raise DeadEndError("import-limit", here, why)
        return reach

    def _reach(self, target: Reference | str, way: tuple[str, ...]) -> Reach:
        if isinstance(target, str):
            return Reach(frozenset({"cname"}), 1, self._configuration.options.client_subnet)
        key = (target.plugin, target.name)
        if key not in self._known:
            self._known[key] = self._through(target, way)
        return self._known[key]

    def _through(self, target: Reference, way: tuple[str, ...]) -> Reach:
        client_subnet = self._configuration.options.client_subnet
        resource = self._configuration.resources.get((target.plugin, target.name))
        if resource is not None:
            return Reach(frozenset(resource.families), self._depth(resource), client_subnet)
        kinds: frozenset[str] = frozenset()
        depth = 0
        for meta, datacenter in self.datacenters(target):
            below = self._of(datacenter.target, (*way, str(target)))
            kinds |= below.kinds
            depth = max(depth, below.depth)
            ignores = bool(meta.map) and self._configuration.maps[meta.map].ignore_ecs
            client_subnet = client_subnet and below.follows_client_subnet and not ignores
        return Reach(kinds, depth + 1, client_subnet)
