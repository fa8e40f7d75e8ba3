"""The shape of each YAML mapping, and how its errors become findings.

A form holds only the keys that were written, so that every default lives in one place,
``gslb/model/site.py``.
"""

from __future__ import annotations

from functools import cache
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Annotated, Any, Required, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, PlainValidator, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from gslb.config import measures, patterns, values
from gslb.config.report import report_unknown_key
from gslb.config.wording import quote
from gslb.model.finding import Severity
from gslb.model.site import Count, Fraction, Milliseconds, Mode, Percent, Reflect, UnknownCounts, WhenAllDown

if TYPE_CHECKING:
    from gslb.config.report import Cursor, Report

MAXIMUM_TTL = 2**31 - 1
"""Seconds (RFC 2181 section 8)."""

MAXIMUM_SHED = 10
"""The highest load that a shed step or a hysteresis may name; 1 is a POP that is full."""

MONITOR_TYPES = ("http", "https", "tcp", "command", "file")

_FORBID = ConfigDict(extra="forbid")

Text = Annotated[str, PlainValidator(values.text)]
Reference = Annotated[str, PlainValidator(values.reference)]
Mapping = Annotated[dict[str, Any], PlainValidator(values.mapping)]
Sequence = Annotated[list[Any], PlainValidator(values.sequence)]
ModeWord = Annotated[str, PlainValidator(values.choice(list(Mode)))]
Weight = Annotated[int, PlainValidator(values.integer(0, 65535))]
Need = Annotated[Count | Fraction, PlainValidator(measures.need)]
Difference = Annotated[Milliseconds | Percent, PlainValidator(measures.difference)]
Ttl = Annotated[int, PlainValidator(values.whole_seconds(0, MAXIMUM_TTL))]


@with_config(_FORBID)
class PopForm(TypedDict, total=False):
    """Settings of a POP."""

    title: Text
    latitude: Annotated[float, PlainValidator(values.number(-90, 90))]
    longitude: Annotated[float, PlainValidator(values.number(-180, 180))]
    capacity: Annotated[float, PlainValidator(values.number(0.001, 1e9))]


@with_config(_FORBID)
class MonitorForm(TypedDict, total=False):
    """Settings of a monitor."""

    type: Required[Annotated[str, PlainValidator(values.choice(MONITOR_TYPES))]]
    port: Annotated[int, PlainValidator(values.integer(1, 65535))]
    command: Annotated[tuple[str, ...], PlainValidator(values.command)]
    file: Annotated[str, PlainValidator(values.absolute_path)]
    missing: Annotated[str, PlainValidator(values.choice(("up", "down", "unknown")))]
    path: Annotated[str, PlainValidator(values.http_path)]
    host: Annotated[str, PlainValidator(values.host)]
    expect_status: Annotated[tuple[int, ...], PlainValidator(values.status_codes)]
    verify_tls: Annotated[bool, PlainValidator(values.boolean)]
    interval: Annotated[float, PlainValidator(values.duration(1, 3600))]
    timeout: Annotated[float, PlainValidator(values.duration(0.05, 3600))]
    rise: Annotated[int, PlainValidator(values.integer(1, 100))]
    fall: Annotated[int, PlainValidator(values.integer(1, 100))]
    jitter: Annotated[float, PlainValidator(values.number(0, 0.5))]


@with_config(_FORBID)
class EndpointForm(TypedDict, total=False):
    """Settings of an endpoint; its ``records`` are read further."""

    pop: Required[Reference]
    address: Annotated[IPv4Address | IPv6Address, PlainValidator(values.address)]
    cname: Annotated[str, PlainValidator(values.target)]
    records: Mapping
    weight: Weight
    probe: Annotated[str, PlainValidator(values.probe)]


@with_config(_FORBID)
class PoolForm(TypedDict, total=False):
    """Settings of a pool; each endpoint and member is a form of its own, and so is ``min_healthy``."""

    endpoints: Sequence
    pools: Sequence
    monitor: Annotated[tuple[str, ...], PlainValidator(values.monitors)]
    policy: Reference
    min_healthy: Any
    when_all_down: Annotated[str, PlainValidator(values.choice(list(WhenAllDown)))]
    unknown_counts: Annotated[str, PlainValidator(values.choice(list(UnknownCounts)))]


