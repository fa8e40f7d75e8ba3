"""A configuration and its zones as a site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.config.names import parse_owner_name
from gslb.config.wording import quote
from gslb.importers.gdnsd.model import MetaResource, Reference, Resource
from gslb.importers.gdnsd.monitors import Monitors
from gslb.importers.gdnsd.policies import Policies
from gslb.importers.gdnsd.pools import Pools
from gslb.importers.gdnsd.pops import Pops
from gslb.importers.gdnsd.reach import DeadEndError, Reaches
from gslb.importers.gdnsd.site import Endpoint, Name, Site
from gslb.importers.gdnsd.stand_ins import StandIns
from gslb.importers.gdnsd.ttls import Ttls
from gslb.model.site import Reflect

if TYPE_CHECKING:
    from gslb.config.report import Report
    from gslb.importers.gdnsd.model import Configuration, Datacenter
    from gslb.importers.gdnsd.monitors import Watch
    from gslb.importers.gdnsd.policies import Units
    from gslb.importers.gdnsd.site import Pool
    from gslb.importers.gdnsd.zonefile import Dynamic
    from gslb.model.finding import Place

RESOLVERS = ("geoip", "metafo", "multifo", "simplefo", "weighted")
_RECORD_TYPES = {"ipv4": "A", "ipv6": "AAAA", "cname": "CNAME"}


class Converter:
    """Turns resources into pools as names ask for them."""

    def __init__(self, report: Report, configuration: Configuration) -> None:
        self._report = report
        self._configuration = configuration
        self.site = Site()
        self._pops = Pops(configuration, self.site)
        self._policies = Policies(report, self.site, self._pops.nowhere)
        self._pools = Pools(
            report,
            self.site,
            Monitors(report, configuration.service_types, self.site, configuration.options.state),
            self._policies,
            self._pops.taken,
        )
        self._ttls = Ttls(configuration, self._pools.watch)
        self._reaches = Reaches(configuration, self._pools.depth)
        self._stand_ins = StandIns(report, configuration, self._pools, self._pops, self._reaches.datacenters)
        self._roots: dict[tuple[str, str], Pool | None] = {}
        self._made: dict[tuple[str, str, str], Pool] = {}
        self._flat: dict[tuple[str, str], Pool | None] = {}
        self._names: dict[str, Place] = {}
        self._databases()

    # What a zone file asks

    def static_records(self, reference: Reference, is_cname_allowed: bool) -> list[tuple[str, str]] | None:
        """The records that a resource is always answered with; none after noting that there cannot be any."""
        plugin, name = reference.plugin, reference.name
        if plugin == "null":
            return [("A", "0.0.0.0"), ("AAAA", "::")]  # noqa: S104 - what null answers
        kinds = self._answerable(reference, is_cname_allowed)
        if not kinds:
            return []
        if plugin == "static":
            kind, family = next(iter(self._configuration.resources[plugin, name].families.items()))
            return [(_RECORD_TYPES[kind], str(family.members[0].target))]
        return None

    def _answerable(self, reference: Reference, is_cname_allowed: bool) -> frozenset[str]:
        """The kinds that a resource can answer; none after noting why."""
        plugin = reference.plugin
        message = ""
        kinds: frozenset[str] = frozenset()
        if plugin == "reflect":
            rule = "import-invalid"
            kinds = frozenset({"ipv4", "ipv6"})
            if reference.name not in {"", *Reflect}:
                message = f"there is no resource {quote(str(reference))}: no record is left"
        elif plugin not in {*RESOLVERS, "static"}:
            message = f"there is no plugin {quote(plugin)} that could be carried over: no record is left"
            rule = "import-plugin"
        else:
            rule = "import-invalid"
            try:
                kinds = self._reaches.of(reference).kinds
            except DeadEndError as error:
                rule, message = error.rule, str(error)
            if not kinds and not message:
                message = f"there is no resource {quote(str(reference))} with addresses: no record is left"
            elif "cname" in kinds and not is_cname_allowed:
                message = f"{reference} can answer a CNAME, so gdnsd wants DYNC: no record is left"
                rule = "import-cname"
        if message:
            self._report.error(rule, reference.place, message)
            return frozenset()
        return kinds

    def add(self, dynamic: Dynamic) -> None:
        """Add the steered name of a DYNA or DYNC record."""
        reference = dynamic.reference
        try:
            name = parse_owner_name(dynamic.name)
        except ValueError as error:
            self._report.error("import-name", dynamic.place, f"{error}; it is left out")
            return
        if name in self._names:
            message = f"{name} already has a DYNA or DYNC at {self._names[name]}: this one is left out"
            self._report.error("import-name", dynamic.place, message)
            return
        self._names[name] = dynamic.place
        note = f"{reference}, {dynamic.place}"
        if reference.plugin == "reflect":
            mode = reference.name or Reflect.BEST.value
            self.site.names.append(
                Name(
                    name=name,
                    note=note,
                    reflect=mode,
                    ttl=dynamic.ttl,
                    min_ttl=dynamic.ttl,
                    client_subnet=self._configuration.options.client_subnet,
                )
            )
            return
        pool = self._root(reference)
        if pool is None:
            return
        self.site.names.append(
            Name(
                name=name,
                note=note,
                pool=pool.name,
                policy="" if pool.policy else self._policies.everything(),
                ttl=self._ttl(dynamic),
                min_ttl=dynamic.min_ttl,
                client_subnet=self._reaches.of(reference).follows_client_subnet,
            )
        )

    def _ttl(self, dynamic: Dynamic) -> int:
        """The TTL while nothing fails; the least where it depends on the client."""
        every = self._ttls.longest(dynamic.reference)
        ttls = {max(dynamic.min_ttl, min(dynamic.ttl, longest)) for longest in every}
        least, most = min(ttls, default=dynamic.ttl), max(ttls, default=dynamic.ttl)
        if least < most:
            message = (
                f"gdnsd answers with TTLs from {least} to {most}, since datacenters of {dynamic.reference} "
                f"are monitored differently; here a name has one, {least}: put another into names.yaml if "
                "that is too short"
            )
            self._report.warning("import-ttl", dynamic.place, message)
        return least

    # Pools

    def _root(self, reference: Reference) -> Pool | None:
        """The pool that a name uses."""
        key = (reference.plugin, reference.name)
        if key not in self._roots:
            self._roots[key] = self._make_root(reference)
        return self._roots[key]

    def _make_root(self, reference: Reference) -> Pool | None:
        resource = self._configuration.resources.get((reference.plugin, reference.name))
        if resource is not None:
            pop = self._pops.of_resource(resource)
            return self._pools.of_resource(resource, resource.name, pop, is_member=False)
        kinds = self._reaches.of(reference).kinds
        if "cname" in kinds and len(kinds) > 1:
            message = (
                f"{reference} answers addresses or a CNAME, as its datacenters have; all endpoints of a pool "
                "here have a cname, or none: datacenters with CNAMEs are left out, and their clients get the "
                "next ones. To keep them, write a pool where every endpoint has a cname: give the addresses "
                "names of their own, and let an endpoint lead to each, with probe for its health"
            )
            self._report.error("import-cname", reference.place, message)
        if "/" in reference.name:
            meta, datacenter = next(self._reaches.datacenters(reference))
            return self._of_datacenter(meta, datacenter)
        return self._of_meta(self._configuration.metas[reference.plugin, reference.name])

    def _of_meta(self, meta: MetaResource) -> Pool | None:
        """A pool of endpoints where that says the same, else one of a pool for each datacenter."""
        key = (meta.plugin, meta.name)
        if key not in self._flat:
            self._flat[key] = self._make_flat(meta) or self._make_deep(meta)
        return self._flat[key]

    def _make_flat(self, meta: MetaResource) -> Pool | None:
        """Datacenters of the same families, of which one address is enough, are POPs of one pool."""
        leaves: list[tuple[Datacenter, Resource | None]] = []
        for datacenter in meta.datacenters.values():
            if isinstance(datacenter.target, str):
                leaves.append((datacenter, None))
                continue
            target = datacenter.target
            resource = self._configuration.resources.get((target.plugin, target.name))
            if resource is None or resource.plugin not in {"multifo", "static"}:
                return None
            leaves.append((datacenter, resource))
        families = [family for _, resource in leaves if resource for family in resource.families.values()]
        targets = [str(member.target) for family in families for member in family.members]
        targets += [one.target for one, _ in leaves if isinstance(one.target, str)]
        watches: set[Watch] = {self._pools.watch(family) for family in families}
        watches |= {self._pools.watch(one) for one, resource in leaves if resource is None}
        is_plain = all(
            self._pools.need(resource, family) == 1
            and not family.ignore_health
            and "cname" not in resource.families
            for _, resource in leaves
            if resource
            for family in resource.families.values()
        )
        has_both = bool(families) and any(resource is None for _, resource in leaves)
        differ = len({(one.monitors, one.is_down) for one in watches}) > 1
        differ = differ or len({frozenset(resource.families) for _, resource in leaves if resource}) > 1
        if has_both or not leaves or not is_plain or differ:
            return None
        if len(set(targets)) < len(targets):
            return None
        pool = self._pools.add(meta.name, f"{meta.plugin}!{meta.name}, {meta.place}")
        for watch in watches:
            pool.monitors, pool.is_down = watch.monitors if families else watch.of_names, watch.is_down
        units: Units = {}
        for datacenter, resource in leaves:
            pop = self._pops.of_datacenter(meta, datacenter.name)
            units[datacenter.name] = (pop,)
            if resource is None:
                pool.endpoints.append(Endpoint(pop, str(datacenter.target)))
            for family in resource.families.values() if resource else ():
                for member in family.members:
                    label = "" if member.label.isdigit() else member.label
                    pool.endpoints.append(Endpoint(pop, str(member.target), None, label))
        pool.policy = self._meta_policy(meta, units, "")
        return pool

    def _make_deep(self, meta: MetaResource) -> Pool | None:
        pool = self._pools.add(meta.name, f"{meta.plugin}!{meta.name}, {meta.place}")
        units: Units = {}
        for datacenter in meta.datacenters.values():
            if isinstance(datacenter.target, str) and self._has_addresses(meta):
                continue
            made = self._of_datacenter(meta, datacenter)
            if made is not None:
                units[datacenter.name] = (made.name,)
        if not units:
            self._report.error("import-invalid", meta.place, f"{meta.plugin}!{meta.name} cannot be answered")
            del self.site.pools[pool.name]
            return None
        kinds = {kind for name in units for kind in self._reaches.of(meta.datacenters[name].target).kinds}
        stand_ins = self._stand_ins.add(meta, units, kinds - {"cname"})
        # A resource that two datacenters share is one member, at the place of the first.
        pool.members = [(name, None) for name in _flattened(units)]
        pool.policy = self._meta_policy(meta, units, meta.name, stand_ins)
        return pool

    def _has_addresses(self, meta: MetaResource) -> bool:
        return any(self._reaches.of(one.target).kinds - {"cname"} for one in meta.datacenters.values())

    def _of_datacenter(self, meta: MetaResource, datacenter: Datacenter) -> Pool | None:
        """The pool of what a datacenter answers."""
        target = datacenter.target
        if isinstance(target, str):
            key = (meta.plugin, f"{meta.name}/{datacenter.name}", "")
            if key not in self._made:
                note = f"{meta.plugin}!{meta.name}/{datacenter.name}, {datacenter.place}"
                pool = self._made[key] = self._pools.add(meta.shown_name(datacenter), note)
                pool.endpoints.append(Endpoint(self._pops.of_datacenter(meta, datacenter.name), target))
                watch = self._pools.watch(datacenter)
                pool.monitors, pool.is_down = watch.of_names, watch.is_down
            return self._made[key]
        resource = self._configuration.resources.get((target.plugin, target.name))
        if resource is not None:
            pop = self._pops.of_datacenter(meta, datacenter.name)
            key = (target.plugin, target.name, pop)
            if key not in self._made:
                wanted = meta.shown_name(datacenter)
                self._made[key] = self._pools.of_resource(resource, wanted, pop, is_member=True)
            return self._made[key]
        if "/" in target.name:
            found = next(self._reaches.datacenters(target), None)
            return None if found is None else self._of_datacenter(*found)
        inner = self._configuration.metas.get((target.plugin, target.name))
        if inner is None:
            rule, why = "import-invalid", "is no resource: the datacenter is left out"
            if target.plugin == "reflect":
                rule = "import-plugin"
                why = (
                    "cannot be a datacenter, since names reflect here, not endpoints: it is left out; its "
                    "clients get the next one. To show them their own addresses, declare another name with "
                    f"reflect: {target.name or Reflect.BEST.value} in names.yaml"
                )
            self._report.error(rule, target.place, f"{quote(str(target))} {why}")
            return None
        if inner.map and inner.leaves_clients_out(self._configuration.maps[inner.map]):
            message = (
                f"{target} is a datacenter here, and has none for some clients of its map: they get the next "
                "datacenter, where gdnsd answers no records"
            )
            self._report.error("import-location", target.place, message)
        return self._of_meta(inner)

    def _meta_policy(
        self, meta: MetaResource, units: Units, own: str, stand_ins: frozenset[str] = frozenset()
    ) -> str:
        if meta.map:
            map_ = self._configuration.maps[meta.map]
            undefined = len(meta.datacenters) < len(map_.datacenters)
            pops: Units = {name: (self._pops.of_datacenter(meta, name),) for name in map_.datacenters}
            every = units if own else pops
            return self._policies.of_map(meta, map_, every, own, undefined=undefined, stand_ins=stand_ins)
        note = f"the order of metafo!{meta.name}, {meta.place}"
        return self._policies.in_order(meta.name, _flattened(units), note, stand_ins)

    # Databases

    def _databases(self) -> None:
        for map_ in self._configuration.maps.values():
            if map_.database is None or map_.database_place is None:
                continue
            if "\0" in str(map_.database):
                message = f"{quote(str(map_.database))} is no file name; correct geoip2_db"
                self._report.error("import-database", map_.database_place, message)
                continue
            path = str(map_.database.resolve())
            if path in self.site.databases:
                continue
            if not map_.database.is_file():
                message = f"there is no database {path}; put it there, or correct geo in policies.yaml"
                self._report.error("import-database", map_.database_place, message)
                continue
            if self.site.databases:
                message = (
                    f"the map {quote(map_.name)} has a database of its own; here all policies look into all "
                    f"databases, first into {self.site.databases[0]}"
                )
                self._report.warning("import-database", map_.database_place, message)
            self.site.databases.append(path)


def _flattened(units: Units) -> list[str]:
    """The units of all datacenters, each once."""
    return list(dict.fromkeys(unit for one in units.values() for unit in one))
