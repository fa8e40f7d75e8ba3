"""Every check of a site's zones: the native rules, text, policy, and what zones say of each other."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from gslb._dataplane import Origins
from gslb.config.wording import did_you_mean, quote
from gslb.model.finding import Finding, Place, Severity
from gslb.zones.checks.aliases import aliases_of, check_resolver
from gslb.zones.checks.apex import check_apex
from gslb.zones.checks.hints import check_hints
from gslb.zones.checks.loops import check_loops
from gslb.zones.checks.policy import check_policy
from gslb.zones.checks.pool_cnames import check_pool_cnames, cnames_of_names, cnames_of_pools
from gslb.zones.checks.records import CAA, NS, SOA, TXT, records_of
from gslb.zones.checks.sieve import MAXIMUM_FINDINGS
from gslb.zones.checks.targets import Lead, check_delegations, check_leads
from gslb.zones.checks.text import TextChecks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gslb._dataplane import ZoneText
    from gslb.model.site import SteeringConfig
    from gslb.zones.checks.sieve import Sieve

MAXIMUM_APEX_RECORDS = 10_000


def check_zones(
    steering: SteeringConfig,
    zones: Sequence[ZoneText],
    steered: Mapping[str, Sequence[tuple[str, int]]],
    sieve: Sieve,
) -> None:
    """Check the zones, of which ``steered`` has the steered names; findings go to the sieve.

    Names with errors are in ``steered`` too, numbered after ``steering.names``: records may point to them.
    """
    by_origin = {zone.origin: zone for zone in zones}
    origins = Origins(list(by_origin))
    names = {origin: [name for name, _ in of_zone] for origin, of_zone in steered.items() if of_zone}
    leads: dict[str, list[Lead]] = {}
    whole: dict[str, ZoneText] = {}
    texts = TextChecks()
    for origin, zone in by_origin.items():
        rows, pointers = zone.check(origins, names.get(origin, []))
        findings = [
            Finding(rule, Severity(severity), Place(file, line, column), message)
            for rule, severity, file, line, column, message in rows
        ]
        sieve.add(origin, findings)
        if pointers:
            leads[origin] = [Lead._make(pointer) for pointer in pointers]
        # Of a zone that could not be read whole, nothing is said to be missing.
        is_whole = not any(finding.severity is Severity.ERROR for finding in findings)
        apex = (
            list(records_of(zone, (SOA, NS, TXT, CAA), MAXIMUM_APEX_RECORDS, [origin])) if is_whole else None
        )
        if apex is not None:
            whole[origin] = zone
            sieve.add(origin, check_apex(apex))
        texts.read(zone)
        if steering.rules:
            numbers = [index for _, index in steered.get(origin, ())]
            of_zone = [steering.names[index] for index in numbers if index < len(steering.names)]
            sieve.add(origin, check_policy(steering.rules, zone, of_zone, apex))
    beyond = (check_leads(leads, by_origin, names), check_delegations(by_origin), texts.findings())
    for origin, finding in chain.from_iterable(beyond):
        sieve.add(origin, [finding])
    _check_ways(steering, by_origin, whole, names, sieve)
    addressed = {name.name for name in (*steering.names, *steering.broken_names) if name.reflect is None}
    sieve.add("", check_hints(by_origin, addressed))
    sieve.add("", _unknown_zones(steering, by_origin))


def _check_ways(
    steering: SteeringConfig,
    zones: Mapping[str, ZoneText],
    whole: Mapping[str, ZoneText],
    steered: Mapping[str, Sequence[str]],
    sieve: Sieve,
) -> None:
    """Where ALIAS records and the cnames of pools lead; ``whole`` are the zones that could be read whole."""
    aliases = {origin: found for origin, zone in zones.items() if (found := aliases_of(zone))}
    if steering.resolver is None:
        sieve.add("", check_resolver(steering, aliases, zones))
    of_pools = cnames_of_pools(steering, zones)
    sieve.add("", islice(check_pool_cnames(of_pools, whole, steered), MAXIMUM_FINDINGS))
    if aliases or of_pools:
        starts = [alias.target for of_zone in aliases.values() for alias in of_zone]
        starts += [cname.target for of_pool in of_pools.values() for cname in of_pool]
        of_names = cnames_of_names(steering, of_pools)
        for origin, finding in check_loops(starts, zones, of_names, steered):
            sieve.add(origin, [finding])


def _unknown_zones(steering: SteeringConfig, zones: Mapping[str, ZoneText]) -> list[Finding]:
    return [
        Finding(
            "site-unknown-zone",
            Severity.ERROR,
            place,
            f"checks refer to zone {quote(origin)}, which is not served here{did_you_mean(origin, zones)}",
        )
        for origin, place in steering.checks.zones
        if origin not in zones
    ]