@with_config(_FORBID)
class MemberForm(TypedDict, total=False):
    """Settings of a pool within a pool."""

    pool: Required[Reference]
    weight: Weight


@with_config(_FORBID)
class MinHealthyForm(TypedDict, total=False):
    """What must serve, by address family."""

    ipv4: Need
    ipv6: Need
    other: Need


@with_config(_FORBID)
class PolicyForm(TypedDict):
    """Settings of a policy."""

    steps: Sequence


@with_config(_FORBID)
class GeoForm(TypedDict, total=False):
    """Settings of a geo step: a mapping of location to units for each kind of location."""

    mode: ModeWord
    subnet: Mapping
    asn: Mapping
    subdivision: Mapping
    country: Mapping
    continent: Mapping
    default: Any


@with_config(_FORBID)
class FailoverForm(TypedDict, total=False):
    """Settings of a failover step."""

    mode: ModeWord
    tiers: Required[Sequence]


@with_config(_FORBID)
class LatencyStepForm(TypedDict, total=False):
    """Settings of a latency step."""

    tolerance: Difference


@with_config(_FORBID)
class DistanceForm(TypedDict, total=False):
    """Settings of a distance step: kilometres by unit."""

    bias: Mapping


@with_config(_FORBID)
class StickyForm(TypedDict, total=False):
    """Settings of a sticky step: bits of the client's prefix."""

    ipv4: Annotated[int, PlainValidator(values.integer(1, 32))]
    ipv6: Annotated[int, PlainValidator(values.integer(1, 128))]


@with_config(_FORBID)
class ShedForm(TypedDict):
    """Settings of a shed step: the loads between which the probability rises."""

    low: Annotated[float, PlainValidator(values.number(0, MAXIMUM_SHED))]
    high: Annotated[float, PlainValidator(values.number(0, MAXIMUM_SHED))]


@with_config(_FORBID)
class NameForm(TypedDict, total=False):
    """Settings of a steered name."""

    pool: Reference
    policy: Reference
    reflect: Annotated[str, PlainValidator(values.choice(list(Reflect)))]
    ttl: Any
    client_subnet: Annotated[bool, PlainValidator(values.boolean)]
    owner: Text


@with_config(_FORBID)
class TtlForm(TypedDict):
    """A TTL that shrinks while endpoints are down."""

    max: Ttl
    min: Ttl


@with_config(_FORBID)
class DatabasesForm(TypedDict, total=False):
    """Settings of ``geo`` at the top of a file."""

    databases: Annotated[list[str], PlainValidator(values.paths)]
    overrides: Annotated[str, PlainValidator(values.path)]


@with_config(_FORBID)
class LatencyForm(TypedDict, total=False):
    """Settings of ``latency`` at the top of a file."""

    table: Annotated[str, PlainValidator(values.path)]
    hysteresis: Difference


@with_config(_FORBID)
class LoadForm(TypedDict, total=False):
    """Settings of ``load`` at the top of a file."""

    hysteresis: Annotated[float, PlainValidator(values.number(0, MAXIMUM_SHED))]
    max_age: Annotated[float, PlainValidator(values.duration(1, 86_400))]


@with_config(_FORBID)
class ResolverForm(TypedDict, total=False):
    """Settings of ``resolver`` at the top of a file."""

    nameservers: Required[
        Annotated[tuple[tuple[IPv4Address | IPv6Address, int], ...], PlainValidator(values.nameservers)]
    ]
    timeout: Annotated[float, PlainValidator(values.duration(0.1, 30))]
    min_ttl: Annotated[int, PlainValidator(values.whole_seconds(1, 86_400))]
    max_ttl: Annotated[int, PlainValidator(values.whole_seconds(1, 604_800))]
    stale: Annotated[float, PlainValidator(values.duration(0, 604_800))]


