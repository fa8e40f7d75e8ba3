"""The example site loads without a complaint, and shows what it claims to."""

import runpy
import shutil
from pathlib import Path

import pytest

from gslb.model.pool_graph import pools_that_answer
from gslb.zones.site import load_site

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def example(tmp_path, read_zone):
    shutil.copytree(ROOT / "zones", tmp_path / "zones")
    build = runpy.run_path(str(ROOT / "geo_fixtures" / "build.py"))["build"]
    build(tmp_path / "geo_fixtures" / "build")
    return load_site(tmp_path / "zones", read_zone)


def test_no_findings(example):
    loaded, findings = example
    assert findings == ()
    assert {zone.origin for zone in loaded.zone_texts} == {"example.com.", "example.net."}


def test_what_a_reader_learns_from_it(example):
    steering = example[0].steering
    assert {pop.name for pop in steering.pops} == {"fra", "ams", "iad", "sfo", "sin"}
    assert len(steering.policies) == 5
    assert {step.step for policy in steering.policies for step in policy.steps} == {
        "geo",
        "latency",
        "distance",
        "failover",
        "weighted",
        "take",
        "sticky",
    }
    assert [pool.name for pool in steering.pools if pool.members] == ["cdn"]
    assert any(name.least_ttl is not None for name in steering.names)
    probes = {endpoint.probe for pool in steering.pools for endpoint in pool.endpoints}
    assert probes == {f"127.0.0.1:{port}" for port in range(8101, 8106)}
    assert all(monitor.interval == 2.0 for monitor in steering.monitors)
    answering = pools_that_answer(steering.pools, steering.names)
    assert all("when_all_down" in pool.model_fields_set for pool in answering)
    assert steering.latency
