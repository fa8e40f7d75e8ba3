"""ALIAS records that lead to names that no zone of the site holds, and that nothing would resolve."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from gslb.config.names import parent_names
from gslb.config.wording import quote
from gslb.model.alias import ALIAS
from gslb.zones.checks.records import name_at, records_of
from gslb.zones.checks.sieve import MAXIMUM_FINDINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gslb._dataplane import ZoneText
    from gslb.model.finding import Finding

MAXIMUM_ALIASES = 100_000
"""Looked at in each zone."""


def check_aliases(zones: Mapping[str, ZoneText]) -> Iterator[Finding]:
    """A finding for each ALIAS of ``zones`` (by origin) that needs a resolver, when the site has none."""
    for zone in zones.values():
        yield from islice(_outside(zone, zones), MAXIMUM_FINDINGS)


def _outside(zone: ZoneText, zones: Mapping[str, ZoneText]) -> Iterator[Finding]:
    for record in records_of(zone, (ALIAS,), MAXIMUM_ALIASES):
        try:
            target, _ = name_at(record.rdata)
        except ValueError:
            continue
        if not any(parent in zones for parent in parent_names(target)):
            yield record.finding(
                "site-alias-without-resolver",
                f"{record.owner} is an ALIAS of {quote(target)}, which no zone of the site holds, and "
                "the site has no resolver to ask: its addresses stay unknown; set resolver in a YAML file",
            )