SeverityWord = Annotated[str, PlainValidator(values.choice(list(Severity)))]
NamePatterns = Annotated[tuple[str, ...], PlainValidator(patterns.name_patterns)]
AnyPatterns = Annotated[tuple[str, ...], PlainValidator(patterns.patterns)]
Types = Annotated[tuple[int, ...], PlainValidator(patterns.rr_types)]
Seconds = Annotated[int, PlainValidator(values.whole_seconds(0, MAXIMUM_TTL))]


@with_config(_FORBID)
class ChecksForm(TypedDict, total=False):
    """Settings of ``checks`` at the top of a file."""

    silence: Sequence
    severity: Mapping
    zones: Mapping


@with_config(_FORBID)
class ZoneChecksForm(TypedDict, total=False):
    """Settings of one zone in ``checks``."""

    silence: Sequence
    severity: Mapping


@with_config(_FORBID)
class RuleForm(TypedDict, total=False):
    """Settings of a company's rule."""

    severity: SeverityWord
    message: Text
    zones: NamePatterns
    ttl: Mapping
    targets: Mapping
    owners: Mapping
    forbidden_types: Types
    required: Mapping


@with_config(_FORBID)
class BoundsForm(TypedDict, total=False):
    """Bounds of a TTL."""

    min: Seconds
    max: Seconds


@with_config(_FORBID)
class TargetsForm(TypedDict, total=False):
    """Names and networks that records may or may not point to."""

    types: Types
    allow: AnyPatterns
    forbid: AnyPatterns


@with_config(_FORBID)
class OwnersForm(TypedDict, total=False):
    """Names that records may or may not have."""

    types: Types
    allow: NamePatterns
    forbid: NamePatterns


@with_config(_FORBID)
class RequiredForm(TypedDict, total=False):
    """What each apex must have."""

    caa: Annotated[tuple[str, ...], PlainValidator(patterns.issuers)]
    txt: Annotated[tuple[str, ...], PlainValidator(patterns.strings)]
    ns: Annotated[int, PlainValidator(values.integer(1, 100))]


def read_form(form: type, cursor: Cursor, what: str, report: Report) -> dict[str, Any] | None:
    """The checked keys of a mapping, or ``None`` after noting every error in it."""
    parts, is_whole = read_parts(form, cursor, what, report)
    return parts if is_whole else None


def read_parts(form: type, cursor: Cursor, what: str, report: Report) -> tuple[dict[str, Any], bool]:
    """The keys of a mapping that have no error, and whether none had; every error is noted.

    What has one error is read on, so that all that it says is checked at once.
    """
    if not isinstance(cursor.value, dict):
        message = f"{what} must be a mapping (key: value), not {quote(cursor.value)}"
        report.error("site-invalid-value", cursor.place, message)
        return {}, False
    try:
        checked: dict[str, Any] = _adapter(form).validate_python(cursor.value)
    except ValidationError as error:
        bad = set()
        for detail in error.errors(include_url=False, include_input=False):
            key = str(detail["loc"][0])
            bad.add(key)
            if detail["type"] == "missing":
                report.error("site-missing-key", cursor.key_place, f"{what} lacks the key {quote(key)}")
            elif detail["type"] == "extra_forbidden":
                report_unknown_key(
                    report, cursor.key_place_at((key,)), key, form.__annotations__.keys(), what
                )
            else:
                message = f"{key} of {what} {detail['ctx']['error']}"
                report.error("site-invalid-value", cursor.place_at((key,)), message)
        adapters = _key_adapters(form)
        good = {key: value for key, value in cursor.value.items() if key not in bad}
        return {key: adapters[key].validate_python(value) for key, value in good.items()}, False
    return checked, True


@cache
def _adapter(form: type) -> TypeAdapter[Any]:
    """What checks a form as a whole."""
    return TypeAdapter(form)


@cache
def _key_adapters(form: type) -> dict[str, TypeAdapter[Any]]:
    """What checks each key of a form by itself."""
    return {
        key: TypeAdapter(get_args(hint)[0] if get_origin(hint) is Required else hint)
        for key, hint in get_type_hints(form, include_extras=True).items()
    }
