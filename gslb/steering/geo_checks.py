"""Whether the geo databases of a site say what its policies look at, and know the places that it names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gslb.config.files import display_path
from gslb.config.wording import quote
from gslb.model.finding import NOWHERE, Finding, Place, Severity
from gslb.model.rules import RULES
from gslb.model.site import DistanceStep, GeoStep, LatencyStep, LocationKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gslb._dataplane import Steering
    from gslb.model.site import Policy, SteeringConfig, Step

PLACES = "places"
COORDINATES = "coordinates"
AS_NUMBERS = "AS numbers"

UNKNOWN_PLACE = "geo-unknown-place"
CONTRADICTORY_PLACE = "geo-contradictory-place"

_KINDS = {
    LocationKind.CONTINENT: PLACES,
    LocationKind.COUNTRY: PLACES,
    LocationKind.SUBDIVISION: PLACES,
    LocationKind.ASN: AS_NUMBERS,
}
_MISTAKEN = {"UK": "GB"}
"""Codes that people write for countries, and the ones that ISO 3166-1 has."""


def check_databases(config: SteeringConfig, steering: Steering) -> list[Finding]:
    """An error for each kind of data that policies look at and that no database and no override says.

    A database without coordinates does for ``distance`` if it says places.
    """
    says = _what_databases_say(steering)
    if not says:
        return []
    known = frozenset().union(*says, _what_overrides_say(config))
    told = "; ".join(
        f"{display_path(Path(path))} has {_listed(kinds)}"
        for path, kinds in zip(config.databases, says, strict=True)
    )
    place = Place(display_path(Path(config.databases[0])))
    return [
        Finding(
            "site-geo-database",
            Severity.ERROR,
            place,
            f"policy {quote(policy.name)} (at {policy.place}) looks at {kind} of clients, but no geo "
            f"database has any: {told}; name one that does, or take the step out",
        )
        for kind, policy in _looked_at(config).items()
        if kind not in known and not (kind == COORDINATES and PLACES in known)
    ]


def check_replaced(
    before: SteeringConfig, old: Steering, config: SteeringConfig, new: Steering
) -> list[Finding]:
    """An error for each database that lacks what policies look at and what the file before it had."""
    had = dict(zip(before.databases, _what_databases_say(old), strict=True))
    return _lacking(config, new, [had.get(path, frozenset()) for path in config.databases])


def check_exchanged(old: Steering, config: SteeringConfig, new: Steering) -> list[Finding]:
    """The same where databases, whatever their paths, replace those of ``old`` in their order."""
    return _lacking(config, new, _what_databases_say(old))


def _lacking(config: SteeringConfig, new: Steering, had: Sequence[frozenset[str]]) -> list[Finding]:
    looked_at = _looked_at(config)
    return [
        Finding(
            "site-geo-database",
            Severity.ERROR,
            Place(display_path(Path(path))),
            f"{path} is of another kind than the one it replaces: it has {_listed(kinds)} and no {kind}, at "
            f"which policy {quote(policy.name)} (at {policy.place}) looks; put back a database with them",
        )
        for path, kinds, before in zip(config.databases, _what_databases_say(new), had, strict=True)
        for kind, policy in looked_at.items()
        if kind in before and kind not in kinds
    ]


def check_places(config: SteeringConfig, steering: Steering) -> Iterator[Finding]:
    """Countries of rules and overrides that no database has, or has on another continent than an override."""
    continents: dict[str, set[str]] = {}
    for places, _, _ in steering.databases():
        for country, continent in places:
            if country:
                continents.setdefault(country, set()).update(filter(None, [continent]))
    if not continents:
        return
    yield from _unknown_in_rules(config, continents)
    for row in config.overrides:
        country = row.country or (row.subdivision or "").partition("-")[0]
        if not country:
            continue
        what = f"the override of {row.network}"
        if country not in continents:
            yield _unknown(what, country, row.place)
        elif row.continent and continents[country] and row.continent not in continents[country]:
            message = (
                f"{what} says continent {row.continent} and country {country}, which the geo databases have "
                f"in {' and '.join(sorted(continents[country]))}; correct one of the two"
            )
            yield Finding(CONTRADICTORY_PLACE, RULES[CONTRADICTORY_PLACE], row.place, message)


def _unknown_in_rules(config: SteeringConfig, continents: Mapping[str, object]) -> Iterator[Finding]:
    own = {row.country or (row.subdivision or "").partition("-")[0] for row in config.overrides}
    for policy in config.policies:
        for step in policy.steps:
            for rule in step.rules if isinstance(step, GeoStep) else ():
                if rule.kind not in (LocationKind.COUNTRY, LocationKind.SUBDIVISION):
                    continue
                country = rule.value.partition("-")[0]
                if country not in continents and country not in own:
                    yield _unknown(f"policy {quote(policy.name)}", country, rule.place)


def _unknown(what: str, country: str, place: Place) -> Finding:
    right = _MISTAKEN.get(country)
    hint = f"; the code of that country is {right}" if right else "; correct the code, or the databases"
    message = f"{what} names the country {country}, which no geo database has{hint}"
    return Finding(UNKNOWN_PLACE, RULES[UNKNOWN_PLACE], place, message)


def _what_databases_say(steering: Steering) -> list[frozenset[str]]:
    return [
        _kinds(places=bool(places), coordinates=coordinates, asn=asn)
        for places, coordinates, asn in steering.databases()
    ]


def _what_overrides_say(config: SteeringConfig) -> frozenset[str]:
    rows = config.overrides
    return _kinds(
        places=any(row.continent or row.country or row.subdivision for row in rows),
        coordinates=any(row.latitude is not None for row in rows),
        asn=any(row.asn is not None for row in rows),
    )


def _kinds(*, places: bool, coordinates: bool, asn: bool) -> frozenset[str]:
    there = {PLACES: places, COORDINATES: coordinates, AS_NUMBERS: asn}
    return frozenset(kind for kind, is_there in there.items() if is_there)


def _looked_at(config: SteeringConfig) -> dict[str, Policy]:
    """What policies look at of clients, each with the first policy that does."""
    found: dict[str, Policy] = {}
    for policy in config.policies:
        for step in policy.steps:
            for kind in _kinds_of(step, config):
                found.setdefault(kind, policy)
    return found


def _kinds_of(step: Step, config: SteeringConfig) -> Sequence[str]:
    if isinstance(step, GeoStep):
        return [_KINDS[rule.kind] for rule in step.rules if rule.kind in _KINDS]
    if isinstance(step, DistanceStep):
        return [COORDINATES]
    if isinstance(step, LatencyStep):
        # Of the site's own tables: what the API measures must not keep a site from loading.
        return [_KINDS[row.kind] for row in config.latency if row.kind in _KINDS and row.place != NOWHERE]
    return []


def _listed(kinds: frozenset[str]) -> str:
    return " and ".join(sorted(kinds)) or "none of what steering looks at"
