"""What is known of ALIAS targets that no zone here holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gslb.config.rdata import present_rdata
from gslb.model.report import AliasAddresses, AliasCounts, AliasReport

if TYPE_CHECKING:
    from gslb.aliases.external import ExternalAlias
    from gslb.aliases.flattener import Flattener
    from gslb.aliases.lookup import Lookup

_WORDS: dict[int, Literal["A", "AAAA"]] = {1: "A", 28: "AAAA"}


def alias_reports(flattener: Flattener, offset: int, limit: int) -> list[AliasReport]:
    """A page of the aliases, by name, each with every target that it may lead to."""
    return [_alias_report(flattener, alias, target) for alias, target in flattener.page(offset, limit)]


def alias_counts(flattener: Flattener) -> AliasCounts:
    """Targets by state; several aliases may share one."""
    return AliasCounts(**target_counts(flattener))


def target_counts(flattener: Flattener) -> dict[str, int]:
    """Every state with the number of targets in it."""
    return {state.value: count for state, count in flattener.states().items()}


def _alias_report(flattener: Flattener, alias: ExternalAlias, target: str) -> AliasReport:
    return AliasReport(
        name=alias.owner,
        resolved=target,
        ttl=alias.ttl,
        state=flattener.state(target),
        addresses=[_addresses(lookup) for lookup in flattener.lookups(target)],
    )


def _addresses(lookup: Lookup) -> AliasAddresses:
    known = lookup.known
    return AliasAddresses(
        type=_WORDS[lookup.rtype],
        state=lookup.state,
        ttl=None if known is None else known.ttl,
        addresses=[present_rdata(lookup.rtype, wire) for wire in (known.rdata if known else ())],
        error=lookup.error,
        checked_at=lookup.checked_at,
    )
