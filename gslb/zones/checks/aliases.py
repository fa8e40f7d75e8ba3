"""ALIAS records that lead to names that no zone of the site holds, and that nothing would resolve."""

from __future__ import annotations

from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

from gslb.config.names import parent_names
from gslb.config.wording import quote
from gslb.model.alias import ALIAS
from gslb.zones.checks.records import name_at, records_of
from gslb.zones.checks.sieve import MAXIMUM_FINDINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gslb._dataplane import ZoneText
    from gslb.model.finding import Finding
    from gslb.model.site import SteeringConfig

MAXIMUM_ALIASES = 100_000
"""Looked at in each zone."""


def check_aliases(steering: SteeringConfig, zones: Mapping[str, ZoneText]) -> Iterator[Finding]:
    """A finding for each ALIAS of ``zones`` (by origin) that needs a resolver, when the site has none.

    Its target is looked at, and what that answers as CNAME where it is a steered name.
    """

    @cache
    def steered() -> Mapping[str, tuple[str, ...]]:
        from gslb.zones.reach import steered_targets  # noqa: PLC0415 - most sites have no ALIAS

        return steered_targets(steering)

    for zone in zones.values():
        yield from islice(_outside(zone, zones, steered), MAXIMUM_FINDINGS)


def _outside(
    zone: ZoneText, zones: Mapping[str, ZoneText], steered: Callable[[], Mapping[str, tuple[str, ...]]]
) -> Iterator[Finding]:
    for record in records_of(zone, (ALIAS,), MAXIMUM_ALIASES):
        try:
            target, _ = name_at(record.rdata)
        except ValueError:
            continue
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


def _is_held(name: str, zones: Mapping[str, ZoneText]) -> bool:
    return any(parent in zones for parent in parent_names(name))
