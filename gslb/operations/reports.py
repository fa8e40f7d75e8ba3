"""Reports of the present state, from the published steering, observed health, drains and verdicts. Pure."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

from gslb.config.rdata import present_type
from gslb.health.statistics import BUCKETS
from gslb.model.gauges import ProbeGauges
from gslb.model.report import (
    VERDICT_WORDS,
    DrainReport,
    EndpointReport,
    ExplainedEndpoint,
    ExplainReport,
    FindingReport,
    MonitorReport,
    ObservedCounts,
    PopReport,
    SuppositionsReport,
    VerdictCounts,
    ZoneReport,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gslb._dataplane import Zone
    from gslb.health.endpoint import EndpointHealth, MonitorHealth
    from gslb.health.statistics import ProbeStatistics
    from gslb.model.finding import Finding
    from gslb.model.health import Drain
    from gslb.model.report import LoadReport, PopVerdict, WithoutResultReport
    from gslb.model.site import Endpoint, Pool, SteeringConfig
    from gslb.model.what_if import Suppositions
    from gslb.operations.counts import EndpointCounts
    from gslb.steering.verdict import VerdictTable


def drain_report(drain: Drain) -> DrainReport:
    """One drain."""
    return DrainReport(
        pop=drain.pop,
        reason=drain.reason,
        author=drain.author,
        created_at=drain.created_at,
        expires_at=drain.expires_at,
    )


def endpoint_reports(health: Mapping[int, EndpointHealth], table: VerdictTable) -> list[EndpointReport]:
    """The endpoints whose ``health`` is given by number, in the order of their numbers."""
    return [
        _endpoint_report(number, *table.roster.endpoint(number), known, table)
        for number, known in sorted(health.items())
    ]


def _endpoint_report(
    number: int, pool: Pool, endpoint: Endpoint, known: EndpointHealth, table: VerdictTable
) -> EndpointReport:
    deciding = known.deciding
    return EndpointReport(
        number=number,
        pool=pool.name,
        pop=endpoint.pop,
        address=None if endpoint.address is None else str(endpoint.address),
        cname=endpoint.cname or None,
        records=[present_type(rrset.rtype) for rrset in endpoint.records],
        weight=endpoint.weight,
        monitor="" if deciding is None else deciding.monitor,
        probe=None if deciding is None else str(deciding.target),
        observed=known.observed,
        reason=known.reason,
        since=known.since,
        checked_at=None if deciding is None else deciding.checked_at,
        probe_ms=None if deciding is None else _milliseconds(deciding.seconds),
        monitors=[monitor_report(monitor) for monitor in known.monitors],
        unknown_counts=pool.unknown_counts.value,
        intent="drain" if endpoint.pop in table.drained else "serve",
        verdict=VERDICT_WORDS[table[number]],
        last_good=table.is_last_good(number),
    )


def monitor_report(health: MonitorHealth) -> MonitorReport:
    """What one monitor says."""
    return MonitorReport(
        monitor=health.monitor,
        probe=str(health.target),
        observed=health.observed,
        reason=health.reason,
        since=health.since,
        checked_at=health.checked_at,
        probe_ms=_milliseconds(health.seconds),
    )


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


def pop_reports(
    config: SteeringConfig,
    counts: EndpointCounts,
    drains: Mapping[str, Drain],
    loads: Mapping[str, LoadReport],
    without_result: Mapping[str, list[WithoutResultReport]],
) -> list[PopReport]:
    """Every POP in the order of the site; ``drains`` in force and ``loads`` that are known are by POP."""
    of_pop = counts.by_pop()
    failing = counts.failing_by_pop()
    reports = []
    for pop in config.pops:
        observed, verdicts = of_pop.get(pop.name, (ObservedCounts(), VerdictCounts()))
        drain = drains.get(pop.name)
        verdict: PopVerdict = "unused"
        if drain is not None:
            verdict = "drained"
        elif pop.name in of_pop:
            verdict = "serving" if verdicts.serving else "down"
        reports.append(
            PopReport(
                name=pop.name,
                title=pop.title,
                latitude=pop.latitude,
                longitude=pop.longitude,
                observed=observed,
                failing=failing.get(pop.name, {}),
                without_result=without_result.get(pop.name, []),
                intent="serve" if drain is None else "drain",
                drain=None if drain is None else drain_report(drain),
                verdict=verdict,
                verdicts=verdicts,
                load=loads.get(pop.name),
            )
        )
    return reports


def zone_report(origin: str, zone: Zone, api_changes: int) -> ZoneReport:
    """One zone in numbers."""
    return ZoneReport(
        zone=origin,
        serial=zone.serial,
        records=zone.record_count,
        names=zone.name_count,
        api_changes=api_changes,
    )


def suppositions_report(suppositions: Suppositions) -> SuppositionsReport:
    """What is supposed."""
    return SuppositionsReport(
        down=list(suppositions.down),
        drain=list(suppositions.drain),
        load=suppositions.load,
        at=suppositions.at,
        text=str(suppositions),
    )


def explain_report(
    explained: Mapping[str, Any],
    endpoints: Iterable[EndpointReport],
    drains: Mapping[str, Drain],
    suppositions: Suppositions | None = None,
) -> ExplainReport:
    """What the data plane ``explained``, with what is known of the ``endpoints`` that it names."""
    found: dict[int, ExplainedEndpoint] = {}
    for endpoint in endpoints:
        drain = drains.get(endpoint.pop)
        found[endpoint.number] = ExplainedEndpoint(
            **dict(endpoint), drain=None if drain is None else drain_report(drain)
        )
    supposing = suppositions_report(suppositions) if suppositions else None
    return ExplainReport(**explained, endpoints=found, supposing=supposing)


def endpoints_named(steps: Any) -> set[int]:
    """The numbers of the endpoints anywhere in the steps of an explanation."""
    if isinstance(steps, dict):
        own = {steps["endpoint"]} if "endpoint" in steps else set()
        return own.union(*map(endpoints_named, steps.values()))
    return set().union(*map(endpoints_named, steps)) if isinstance(steps, list) else set()


def finding_report(finding: Finding) -> FindingReport:
    """One finding."""
    return FindingReport(
        rule=finding.rule,
        severity=str(finding.severity),
        file=finding.place.file,
        line=finding.place.line,
        column=finding.place.column,
        message=finding.message,
    )


def probe_gauges(statistics: ProbeStatistics) -> ProbeGauges:
    """One monitor's counts in the shape of a histogram."""
    return ProbeGauges(
        successes=statistics.successes,
        failures=statistics.failures,
        buckets=tuple(zip(BUCKETS, accumulate(statistics.buckets), strict=False)),
        seconds=statistics.seconds,
        without_result=statistics.without_result,
    )
