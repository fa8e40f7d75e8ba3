"""What zones of a site say of each other: targets in another zone, delegations to a zone served here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gslb.config.names import parent_names
from gslb.config.wording import count, quote
from gslb.model.alias import ALIAS
from gslb.model.finding import Finding, Place
from gslb.model.rules import RULES
from gslb.zones.checks.records import NS, Record, name_at, records_of, type_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gslb._dataplane import ZoneText

MAXIMUM_SERVERS = 1000
_ABSENT, _PRESENT = 0, 1
_OF_ADDRESSES = frozenset({NS, ALIAS})
"""Types whose target stands for addresses."""


class Lead(NamedTuple):
    """A record that points into another zone of the site."""

    target: str
    origin: str
    rtype: int
    file: str
    line: int


def check_leads(
    leads: Mapping[str, Sequence[Lead]],
    zones: Mapping[str, ZoneText],
    steered: Mapping[str, Sequence[str]],
) -> Iterator[tuple[str, Finding]]:
    """Follow the leads of each zone (by origin); findings with the origin of the zone that has the record.

    ``steered`` has the steered names of each zone.
    """
    wanted: dict[str, dict[str, int]] = {}
    for of_zone in leads.values():
        for lead in of_zone:
            wanted.setdefault(lead.origin, {})[lead.target] = _ABSENT
    for origin, targets in wanted.items():
        listed = list(targets)
        found = zones[origin].presence(listed, list(steered.get(origin, ())))
        targets.update(zip(listed, found, strict=True))
    for origin, of_zone in leads.items():
        for lead in of_zone:
            finding = _judge(lead, wanted[lead.origin][lead.target])
            if finding:
                yield origin, finding


def _judge(lead: Lead, presence: int) -> Finding | None:
    if presence > _PRESENT or (presence == _PRESENT and lead.rtype not in _OF_ADDRESSES):
        return None
    fault = "does not exist" if presence == _ABSENT else "has no address"
    if lead.rtype == NS:
        rule = "zone-delegation-server"
        message = (
            f"the name server {lead.target} {fault} in zone {lead.origin}, which is served here: "
            "add its A or AAAA record"
        )
    else:
        rule = "zone-dangling-target"
        message = (
            f"{type_text(lead.rtype)} points to {lead.target}, which {fault} in zone {lead.origin}, "
            "served here: add it, or correct the target"
        )
    return Finding(rule, RULES[rule], Place(lead.file, lead.line), message)


def check_delegations(zones: Mapping[str, ZoneText]) -> Iterator[tuple[str, Finding]]:
    """Compare each zone's NS records with those of the nearest zone above it, where both are served here."""
    children: dict[str, list[str]] = {}
    for origin in zones:
        parent = next((name for name in parent_names(origin)[1:] if name in zones), None)
        if parent is not None and origin != ".":
            children.setdefault(parent, []).append(origin)
    for parent, below in children.items():
        cuts = _servers_by_owner(zones[parent], below)
        for origin in below:
            own = _servers_by_owner(zones[origin], [origin]).get(origin, {})
            cut = cuts.get(origin, {})
            if not cut:
                yield parent, _missing(zones[parent], parent, origin, own)
            elif own and own.keys() != cut.keys():
                yield parent, _differs(origin, cut, own)


def _servers_by_owner(zone: ZoneText, owners: Sequence[str]) -> dict[str, dict[str, Record]]:
    servers: dict[str, dict[str, Record]] = {}
    for record in records_of(zone, (NS,), MAXIMUM_SERVERS * len(owners), owners):
        try:
            servers.setdefault(record.owner, {})[name_at(record.rdata)[0]] = record
        except ValueError:
            continue
    return servers


def _missing(parent: ZoneText, above: str, origin: str, own: Mapping[str, Record]) -> Finding:
    names = f", such as NS {next(iter(own))}" if own else ""
    message = (
        f"the zone {origin} is served here, but {above} does not delegate it: add its NS records to "
        f"{above}{names} (RFC 1034 section 4.2.2)"
    )
    return Finding(
        "zone-delegation-missing", RULES["zone-delegation-missing"], Place(parent.files[0]), message
    )


def _differs(origin: str, cut: Mapping[str, Record], own: Mapping[str, Record]) -> Finding:
    extra = sorted(cut.keys() - own.keys())
    lacking = sorted(own.keys() - cut.keys())
    parts = []
    if extra:
        parts.append(f"only the delegation names {_some(extra)}")
    if lacking:
        parts.append(f"only the zone itself names {_some(lacking)}")
    message = (
        f"the delegation of {origin} and the zone itself (at {next(iter(own.values())).place}) name "
        f"different servers: {'; '.join(parts)}; make them equal (RFC 1034 section 4.2.2)"
    )
    return next(iter(cut.values())).finding("zone-delegation-ns-differs", message)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(quote(name) for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {count(len(names) - 3, 'more', 'more')}"
