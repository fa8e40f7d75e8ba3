"""ALIAS records, and which of them lead to names that no zone holds and nothing would resolve."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from gslb.config.names import parent_names
from gslb.config.wording import quote
from gslb.model.alias import ALIAS
from gslb.zones.checks.records import name_at, records_of
from gslb.zones.checks.sieve import MAXIMUM_FINDINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from gslb._dataplane import ZoneText
    from gslb.model.finding import Finding
    from gslb.model.site import SteeringConfig
    from gslb.zones.checks.records import Record

MAXIMUM_ALIASES = 100_000
"""Looked at in each zone."""


class Alias(NamedTuple):
    """An ALIAS record and the name that it leads to."""

    record: Record
    target: str


def aliases_of(zone: ZoneText) -> list[Alias]:
    """The ALIAS records of a zone whose data could be read."""
    found = []
    for record in records_of(zone, (ALIAS,), MAXIMUM_ALIASES):
        with suppress(ValueError):
            found.append(Alias(record, name_at(record.rdata)[0]))
    return found


def check_resolver(
    steering: SteeringConfig, aliases: Mapping[str, Sequence[Alias]], zones: Collection[str]
) -> Iterator[Finding]:
    """A finding for each of ``aliases`` (by zone) that needs a resolver, when the site has none.

    Its target is looked at, and what that answers as CNAME where it is a steered name. ``zones`` are the
    origins of all.
    """

    @cache
    def steered() -> Mapping[str, tuple[str, ...]]:
        from gslb.zones.reach import steered_targets  # noqa: PLC0415 - most sites have no ALIAS

        return steered_targets(steering)

    for of_zone in aliases.values():
        yield from islice(_outside(of_zone, zones, steered), MAXIMUM_FINDINGS)


def _outside(
    aliases: Sequence[Alias], zones: Collection[str], steered: Callable[[], Mapping[str, tuple[str, ...]]]
) -> Iterator[Finding]:
    for record, target in aliases:
        if not _is_held(target, zones):
            what = quote(target)
        else:
            beyond = next((one for one in steered().get(target, ()) if not _is_held(one, zones)), None)
            if beyond is None:
                continue
            what = f"{quote(target)}, which is steered to {quote(beyond)}"
        yield record.finding(
            "site-alias-without-resolver",
            f"{record.owner} is an ALIAS of {what}, which no zone of the site holds, and the site has no "
            "resolver to ask: its addresses stay unknown; set resolver in a YAML file",
        )


def _is_held(name: str, zones: Collection[str]) -> bool:
    return any(parent in zones for parent in parent_names(name))
