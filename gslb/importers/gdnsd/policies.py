"""Maps and orders of datacenters as policies."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from gslb.config.wording import count, quote
from gslb.importers.gdnsd.site import Policy, fresh_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gslb.config.report import Report
    from gslb.importers.gdnsd.model import GeoMap, MetaResource, Network
    from gslb.importers.gdnsd.site import Site, Steps
    from gslb.model.finding import Place

    Nets = dict[Network, tuple[tuple[str, ...], Place]]

NOWHERE = "nowhere"
"""A POP without endpoints: a rule that lists it alone leaves the order to the steps after it, or under
``mode: fence`` leaves nothing."""
Units = dict[str, tuple[str, ...]]
"""By datacenter its POP, or its pools: its own, and those that stand in for it."""
MOST_RULES = 65_000
"""Rules of a geo step, somewhat below its bound."""
EVERYTHING = "everything"
ONE_BY_WEIGHT = "one-by-weight"

_FROM_BROAD = ("continent", "country", "subdivision")


class Policies:
    """Makes policies, each once. ``nowhere`` is called when a rule lists no POP."""

    def __init__(self, report: Report, site: Site, nowhere: Callable[[], str]) -> None:
        self._report = report
        self._site = site
        self._nowhere = nowhere
        self._known: dict[tuple[Any, ...], str] = {}
        self._nets: dict[str, list[list[tuple[str, tuple[str, ...]]]]] = {}

    def everything(self) -> str:
        """All that serves, in random order, as gdnsd rotates addresses."""
        return self._shared(EVERYTHING, "all addresses that are up, in random order", ["shuffle"])

    def by_weight(self, most: int = 1) -> str:
        """So many at random by weight."""
        name = ONE_BY_WEIGHT if most == 1 else f"{most}-by-weight"
        return self._shared(name, "at random by weight", ["weighted", {"take": most}])

    def in_order(
        self, wanted: str, units: Sequence[str], note: str, stand_ins: frozenset[str] = frozenset()
    ) -> str:
        """The first of these that serves; nothing if that is one of ``stand_ins``."""
        return self._shared(wanted, note, [{"failover": list(units)}, *_without(stand_ins, units)])

    def _shared(self, wanted: str, note: str, steps: Steps) -> str:
        key = (repr(steps),)
        if key not in self._known:
            self._known[key] = self._add(wanted, note, steps)
        return self._known[key]

    def _add(self, wanted: str, note: str, steps: Steps) -> str:
        name = fresh_name(wanted, self._site.policies)
        self._site.policies[name] = Policy(name, note, steps)
        return name

    def of_map(
        self,
        meta: MetaResource,
        map_: GeoMap,
        units: Units,
        own: str,
        *,
        undefined: bool,
        stand_ins: frozenset[str] = frozenset(),
    ) -> str:
        """The policy of a resource of geoip: of its map alone, or its ``own`` where its units are pools.

        ``undefined`` says that the map has datacenters that ``units`` lacks. Clients whose first choice is
        one of ``stand_ins`` get nothing.
        """
        self._tell_automatic(meta, map_)
        shows_undefined = meta.skip_first or meta.leaves_clients_out(map_)
        lacking = meta.undefined if shows_undefined else frozenset()
        key = (map_.name, meta.skip_first, lacking, tuple(units.items()))
        if key not in self._known:
            wanted = own or map_.name + (".skip-first" if meta.skip_first else "")
            note = f"map {map_.name}, {map_.place}" + (", without its first" if meta.skip_first else "")
            if lacking:
                note += f", of those that {meta.plugin}!{meta.name} has"
            self._tell_limits(meta, map_, undefined)
            order = list(dict.fromkeys(unit for name in map_.datacenters for unit in units.get(name, ())))
            steps = [*self._map_steps(meta, map_, units), {"failover": order}]
            self._known[key] = self._add(
                wanted, note, [*steps, *self._fence(meta, map_, order), *_without(stand_ins, order)]
            )
        return self._known[key]

    def _map_steps(self, meta: MetaResource, map_: GeoMap, units: Units) -> Steps:
        """Rules for networks and places; then by distance in auto mode."""

        @cache
        def listed(names: tuple[str, ...] | None) -> list[str]:
            if names is None:
                return [self._nowhere()]
            found = dict.fromkeys(unit for name in meta.choices(names) for unit in units.get(name, ()))
            return list(found) or [self._nowhere()]

        geo: dict[str, Any] = {}
        if map_.name not in self._nets:
            self._nets[map_.name] = _parts(map_.nets)
        subnets = [{net: listed(names) for net, names in part} for part in self._nets[map_.name]]
        steps: Steps = [{"geo": {"subnet": rules}} for rules in subnets[:-1]]
        if subnets:
            geo["subnet"] = subnets[-1]
        for index, kind in enumerate(_FROM_BROAD):
            # Without datacenters listed for a place around it, auto is what happens anyway.
            is_within_lists = map_.default is not None or any(
                rule.datacenters is not None and rule.kind in _FROM_BROAD[:index] for rule in map_.rules
            )
            rules = [
                rule
                for rule in map_.rules
                if rule.kind == kind and (rule.datacenters is not None or is_within_lists)
            ]
            if rules:
                geo[kind] = {rule.value: listed(rule.datacenters) for rule in rules}
        if map_.default is not None:
            geo["default"] = listed(map_.default)
        if geo:
            steps.append({"geo": geo})
        if map_.is_auto:
            steps.append("distance")
        return steps

    def _fence(self, meta: MetaResource, map_: GeoMap, order: list[str]) -> Steps:
        """What leaves clients nothing for whom a map lists no datacenter, or none that the resource has.

        It comes after the order is found, so that all others keep every datacenter. Rules within such a place
        must be here too: the most specific one decides.
        """
        if not meta.leaves_clients_out(map_):
            return []
        rules = [(rule.kind, rule.value, rule.datacenters) for rule in map_.rules]
        rules += [("subnet", net, names) for part in self._nets[map_.name] for net, names in part]
        if len(self._nets[map_.name]) > 1:
            message = (
                f"the map {quote(map_.name)} lists no datacenters of {meta.plugin}!{meta.name} for some "
                f"clients, beside more than {MOST_RULES:,} nets: these clients get datacenters here, not an "
                "empty answer. Give them a map of their own, with fewer nets"
            )
            self._report.error("import-location", map_.place, message)
            return []

        @cache
        def kept(names: tuple[str, ...] | None) -> list[str]:
            return order if names is None or meta.choices(names) else [self._nowhere()]

        fence: dict[str, Any] = {"mode": "fence"}
        for kind, value, names in rules:
            fence.setdefault(kind, {})[value] = kept(names)
        return [{"geo": {**fence, "default": kept(map_.default)}}]

    def _tell_automatic(self, meta: MetaResource, map_: GeoMap) -> None:
        """What automatic mode does not do here as it does there."""
        if not map_.is_auto:
            return
        if meta.skip_first:
            message = (
                f"skip_first of {meta.plugin}!{meta.name} cannot leave out the nearest datacenter of the map "
                f"{quote(map_.name)}: it is the first answer here"
            )
            self._report.error("import-limit", meta.place, message)
        ordered = [name for name in map_.datacenters if name in map_.coordinates]
        nearest = min(len(ordered), map_.auto_limit)
        lacking = [name for name in ordered if name in meta.undefined]
        if len(lacking) >= nearest > 0:
            message = (
                f"{meta.plugin}!{meta.name} leaves out {', '.join(lacking)}: clients who have no other among "
                f"their nearest {nearest} get no records from gdnsd, and the nearest of the others here"
            )
            self._report.error("import-location", meta.place, message)

    def _tell_limits(self, meta: MetaResource, map_: GeoMap, undefined: bool) -> None:
        """What of a map shows only when datacenters are down."""
        auto = [name for name in map_.datacenters if name in map_.coordinates] if map_.is_auto else []
        is_short = any(names and len(names) < len(map_.datacenters) for names in map_.lists)
        is_short = is_short or (map_.is_auto and min(len(auto), map_.auto_limit) < len(map_.datacenters))
        if is_short or undefined or meta.skip_first:
            why = [f"auto_dc_limit {map_.auto_limit}"] if map_.is_auto else []
            why += ["skip_first"] if meta.skip_first else []
            message = (
                f"the map {quote(map_.name)} lists only some of its datacenters for some clients"
                + (f" ({', '.join(why)})" if why else "")
                + ": when all of these are down, gdnsd answers with the first of them; here the "
                "other datacenters answer, the nearest or first declared one that is up"
            )
            self._report.info("import-limit", map_.place, message)
        deep = sum(rule.kind == "subdivision" for rule in map_.rules)
        if deep:
            message = (
                f"the map {quote(map_.name)} has {count(deep, 'rule')} for subdivisions: gdnsd looks at each "
                "level of them, here the largest counts (England, not London)"
            )
            self._report.info("import-location", map_.place, message)


def _without(stand_ins: frozenset[str], units: Sequence[str]) -> Steps:
    """The steps that leave nothing if the first unit is a stand-in."""
    if not stand_ins:
        return []
    real = [unit for unit in units if unit not in stand_ins]
    return [{"take": 1}, {"failover": {"mode": "fence", "tiers": real}}]


def _parts(nets: Nets) -> list[list[tuple[str, tuple[str, ...]]]]:
    """The nets in order, in parts of at most ``MOST_RULES`` or little more.

    Nets that have the list of the net around them are left out; nets within one another stay together.
    """
    ranges = sorted(
        (net.version, int(net.network_address), net.prefixlen, net.max_prefixlen, names, net)
        for net, (names, _) in nets.items()
    )
    around: list[tuple[int, int, tuple[str, ...]]] = []
    parts: list[list[tuple[str, tuple[str, ...]]]] = [[]]
    for version, first, length, longest, names, net in ranges:
        last = first | (1 << (longest - length)) - 1
        while around and (around[-1][0] != version or around[-1][1] < last):
            around.pop()
        if around and around[-1][2] == names:
            continue
        if not around and len(parts[-1]) >= MOST_RULES:
            parts.append([])
        around.append((version, last, names))
        parts[-1].append((str(net), names))
    return parts if parts[0] else []
