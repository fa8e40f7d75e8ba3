"""Resources of multifo, simplefo, weighted and static: gdnsd-plugin-multifo(8) and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.config.wording import quote
from gslb.importers.gdnsd.fields import PARAMETERS, Fields, as_address, is_absolute_name
from gslb.importers.gdnsd.model import Family, Member, Resource
from gslb.importers.gdnsd.vscf import Array, Hash, Text, Value, items_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gslb.config.report import Report
    from gslb.model.finding import Place

PLUGINS = ("multifo", "simplefo", "weighted", "static")
MAXIMUM_WEIGHT = 1_048_575


class ResourceReader:
    """Reads resources of these plugins, of their own stanzas or out of a datacenter."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._fields = Fields(report)

    def read_plugin(self, plugin: str, stanza: Hash) -> Iterator[Resource]:
        """The resources of a plugin's stanza."""
        for name, value in stanza.without(*PARAMETERS).values.items():
            place = stanza.place_of(name)
            if plugin == "static":
                given: Value = value
            elif isinstance(value, Hash):
                given = value.inheriting(stanza, *PARAMETERS)
            else:
                given = labelled(value).inheriting(stanza, *PARAMETERS)
            resource = self.read(plugin, name, given, place)
            if resource is not None:
                yield resource

    def read(self, plugin: str, name: str, value: Value, place: Place) -> Resource | None:
        """One resource, ``None`` after noting that nothing of it can be used."""
        families: dict[str, Family] = {}
        if plugin == "static":
            families = self._static(name, value)
        elif not isinstance(value, Hash):
            self._fields.bad(value, f"the resource {quote(name)} must be a hash")
        else:
            parameters = Hash(
                value.place, {key: value.values[key] for key in PARAMETERS if key in value.values}
            )
            explicit = {"addrs_v4": "ipv4", "addrs_v6": "ipv6"}
            found = [key for key in explicit if key in value.values]
            for key in found:
                inner = value.values[key]
                inner = inner if isinstance(inner, Hash) else labelled(inner)
                families |= self._family(plugin, name, inner.inheriting(parameters), explicit[key])
            if not found:
                families = self._family(plugin, name, value, "")
            elif rest := value.without(*PARAMETERS, *explicit).values:
                key = next(iter(rest))
                self._report.error(
                    "import-invalid",
                    value.place_of(key),
                    f"{plugin}!{name}: {quote(key)} stands beside addrs_v4 or addrs_v6",
                )
        return Resource(plugin, name, place, families) if families else None

    def _static(self, name: str, value: Value) -> dict[str, Family]:
        if not isinstance(value, Text):
            self._fields.bad(value, f"static!{name} must be an address or a name")
            return {}
        member = self._member("1", value, value, 1)
        return {} if member is None else {_kind(member): Family(value.place, (("", (member,)),))}

    def _family(self, plugin: str, name: str, given: Hash, wanted: str) -> dict[str, Family]:
        """The members of a hash; ``wanted`` is the family they must have."""
        groups: list[tuple[str, tuple[Member, ...]]] = []
        direct: list[Member] = []
        for label, value in given.without(*PARAMETERS).values.items():
            if plugin == "weighted" and isinstance(value, Hash):
                read = [self._weighted(inner, item) for inner, item in value.values.items()]
                groups.append((label, tuple(member for member in read if member is not None)))
            else:
                found = (
                    self._weighted(label, value)
                    if plugin == "weighted"
                    else self._member(label, value, value, 1)
                )
                direct += [found] if found is not None else []
        if direct:
            groups.append(("", tuple(direct)))
        groups = [group for group in groups if group[1]]
        members = [member for _, listed in groups for member in listed]
        kinds = {_kind(member) for member in members} | ({wanted} if wanted else set())
        if not members or len(kinds) > 1 or (direct and len(groups) > 1):
            message = f"{plugin}!{name} must have addresses of one family, or CNAMEs, in one form"
            self._report.error("import-invalid", given.place, message)
            return {}
        if plugin == "simplefo" and [member.label for member in members] != ["primary", "secondary"]:
            ordered = {member.label: member for member in members}
            if set(ordered) != {"primary", "secondary"}:
                message = f"simplefo!{name} must have primary and secondary"
                self._report.error("import-invalid", given.place, message)
                return {}
            groups = [("", (ordered["primary"], ordered["secondary"]))]
        thresh = self._fields.number(given.values.get("up_thresh"), "up_thresh", 0.5)
        if not 0 < thresh <= 1:
            self._fields.bad(given.values["up_thresh"], "up_thresh must be above 0 and at most 1")
            thresh = 0.5
        services = given.values.get("service_types")
        return {
            kinds.pop(): Family(
                given.place,
                tuple(groups),
                ("up",) if services is None else self._fields.strings(services),
                thresh,
                self._fields.boolean(given, "ignore_health"),
                self._fields.boolean(given, "multi"),
            )
        }

    def _weighted(self, label: str, value: Value) -> Member | None:
        """What ``[ address or CNAME, weight ]`` says."""
        items = self._fields.array(value, f"{label} must be [ address or CNAME, weight ]: it", 2)
        if items is None:
            return None
        weight = self._fields.number(items[1], "the weight", 0)
        if not 1 <= weight <= MAXIMUM_WEIGHT or weight != int(weight):
            self._fields.bad(items[1], f"the weight must be 1 to {MAXIMUM_WEIGHT}")
            return None
        return self._member(label, value, items[0], int(weight))

    def _member(self, label: str, value: Value, target: Value, weight: int) -> Member | None:
        if not isinstance(target, Text):
            self._fields.bad(target, f"{label} must be an address or a CNAME")
            return None
        address = as_address(target.text)
        if address is None and not is_absolute_name(target.text):
            message = f"{label}: {quote(target.text)} is no address, and no domain name with a final dot"
            self._fields.bad(target, message)
            return None
        if address is not None and (address.is_multicast or address.is_unspecified):
            self._fields.bad(target, f"{label}: no client can be sent to {address}; it is left out")
            return None
        return Member(label, value.place, target.text if address is None else address, weight)


def labelled(value: Value) -> Hash:
    """An array of addresses, or one, as a hash with the labels 1, 2, and so on."""
    items = {str(number): item for number, item in enumerate(items_of(value), 1)}
    return Hash(value.place, dict(items), {label: item.place for label, item in items.items()})


def is_array_or_text(value: Value) -> bool:
    """Whether a value is no hash."""
    return isinstance(value, Array | Text)


def _kind(member: Member) -> str:
    return "cname" if isinstance(member.target, str) else f"ipv{member.target.version}"
