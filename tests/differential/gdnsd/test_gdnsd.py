"""The short form: thousands of queries, answered as gdnsd answers them."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tests.differential.gdnsd.compare import Report, run_round
from tests.differential.gdnsd.known import GROUPS_KEEP_WEIGHT, KNOWN
from tests.differential.gdnsd.servers import GDNSD, installed

ROOT = Path(__file__).parents[3]
NETWORKS = ROOT / "geo_fixtures" / "networks.yaml"
ROUNDS = 2
CLIENTS = 16


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    if not installed():
        pytest.skip(f"gdnsd is not installed: {GDNSD} is missing")
    databases = tmp_path_factory.mktemp("databases")
    runpy.run_path(str(ROOT / "geo_fixtures" / "build.py"))["build"](databases)
    made = Report()
    for index in range(ROUNDS):
        run_round(f"short:{index}", databases, NETWORKS, made, clients=CLIENTS)
    return made


def test_every_answer_is_that_of_gdnsd_or_differs_for_a_known_reason(report: Report) -> None:
    assert report.queries > 10_000
    assert dict(report.unknown) == {}, report.text()


def test_every_known_difference_says_why() -> None:
    for known in (*KNOWN, GROUPS_KEEP_WEIGHT):
        assert known.part in {"rcode", "answer", "ttl", "scope", "draws"}
        assert len(known.reason) > 40
