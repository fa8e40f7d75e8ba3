"""Resources as pools."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from math import ceil
from typing import TYPE_CHECKING

from gslb.config.wording import count
from gslb.importers.gdnsd.site import Endpoint, Pool, fresh_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gslb.config.report import Report
    from gslb.importers.gdnsd.model import Datacenter, Family, Member, Resource
    from gslb.importers.gdnsd.monitors import Monitors, Watch
    from gslb.importers.gdnsd.policies import Policies
    from gslb.importers.gdnsd.site import Site

KINDS = {"ipv4": "ipv4", "ipv6": "ipv6", "cname": "other"}
"""Keys of ``min_healthy``."""
SUFFIXES = {"ipv4": "v4", "ipv6": "v6", "cname": "cname"}
NAMES = {"ipv4": "IPv4 addresses", "ipv6": "IPv6 addresses"}
STAND_INS = {"ipv4": IPv4Address("198.18.0.0"), "ipv6": IPv6Address("100::")}
"""Addresses from here on lead nowhere (RFC 2544, RFC 6666), as those that are never answered should."""
MOST_WEIGHT = 65_535
MOST_TAKEN = 32
MOST_ENDPOINTS = 64
"""Of one answer."""


class Pools:
    """Makes pools of resources."""

    def __init__(
        self, report: Report, site: Site, monitors: Monitors, policies: Policies, taken: set[str]
    ) -> None:
        self._report = report
        self._site = site
        self._monitors = monitors
        self._policies = policies
        self._taken = taken
        self._told: set[tuple[str, str]] = set()
        self._stand_ins = dict.fromkeys(STAND_INS, 1)

    def add(self, wanted: str, note: str) -> Pool:
        """A pool of a new name."""
        name = fresh_name(wanted, self._site.pools, self._taken)
        self._site.pools[name] = Pool(name, note)
        return self._site.pools[name]

    def of_resource(self, resource: Resource, wanted: str, pop: str, *, is_member: bool) -> Pool:
        """The pool of a resource whose addresses are all at one POP.

        Families that are alike share it; else it holds a pool for each.
        """
        note = f"{resource.plugin}!{resource.name}, {resource.place}"
        if self._is_one(resource):
            pool = self.add(wanted, note)
            for kind, family in resource.families.items():
                self._fill(pool, resource, kind, family, pop, is_member=is_member)
            return pool
        whole = self.add(wanted, note)
        for kind, family in resource.families.items():
            part = self.add(f"{whole.name}.{SUFFIXES[kind]}", f"{note}: {kind}")
            self._fill(part, resource, kind, family, pop, is_member=is_member)
            whole.members.append((part.name, None))
        return whole

    def depth(self, resource: Resource) -> int:
        """How many pools lie one within another in that of a resource: 1 to 3."""
        holds = resource.plugin == "simplefo" or any(one.is_grouped for one in resource.families.values())
        return 1 + (not self._is_one(resource)) + holds

    def standing_in(self, resource: Resource, kind: str, wanted: str, pop: str) -> Pool:
        """The pool that stands in for a resource in the family ``kind``, which it lacks.

        It is up while the resource is: the addresses of its other family are probed. Its own are never
        answered.
        """
        (family,) = resource.families.values()
        note = f"stands in for {resource.plugin}!{resource.name}, which has no {NAMES[kind]}"
        pool = self.add(wanted, note)
        self._watch_over(pool, family)
        probes = dict.fromkeys(str(member.target) for member in family.members)
        first = STAND_INS[kind] + self._stand_ins[kind]
        self._stand_ins[kind] += len(probes)
        pool.endpoints = [
            Endpoint(pop, str(first + number), probe=probe) for number, probe in enumerate(probes)
        ]
        if not family.is_grouped:
            need = self.need(resource, family)
            pool.min_healthy = {KINDS[kind]: need} if need > 1 else {}
        return pool

    def watch(self, watched: Family | Datacenter) -> Watch:
        """How the members of a family, or the CNAME of a datacenter, are monitored."""
        return self._monitors.watch(watched.service_types, watched.place)

    def need(self, resource: Resource, family: Family) -> int:
        """How many addresses must be up, else the resource is down.

        An address that is listed twice counts twice there, and is one endpoint here.
        """
        if resource.plugin in {"simplefo", "static"}:
            return 1
        by_target: dict[str, int] = {}
        for member in family.members:
            by_target[str(member.target)] = by_target.get(str(member.target), 0) + member.weight
        weights = sorted(by_target.values())
        needed = share(sum(weights), family.up_thresh)
        fewest = next(n for n in range(1, len(weights) + 1) if sum(weights[-n:]) >= needed)
        surely = next(n for n in range(1, len(weights) + 1) if sum(weights[:n]) >= needed)
        if fewest != surely and self._is_probed(family):
            message = (
                f"up_thresh of {resource.plugin}!{resource.name} is a share of "
                f"{'weights' if resource.plugin == 'weighted' else 'what it lists'}, min_healthy one of "
                f"addresses: {fewest} of {len(weights)} must be up here, where gdnsd needs {fewest} to "
                f"{surely} depending on which"
            )
            self._tell("import-weights", resource, message, "warning")
        return fewest

    def _is_probed(self, family: Family) -> bool:
        return bool(self.watch(family).monitors)

    def _is_one(self, resource: Resource) -> bool:
        """Whether its families share a pool."""
        return len({self._shape(resource, family) for family in resource.families.values()}) == 1

    def _shape(self, resource: Resource, family: Family) -> tuple[object, ...]:
        """What two families must share to share a pool."""
        watch = self.watch(family)
        grouped = tuple(name for name, _ in family.groups) if family.is_grouped else ()
        how: tuple[int, ...] = ()
        if resource.plugin == "weighted" and not grouped:
            weights = [member.weight for member in family.members]
            how = (self._taken_of(weights, family.multi),)
        return (watch.monitors, watch.is_down, family.ignore_health, family.multi, grouped, *how)

    def _fill(
        self, pool: Pool, resource: Resource, kind: str, family: Family, pop: str, *, is_member: bool
    ) -> None:
        """Add a family to a pool."""
        if resource.plugin == "simplefo":
            self._fill_simplefo(pool, family, pop)
        elif resource.plugin == "weighted" and family.is_grouped:
            self._fill_grouped(pool, resource, kind, family, pop)
        else:
            self._fill_endpoints(pool, resource, kind, family, pop, is_member=is_member)

    def _fill_endpoints(
        self, pool: Pool, resource: Resource, kind: str, family: Family, pop: str, *, is_member: bool
    ) -> None:
        self._watch_over(pool, family)
        if family.ignore_health and is_member:
            message = (
                f"ignore_health of {resource.plugin}!{resource.name}: here addresses that are down are left "
                "out; gdnsd answers them as long as its datacenter is up"
            )
            self._tell("import-health", resource, message, "warning")
        elif family.ignore_health:
            pool.monitors, pool.is_down = (), False
        is_weighted = resource.plugin == "weighted"
        self._add_endpoints(pool, resource, family.members, pop, is_weighted=is_weighted)
        need = self.need(resource, family)
        if need > 1:
            pool.min_healthy[KINDS[kind]] = need
        if is_weighted:
            weights = [member.weight for member in family.members]
            most = self._taken_of(weights, family.multi)
            pool.policy = self._policies.by_weight(most) if most else ""
            if family.multi and most:
                self._tell_multi(resource)

    def _taken_of(self, weights: Sequence[int], multi: bool) -> int:
        """How many are drawn by weight; 0 if all are answered always."""
        if not multi:
            return 1
        if len(set(weights)) == 1:
            return 0
        return max(1, min(MOST_TAKEN, round(sum(weights) / max(weights))))

    def _add_endpoints(
        self, pool: Pool, resource: Resource, members: Sequence[Member], pop: str, *, is_weighted: bool
    ) -> None:
        weights = scaled([member.weight for member in members])
        if is_weighted and weights != [member.weight for member in members]:
            message = f"the weights of {resource.plugin}!{resource.name} are scaled to at most {MOST_WEIGHT}"
            self._tell("import-weights", resource, message, "info")
        if len(members) > MOST_ENDPOINTS:
            message = (
                f"{resource.plugin}!{resource.name} has {count(len(members), 'address', 'addresses')}; "
                f"an answer here has at most {MOST_ENDPOINTS}"
            )
            self._tell("import-limit", resource, message, "error")
        known = {endpoint.target for endpoint in pool.endpoints}
        for member, weight in zip(members, weights, strict=True):
            target = str(member.target)
            if target in known:
                message = f"{resource.plugin}!{resource.name} lists {target} twice: it is answered once"
                self._report.warning("import-invalid", member.place, message)
                continue
            known.add(target)
            label = "" if member.label.isdigit() else member.label
            pool.endpoints.append(Endpoint(pop, target, weight if is_weighted else None, label))

    def _watch_over(self, pool: Pool, family: Family) -> None:
        watch = self.watch(family)
        is_cname = isinstance(family.members[0].target, str)
        pool.monitors, pool.is_down = watch.of_names if is_cname else watch.monitors, watch.is_down

    def _fill_simplefo(self, pool: Pool, family: Family, pop: str) -> None:
        """A pool for the primary addresses and one for the secondary, in order."""
        if not pool.members:
            parts = [
                self.add(f"{pool.name}.{label}", f"{pool.note}: {label}")
                for label in ("primary", "secondary")
            ]
            pool.members = [(part.name, None) for part in parts]
            names = [part.name for part in parts]
            pool.policy = self._policies.in_order(pool.name, names, pool.note)
        for (name, _), member in zip(pool.members, family.members, strict=True):
            part = self._site.pools[name]
            self._watch_over(part, family)
            part.endpoints.append(Endpoint(pop, str(member.target)))

    def _fill_grouped(self, pool: Pool, resource: Resource, kind: str, family: Family, pop: str) -> None:
        """Single: a group by weight, many of its addresses. Multi: many groups, an address of each."""
        sums = [sum(member.weight for member in members) for _, members in family.groups]
        if not pool.members:
            most = self._taken_of(sums, family.multi)
            pool.policy = self._policies.by_weight(most) if most else ""
            for (label, _), weight in zip(family.groups, scaled(sums), strict=True):
                part = self.add(f"{pool.name}.{label}", f"{pool.note}: group {label}")
                pool.members.append((part.name, weight if most else None))
            if family.multi and most:
                self._tell_multi(resource)
        elif [weight for _, weight in pool.members] != [
            weight if pool.policy else None for weight in scaled(sums)
        ]:
            message = (
                f"the groups of {resource.plugin}!{resource.name} weigh otherwise for {kind}: they have the "
                "weights of the first family here"
            )
            self._tell("import-weights", resource, message, "error")
        for (name, _), (_, members) in zip(pool.members, family.groups, strict=True):
            part = self._site.pools[name]
            self._watch_over(part, family)
            self._add_endpoints(part, resource, members, pop, is_weighted=True)
            within = self._taken_of([member.weight for member in members], not family.multi)
            part.policy = self._policies.by_weight(within) if within else ""
            if within > 1 or (within and not family.multi):
                self._tell_multi(resource)
        if self._is_probed(family):
            message = (
                f"up_thresh of {resource.plugin}!{resource.name} is about the weights of all groups; here "
                "the resource is up while an address of it is, and a group keeps its weight while some of "
                "its addresses are down"
            )
            self._tell("import-weights", resource, message, "warning")

    def _tell_multi(self, resource: Resource) -> None:
        message = (
            f"multi of {resource.plugin}!{resource.name} puts each address into an answer by a chance of its "
            "own; here each answer has the same number of addresses, drawn by weight"
        )
        self._tell("import-weights", resource, message, "error")

    def _tell(self, rule: str, resource: Resource, message: str, severity: str) -> None:
        if (message, resource.name) not in self._told:
            self._told.add((message, resource.name))
            getattr(self._report, severity)(rule, resource.place, message)


def share(total: int, threshold: float) -> int:
    """A share of a total, rounded up, at least 1."""
    return max(1, ceil(round(total * threshold, 9)))


def scaled(weights: Sequence[int]) -> list[int]:
    """Weights of at most ``MOST_WEIGHT``, in the same proportions as far as that goes."""
    heaviest = max(weights)
    if heaviest <= MOST_WEIGHT:
        return list(weights)
    return [max(1, round(weight * MOST_WEIGHT / heaviest)) for weight in weights]
