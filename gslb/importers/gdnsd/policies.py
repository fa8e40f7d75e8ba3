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
        self._told: set[tuple[str, str]] = set()
        self._nets: dict[str, list[list[tuple[str, tuple[str, ...]]]]] = {}

    def everything(self) -> str:
        """All that serves, in random order, as gdnsd rotates addresses."""
        return self._shared(EVERYTHING, "all addresses that are up, in random order", ["shuffle"])

    def by_weight(self, most: int = 1) -> str:
        """So many at random by weight."""
        name = ONE_BY_WEIGHT if most == 1 else f"{most}-by-weight"
        return self._shared(name, "at random by weight", ["weighted", {"take": most}])

    def in_order(self, wanted: str, units: Sequence[str], note: str) -> str:
        """The first of these that serves."""
        return self._shared(wanted, note, [{"failover": list(units)}])

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
        self, meta: MetaResource, map_: GeoMap, units: dict[str, str], own: str, *, undefined: bool
    ) -> str:
        """The policy of a resource of geoip: of its map alone, or its ``own`` where its units are pools.

        ``units`` are the POPs or pools of the datacenters. ``undefined`` says that the map has datacenters
        that ``units`` lacks.
        """
        key = (map_.name, meta.skip_first, tuple(units.items()))
        if key not in self._known:
            wanted = own or map_.name + (".skip-first" if meta.skip_first else "")
            note = f"map {map_.name}, {map_.place}" + (", without its first" if meta.skip_first else "")
            self._tell_limits(meta, map_, undefined)
            self._known[key] = self._add(wanted, note, self._map_steps(meta, map_, units))
        return self._known[key]

    def _map_steps(self, meta: MetaResource, map_: GeoMap, units: dict[str, str]) -> Steps:
        """Rules for networks and places; then by distance in auto mode; then in the declared order."""

        @cache
        def listed(names: tuple[str, ...] | None) -> list[str]:
            if names is None:
                return [self._nowhere()]
            kept = names[1:] if meta.skip_first and len(names) > 1 else names
            return [units[name] for name in kept if name in units] or [self._nowhere()]

        lists = [rule.datacenters for rule in map_.rules] + [net[0] for net in map_.nets.values()]
        is_fence = any(names == () for names in [*lists, map_.default])
        if is_fence and (map_.is_auto and None in [*lists, map_.default]):
            message = (
                f"the map {quote(map_.name)} has places without datacenters beside 'auto': these get the "
                "nearest here, not an empty answer"
            )
            self._tell("import-location", map_.name, map_.place, message, "error")
            is_fence = False
        geo: dict[str, Any] = {"mode": "fence"} if is_fence else {}
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
        if set(geo) - {"mode"}:
            steps.append({"geo": geo})
        if map_.is_auto:
            steps.append("distance")
        if not is_fence:
            order = [units[name] for name in map_.datacenters if name in units]
            steps.append({"failover": order})
        return steps

    def _tell_limits(self, meta: MetaResource, map_: GeoMap, undefined: bool) -> None:
        """What of a map shows only when datacenters are down."""
        auto = [name for name in map_.datacenters if name in map_.coordinates] if map_.is_auto else []
        lists = {rule.datacenters for rule in map_.rules} | {net[0] for net in map_.nets.values()}
        lists |= {map_.default}
        short = [names for names in lists if names is not None and len(names) < len(map_.datacenters)]
        if short or (map_.is_auto and min(len(auto), map_.auto_limit) < len(map_.datacenters)) or undefined:
            message = (
                f"the map {quote(map_.name)} lists only some of its datacenters for some clients"
                + (f" (auto_dc_limit {map_.auto_limit})" if map_.is_auto else "")
                + ": when all of these are down, gdnsd answers with the first of them; here the "
                "other datacenters answer, the nearest or first declared one that is up"
            )
            self._tell("import-limit", map_.name, map_.place, message, "info")
        if meta.skip_first and map_.is_auto:
            message = (
                f"skip_first of {meta.plugin}!{meta.name} cannot leave out the nearest datacenter of the map "
                f"{quote(map_.name)}: it is the first answer here"
            )
            self._tell("import-limit", meta.name, meta.place, message, "error")
        deep = sum(rule.kind == "subdivision" for rule in map_.rules)
        if deep:
            message = (
                f"the map {quote(map_.name)} has {count(deep, 'rule')} for subdivisions: gdnsd looks at each "
                "level of them, here the largest counts (England, not London)"
            )
            self._tell("import-location", map_.name, map_.place, message, "info")

    def _tell(self, rule: str, what: str, place: Place, message: str, severity: str) -> None:
        if (rule, what) not in self._told:
            self._told.add((rule, what))
            getattr(self._report, severity)(rule, place, message)


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
