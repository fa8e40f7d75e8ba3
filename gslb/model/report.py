"""What operations report. The API sends these as JSON, the OpenAPI document describes them.

Times are aware UTC, durations are seconds unless the name says ``ms``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, with_config

from gslb.model.alias import AliasState
from gslb.model.health import Observed, Verdict

VerdictWord = Literal["serving", "down", "drained"]
PopVerdict = Literal["serving", "down", "drained", "unused"]
IntentWord = Literal["serve", "drain"]

VERDICT_WORDS: dict[Verdict, VerdictWord] = {
    Verdict.SERVING: "serving",
    Verdict.DOWN: "down",
    Verdict.DRAINED: "drained",
}


class Report(BaseModel):
    """Base of all reports: frozen, no other fields.

    Validators are made when first used, or for the OpenAPI document: no answer to a query waits for them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class DrainReport(Report):
    """An operator's intent that a POP serve nobody; without ``expires_at`` until undrained."""

    pop: str
    reason: str
    author: str
    created_at: datetime
    expires_at: datetime | None


class DrainResult(Report):
    """A drain that holds. ``warnings`` name pools that are left with no serving endpoint."""

    drain: DrainReport
    changed: bool
    generation: int
    warnings: list[str]


class UndrainResult(Report):
    """A POP without a drain; ``changed`` is false when there was none to lift."""

    pop: str
    changed: bool
    generation: int


class ObservedCounts(Report):
    """Endpoints by what probes say."""

    up: int = 0
    down: int = 0
    unknown: int = 0


class VerdictCounts(Report):
    """Endpoints by verdict."""

    serving: int = 0
    down: int = 0
    drained: int = 0


class MonitorReport(Report):
    """What one monitor says of an endpoint: ``probe`` is what it probes, ``since`` when it last changed."""

    monitor: str
    probe: str
    observed: Observed
    reason: str
    since: datetime | None
    checked_at: datetime | None
    probe_ms: float | None


class EndpointReport(Report):
    """One endpoint. ``since`` is when ``observed`` last changed; ``monitors`` say what each monitor observes.

    It is down if one of them says so, and up only if all do. ``monitor``, ``probe``, ``reason``,
    ``checked_at`` and ``probe_ms`` are those of the monitor that decides: of an endpoint that is down, the
    first that failed.

    It has an ``address``, a ``cname``, or ``records`` (their types), some beside an address.
    ``unknown_counts`` is how it counts while unknown, by its pool.
    ``last_good`` is whether it served in the five minutes until now, or until its pool was not available.
    """

    number: int
    pool: str
    pop: str
    address: str | None
    cname: str | None
    records: list[str]
    weight: int
    monitor: str
    probe: str | None
    observed: Observed
    reason: str
    since: datetime | None
    checked_at: datetime | None
    probe_ms: float | None
    monitors: list[MonitorReport]
    unknown_counts: Literal["up", "down"]
    intent: IntentWord
    verdict: VerdictWord
    last_good: bool


class EndpointList(Report):
    """A page of the endpoints, by number; ``total`` counts all. Without ``next_offset`` it was the last."""

    generation: int
    total: int
    endpoints: list[EndpointReport]
    offset: int
    next_offset: int | None


class LoadReport(Report):
    """A POP's load, 1 for a POP that is full. ``load`` is in effect, ``reported`` is what was said last.

    They differ by hysteresis. ``age`` is how long ago that was; unless said again, the load is unknown from
    ``expires_at`` on.
    """

    load: float
    reported: float
    age: float
    expires_at: datetime


class WithoutResultReport(Report):
    """A monitor that knows nothing yet of so many endpoints, and why."""

    monitor: str
    reason: str
    endpoints: int


class PopReport(Report):
    """One POP. Its verdict is ``serving`` while at least one endpoint is, ``unused`` without endpoints.

    ``failing`` counts the endpoints that are down for each monitor that says so; ``without_result`` says why
    monitors know nothing yet, those of the most endpoints first, at most three.
    Without a ``load`` none was reported, or too long ago.
    """

    name: str
    title: str
    latitude: float | None
    longitude: float | None
    observed: ObservedCounts
    failing: dict[str, int]
    without_result: list[WithoutResultReport]
    intent: IntentWord
    drain: DrainReport | None
    verdict: PopVerdict
    verdicts: VerdictCounts
    load: LoadReport | None


class PopList(Report):
    """All POPs in the order of the site."""

    generation: int
    pops: list[PopReport]


class PopDetail(Report):
    """One POP and its endpoints."""

    generation: int
    pop: PopReport
    endpoints: list[EndpointReport]


class ZoneReport(Report):
    """One zone. ``api_changes`` counts RRsets that the API set or removed and that override the zone file."""

    zone: str
    serial: int
    records: int
    names: int
    api_changes: int


class ZoneList(Report):
    """A page of the zones, by name; ``total`` counts all. Without ``next_offset`` it was the last."""

    generation: int
    total: int
    zones: list[ZoneReport]
    offset: int
    next_offset: int | None


class RRsetReport(Report):
    """One RRset; ``records`` are RDATA in presentation format (RFC 1035 section 5.1, RFC 3597 section 5)."""

    name: str
    type: str
    ttl: int
    records: list[str]


