"""The rules that a company adds, applied to one zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.config.durations import format_duration
from gslb.config.patterns import glob_matches
from gslb.config.wording import count, quote
from gslb.model.finding import Finding, Place
from gslb.zones.checks.caa import issuer_of, parse_caa
from gslb.zones.checks.records import AAAA, CAA, NS, SOA, TXT, A, Record, text_of, type_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gslb._dataplane import ZoneText
    from gslb.model.checks import Bounds, Patterns, PolicyRule, Required
    from gslb.model.site import SteeredName

MAXIMUM_FINDINGS = 200
"""Of one requirement in one zone."""


def check_policy(
    rules: Iterable[PolicyRule],
    zone: ZoneText,
    names: Sequence[SteeredName],
    apex: Sequence[Record] | None,
) -> Iterator[Finding]:
    """Check a zone, its steered ``names``, and its ``apex`` unless not all of that could be read."""
    origin = zone.origin.removesuffix(".") or "."
    for rule in rules:
        if any(glob_matches(glob, origin) for glob in rule.zones):
            yield from _apply(rule, zone, names, apex)


def _apply(
    rule: PolicyRule, zone: ZoneText, names: Sequence[SteeredName], apex: Sequence[Record] | None
) -> Iterator[Finding]:
    for bounds in rule.ttl:
        yield from _check_ttl(rule, bounds, zone, names)
    for subject, patterns in (("owner", rule.owners), ("target", rule.targets)):
        if patterns is not None:
            yield from _check_patterns(rule, patterns, zone, of_owners=subject == "owner")
    if rule.forbidden_types:
        for record in map(Record._make, zone.records(list(rule.forbidden_types), MAXIMUM_FINDINGS)):
            yield _finding(rule, record.place, f"{_show(record)} is of a type that is forbidden")
    if rule.required is not None and apex is not None:
        yield from _check_required(rule, rule.required, zone, apex)


def _check_ttl(
    rule: PolicyRule, bounds: Bounds, zone: ZoneText, names: Sequence[SteeredName]
) -> Iterator[Finding]:
    low, high = bounds.minimum, bounds.maximum
    allowed = f"from {_seconds(low or 0)}" if high is None else f"{_seconds(low or 0)} to {_seconds(high)}"
    # "*" stands for the types that have no bounds of their own.
    others = [] if bounds.rtype else [other.rtype for other in rule.ttl if other.rtype]
    types = [bounds.rtype] if bounds.rtype else []
    rows = zone.records(types, MAXIMUM_FINDINGS, except_types=others, ttl_below=low, ttl_above=high)
    for record in map(Record._make, rows):
        yield _finding(rule, record.place, f"the TTL {record.ttl} of {_show(record)} is not {allowed}")
    if bounds.rtype in (A, AAAA) or (not bounds.rtype and not {A, AAAA} <= set(others)):
        for name in names:
            for ttl in {name.ttl, name.ttl if name.least_ttl is None else name.least_ttl}:
                if (low is not None and ttl < low) or (high is not None and ttl > high):
                    message = f"the TTL {ttl} of steered name {quote(name.name)} is not {allowed}"
                    yield _finding(rule, name.place, message)


def _check_patterns(
    rule: PolicyRule, patterns: Patterns, zone: ZoneText, *, of_owners: bool
) -> Iterator[Finding]:
    rows = zone.misfits(
        list(patterns.types),
        MAXIMUM_FINDINGS,
        of_owners=of_owners,
        allow=list(patterns.allow),
        forbid=list(patterns.forbid),
    )
    last = ""
    for record in map(Record._make, rows):
        if of_owners and record.owner == last:
            continue
        last = record.owner
        what = f"the name {record.owner}" if of_owners else f"what {_show(record)} points to"
        yield _finding(rule, record.place, f"{what} is not allowed")


def _check_required(
    rule: PolicyRule, required: Required, zone: ZoneText, apex: Sequence[Record]
) -> Iterator[Finding]:
    soa = next((record.place for record in apex if record.rtype == SOA), Place(zone.files[0]))
    issuers = {issuer for record in apex if record.rtype == CAA and (issuer := _issuer(record.rdata))}
    texts = [text_of(record.rdata) for record in apex if record.rtype == TXT]
    servers = sum(record.rtype == NS for record in apex)
    for issuer in required.caa:
        if issuer not in issuers:
            yield _finding(rule, soa, f'the apex of {zone.origin} lacks CAA 0 issue "{issuer}"')
    for glob in required.txt:
        if not any(glob_matches(glob, text) for text in texts):
            yield _finding(rule, soa, f"the apex of {zone.origin} lacks a TXT record {quote(glob)}")
    if servers < required.ns:
        message = f"{zone.origin} has {count(servers, 'NS record')}, fewer than {required.ns}"
        yield _finding(rule, soa, message)


def _issuer(rdata: bytes) -> str:
    try:
        _, tag, value = parse_caa(rdata)
    except ValueError:
        return ""
    return issuer_of(value) if tag == "issue" else ""


def _finding(rule: PolicyRule, place: Place, problem: str) -> Finding:
    suffix = f": {rule.message}" if rule.message else f" (rule at {rule.place})"
    return Finding(rule.name, rule.severity, place, problem + suffix)


def _show(record: Record) -> str:
    return f"{record.owner} {type_text(record.rtype)}"


def _seconds(number: int) -> str:
    return f"{format_duration(number)} ({number})" if number > 60 else str(number)
