"""Prometheus metrics: one collector that reads the data plane's counters and the control plane's gauges.

Nothing is counted twice: a scrape asks, nothing is kept here. Every metric is described in
``docs/reference/metrics.md``; a test holds the two together.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, TypeVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from prometheus_client.metrics_core import Metric

    from gslb.model.gauges import Gauges, ProbeGauges

_LABELLED = (
    ("queries_", "gslb_queries", "transport", "Queries received, by transport."),
    ("responses_", "gslb_responses", "rcode", "Responses sent, by response code."),
    ("dropped_", "gslb_dropped", "reason", "Packets that got no response, by reason."),
)
"""(prefix of the data plane's key, metric, label, help): the rest of the key is the label's value."""

_PLAIN = {
    "truncated": ("gslb_truncated", "Responses that were cut to fit and had TC set."),
    "steered": (
        "gslb_steered",
        "Steered names that endpoints were handed out for, also where a CNAME or an ALIAS led there.",
    ),
    "all_down": (
        "gslb_all_down",
        "Steered names that no endpoint was handed out for, also where a CNAME or an ALIAS led there.",
    ),
    "reflected": (
        "gslb_reflected",
        "Queries for addresses that were answered with those of whoever asked.",
    ),
    "demand_unplaced": (
        "gslb_demand_unplaced",
        "Queries for steered names that are not in the demand, since its tables were full.",
    ),
    "ecs_queries": ("gslb_ecs_queries", "Queries with an EDNS Client Subnet option (RFC 7871)."),
    "tcp_connections": ("gslb_tcp_connections", "TCP connections accepted."),
    "tcp_rejected": ("gslb_tcp_rejected", "TCP connections refused because of a limit."),
    "tcp_timeouts": ("gslb_tcp_timeouts", "TCP connections closed because they were idle or slow."),
    "send_errors": ("gslb_send_errors", "Responses that the system did not take."),
    "panics": ("gslb_panics", "Faults in the data plane that were caught; each is a bug to report."),
}

Key = TypeVar("Key", bound=tuple[str, ...])

_UNFIT = re.compile(r"[^a-zA-Z0-9_]")


class GslbCollector(Collector):
    """What was counted and how things stood at one moment."""

    def __init__(self, counters: Mapping[str, int], gauges: Gauges) -> None:
        self._counters = counters
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        """Every metric."""
        yield from dataplane_metrics(self._counters)
        yield from control_metrics(self._gauges)

    def describe(self) -> Iterator[Metric]:
        """Nothing: names are only known at a scrape."""
        return iter(())


def metrics_renderer(
    counters: Callable[[], Mapping[str, int]], gauges: Callable[[], Awaitable[Gauges]]
) -> Callable[[], Awaitable[bytes]]:
    """A function that gives all metrics in the text format of Prometheus, version 0.0.4.

    It asks at once, in the thread of its caller; what it is told is written down in another.
    """

    async def render() -> bytes:
        # Some ten thousand pairs of pool and POP take a while to write: not on the event loop.
        return await asyncio.to_thread(_text, GslbCollector(counters(), await gauges()))

    return render


def _text(collector: Collector) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return generate_latest(registry)


def dataplane_metrics(counters: Mapping[str, int]) -> Iterator[Metric]:
    """The data plane's counters; a key that is not known becomes ``gslb_dataplane_KEY_total``."""
    labelled = {
        prefix: CounterMetricFamily(name, text, labels=[label]) for prefix, name, label, text in _LABELLED
    }
    others: list[Metric] = []
    for key, value in sorted(counters.items()):
        prefix = next((prefix for prefix in labelled if key.startswith(prefix)), None)
        if prefix is not None:
            word = key.removeprefix(prefix)
            labelled[prefix].add_metric([word.upper() if prefix == "responses_" else word], value)
            continue
        name, text = _PLAIN.get(key) or (
            "gslb_dataplane_" + _UNFIT.sub("_", key.removesuffix("_total")),
            f"The data plane's counter {key}.",
        )
        others.append(CounterMetricFamily(name, text, value=value))
    yield from labelled.values()
    yield from others


def control_metrics(gauges: Gauges) -> Iterator[Metric]:
    """The control plane's state."""
    yield GaugeMetricFamily("gslb_generation", "Generation of the published snapshot.", gauges.generation)
    yield _gauge("gslb_zone_serial", "SOA serial, by zone.", ("zone",), _single(gauges.zone_serials))
    yield _gauge("gslb_zone_records", "Records, by zone.", ("zone",), _single(gauges.zone_records))
    yield _gauge(
        "gslb_endpoints", "Endpoints, by POP, pool and verdict.", ("pop", "pool", "verdict"), gauges.verdicts
    )
    yield _gauge(
        "gslb_endpoints_observed", "Endpoints, by POP and what probes say.", ("pop", "state"), gauges.observed
    )
    yield _gauge(
        "gslb_endpoints_monitored",
        "Endpoints, by monitor, POP and what this monitor says.",
        ("monitor", "pop", "state"),
        gauges.monitored,
    )
    yield _gauge("gslb_pop_drained", "1 while a POP is drained.", ("pop",), _single(gauges.drained))
    yield _gauge(
        "gslb_pop_load", "Load in effect, 1 for a POP that is full.", ("pop",), _single(gauges.loads)
    )
    yield _gauge(
        "gslb_demand_queries_per_second",
        "Recent queries for steered names, by name and country; the least asked for together as other.",
        ("name", "country"),
        gauges.demand,
    )
    yield from _probe_metrics(gauges.probes)
    yield _gauge(
        "gslb_alias_targets",
        "ALIAS targets that no zone here holds, by state.",
        ("state",),
        _single(gauges.alias_targets),
    )
    resolutions = CounterMetricFamily(
        "gslb_alias_resolutions", "Questions about ALIAS targets, by how they ended.", labels=["result"]
    )
    resolutions.add_metric(["success"], gauges.resolution_successes)
    resolutions.add_metric(["failure"], gauges.resolution_failures)
    yield resolutions
    reloads = CounterMetricFamily(
        "gslb_reloads", "Loads of the site directory, by how they ended.", labels=["result"]
    )
    reloads.add_metric(["success"], gauges.reload_successes)
    reloads.add_metric(["failure"], gauges.reload_failures)
    yield reloads
    yield GaugeMetricFamily(
        "gslb_last_reload_timestamp_seconds",
        "When the site was last loaded or failed to.",
        gauges.last_reload,
    )
    yield GaugeMetricFamily(
        "gslb_last_successful_reload_timestamp_seconds",
        "When the site that is served was loaded.",
        gauges.last_successful_reload,
    )


def _probe_metrics(probes: Mapping[str, ProbeGauges]) -> Iterator[Metric]:
    ended = CounterMetricFamily(
        "gslb_probes", "Probes, by monitor and how they ended.", labels=["monitor", "result"]
    )
    without_result = CounterMetricFamily(
        "gslb_probes_without_result",
        "Probes without a result, by monitor: this machine lacks files, memory or ports, cannot or may not "
        "run the command, or cannot learn the state from the file.",
        labels=["monitor"],
    )
    took = HistogramMetricFamily("gslb_probe_duration_seconds", "How long probes took.", labels=["monitor"])
    for monitor, counts in sorted(probes.items()):
        ended.add_metric([monitor, "success"], counts.successes)
        ended.add_metric([monitor, "failure"], counts.failures)
        without_result.add_metric([monitor], counts.without_result)
        total = counts.successes + counts.failures
        buckets = [(repr(bound), float(count)) for bound, count in counts.buckets]
        took.add_metric([monitor], [*buckets, ("+Inf", float(total))], counts.seconds)
    yield ended
    yield without_result
    yield took


def _single(values: Mapping[str, float]) -> Mapping[tuple[str, ...], float]:
    return {(key,): value for key, value in values.items()}


def _gauge(name: str, text: str, labels: tuple[str, ...], values: Mapping[Key, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, value)
    return family
