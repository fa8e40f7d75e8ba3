from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gslb.model.gauges import Gauges, ProbeGauges
from gslb.telemetry import metrics as subject
from gslb.telemetry.metrics import metrics_renderer

COUNTERS = {
    "queries_udp": 5,
    "queries_tcp": 1,
    "responses_noerror": 4,
    "responses_nxdomain": 2,
    "responses_badvers": 1,
    "dropped_malformed": 3,
    "truncated": 1,
    "steered": 2,
    "all_down": 4,
    "reflected": 1,
    "demand_unplaced": 2,
    "ecs_queries": 1,
    "tcp_connections": 1,
    "tcp_rejected": 0,
    "tcp_timeouts": 6,
    "send_errors": 8,
    "panics": 0,
    "brand new-thing": 9,
}
GAUGES = Gauges(
    generation=7,
    zone_serials={"example.com.": 2026030101},
    zone_records={"example.com.": 12},
    verdicts={("fra", "web", "serving"): 2, ("ams", "web", "down"): 1},
    observed={("fra", "up"): 2},
    drained={"fra": False, "ams": True},
    loads={"fra": 0.83},
    probes={"http": ProbeGauges(3, 1, ((0.1, 2), (1.0, 4)), 1.5, 8)},
    reload_successes=2,
    reload_failures=1,
    last_reload=1_770_000_000.0,
    last_successful_reload=1_760_000_000.0,
)


@pytest.fixture
async def families():
    text = (await metrics_renderer(lambda: COUNTERS, told(GAUGES))()).decode()
    return {family.name: family for family in text_string_to_metric_families(text)}


def value(families, name, **labels):
    for family in families.values():
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return sample.value
    raise AssertionError(f"no {name}{labels}")


def test_counters_of_the_data_plane_get_names_and_labels(families):
    assert value(families, "gslb_queries_total", transport="udp") == 5
    assert value(families, "gslb_responses_total", rcode="NXDOMAIN") == 2
    assert value(families, "gslb_responses_total", rcode="BADVERS") == 1
    assert value(families, "gslb_dropped_total", reason="malformed") == 3
    plain = COUNTERS.keys() - {"brand new-thing"}
    for name in (name for name in plain if not name.startswith(("queries_", "responses_", "dropped_"))):
        assert value(families, f"gslb_{name}_total") == COUNTERS[name]


def test_an_unknown_counter_is_passed_on(families):
    assert value(families, "gslb_dataplane_brand_new_thing_total") == 9


def test_the_state_of_the_control_plane_is_shown(families):
    assert value(families, "gslb_generation") == 7
    assert value(families, "gslb_zone_serial", zone="example.com.") == 2026030101
    assert value(families, "gslb_zone_records", zone="example.com.") == 12
    assert value(families, "gslb_endpoints", pop="ams", pool="web", verdict="down") == 1
    assert value(families, "gslb_endpoints_observed", pop="fra", state="up") == 2
    assert value(families, "gslb_pop_drained", pop="ams") == 1
    assert value(families, "gslb_reloads_total", result="failure") == 1
    assert value(families, "gslb_last_reload_timestamp_seconds") == 1_770_000_000
    assert value(families, "gslb_last_successful_reload_timestamp_seconds") == 1_760_000_000


def test_probes_without_a_result_are_counted_apart(families):
    assert value(families, "gslb_probes_without_result_total", monitor="http") == 8


def test_probe_durations_are_a_histogram(families):
    assert value(families, "gslb_probes_total", monitor="http", result="failure") == 1
    assert value(families, "gslb_probe_duration_seconds_bucket", monitor="http", le="0.1") == 2
    assert value(families, "gslb_probe_duration_seconds_bucket", monitor="http", le="+Inf") == 4
    assert value(families, "gslb_probe_duration_seconds_sum", monitor="http") == 1.5
    assert value(families, "gslb_probe_duration_seconds_count", monitor="http") == 4


def told(gauges):
    async def ask():
        return gauges

    return ask


async def test_a_scrape_before_anything_happened_is_well_formed():
    text = (await metrics_renderer(dict, told(Gauges()))()).decode()
    assert value({f.name: f for f in text_string_to_metric_families(text)}, "gslb_generation") == 0


async def test_a_scrape_asks_in_its_own_thread_and_writes_in_another(monkeypatch):
    threads = []

    def note(result):
        threads.append(threading.current_thread() is threading.main_thread())
        return result

    async def asking():
        return note(GAUGES)

    write = subject.generate_latest
    monkeypatch.setattr(subject, "generate_latest", lambda registry: note(write(registry)))
    await metrics_renderer(lambda: note(COUNTERS), asking)()
    assert threads == [True, True, False]


async def test_labels_cannot_break_out_of_a_line():
    gauges = Gauges(zone_serials={'a"\\\n.': 1})
    text = (await metrics_renderer(dict, told(gauges))()).decode()
    assert r'zone="a\"\\\n."' in text


def test_every_metric_is_documented_and_every_documented_metric_exists(families):
    page = (Path(__file__).parents[3] / "docs/reference/metrics.md").read_text()
    documented = set(re.findall(r"^\| `(gslb_\w+)", page, re.M))
    emitted = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in families.values()
        if not family.name.startswith("gslb_dataplane_")
    }
    assert documented == emitted