class ZonePage(Report):
    """One zone and a page of its RRsets; without ``next_offset`` it was the last page."""

    zone: ZoneReport
    rrsets: list[RRsetReport]
    offset: int
    next_offset: int | None


class ZoneChangeResult(Report):
    """A zone change that is durable and published. ``changed`` counts RRsets.

    ``unchanged`` counts those that were removed and not there, or given back and never set.
    """

    zone: str
    serial: int
    changed: int
    unchanged: int
    generation: int


class LatencyEntry(Report):
    """Measured milliseconds from a location to a POP, from the site's files or set through the API."""

    location: str
    pop: str
    ms: float
    source: Literal["site", "api"]


class LatencyTable(Report):
    """The latency table in force."""

    generation: int
    rows: list[LatencyEntry]


class LatencyResult(Report):
    """A latency change that is durable and published. ``changed`` counts rows.

    ``unchanged`` counts those that differ too little from what is in effect, see the site's ``hysteresis``,
    and those given back that were never set.
    """

    changed: int
    unchanged: int
    generation: int


class LoadsResult(Report):
    """Loads that are published, by POP; ``null`` for one that is now unknown."""

    loads: dict[str, LoadReport | None]
    generation: int


class RecordReport(Report):
    """One record; ``data`` is RDATA in presentation format."""

    name: str
    type: str
    ttl: int
    data: str


class EdnsReport(Report):
    """The OPT record of a response (RFC 6891); ``options`` as text, such as a client subnet and its scope."""

    payload: int
    options: list[str]


class ResponseReport(Report):
    """A DNS response; ``flags`` as dig writes them, such as ``qr`` and ``aa``."""

    rcode: str
    flags: list[str]
    answer: list[RecordReport]
    authority: list[RecordReport]
    additional: list[RecordReport]
    edns: EdnsReport | None


class ExplainedEndpoint(EndpointReport):
    """An endpoint that steering looked at, and the drain of its POP if one holds."""

    drain: DrainReport | None


class SuppositionsReport(Report):
    """What is supposed: POPs (or `pool/pop`) that are down or drained, loads by POP, and the moment."""

    down: list[str]
    drain: list[str]
    load: dict[str, float]
    at: datetime | None
    text: Annotated[str, Field(description="The same for people; empty when nothing is supposed.")]


class ExplainReport(Report):
    """The answer to a query, and how it came about; under suppositions, if there are any."""

    name: str
    type: str
    client: str
    subnet: str | None
    generation: int
    steps: Annotated[
        list[dict[str, Any]],
        Field(description="Each by its `step`: zone, no_zone, find, records, follow, reflect, steer."),
    ]
    wire: Annotated[str, Field(description="The response over UDP, in hexadecimal; its ID is 0.")]
    answer: Annotated[ResponseReport | None, Field(description="The same, decoded; null for silence.")]
    endpoints: Annotated[
        dict[int, ExplainedEndpoint], Field(description="Every endpoint that a step names, by number.")
    ]
    supposing: SuppositionsReport | None = None


class AliasAddresses(Report):
    """What is known of a target's addresses of one type; ``ttl`` and no addresses: it has none.

    ``error`` says why the last question failed, and is empty after an answer.
    """

    type: Literal["A", "AAAA"]
    state: AliasState
    ttl: int | None
    addresses: list[str]
    error: str
    checked_at: datetime | None


class AliasReport(Report):
    """An ALIAS that may lead outside the zones served here, and one name that it may lead to.

    ``resolved`` is the name that is asked for: the target, or where CNAMEs and steered names served here may
    lead from it. ``ttl`` is that of the ALIAS, ``state`` the worse of the states of both types.
    """

    name: str
    resolved: str
    ttl: int
    state: AliasState
    addresses: list[AliasAddresses]


class AliasList(Report):
    """A page of the aliases that may lead outside the zones served here, by name.

    One that may lead to several names, since steering chooses, is listed with each: ``total`` counts such
    rows. Without ``next_offset`` it was the last page. ``has_resolver`` is whether the site says how to
    resolve them.
    """

    generation: int
    total: int
    has_resolver: bool
    aliases: list[AliasReport]
    offset: int
    next_offset: int | None


class AliasCounts(Report):
    """Targets outside the zones served here, by state."""

    fresh: int = 0
    stale: int = 0
    unknown: int = 0


# Not a model: of hundreds of thousands of zones each may have one, and a model takes a KiB.
@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True)
class FindingReport:
    """Something that a check of the site found, and where; line or column 0 means all of it."""

    rule: str
    severity: str
    file: str
    line: int
    column: int
    message: str


class ReloadResult(Report):
    """A reload that took effect, with the site's warnings."""

    generation: int
    zones: int
    records: int
    pops: int
    names: int
    seconds: float
    findings: list[FindingReport]


class LastReload(Report):
    """How the last load of the site directory ended; ``message`` says why it failed."""

    at: datetime
    success: bool
    message: str


class StatusReport(Report):
    """What is served, in numbers. ``names`` counts steered names.

    ``failing`` counts the endpoints that are down for each monitor that says so.
    """

    version: str
    generation: int
    started_at: datetime
    uptime: float
    zones: int
    records: int
    names: int
    pops: int
    observed: ObservedCounts
    failing: dict[str, int]
    verdicts: VerdictCounts
    aliases: AliasCounts
    drains: list[DrainReport]
    last_reload: LastReload | None
    queries: int
