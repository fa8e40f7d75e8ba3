"""What a drain leaves without enough endpoints."""

from __future__ import annotations

import pytest

from gslb.model.health import Observed
from gslb.model.site import (
    Count,
    Endpoint,
    Member,
    MinHealthy,
    Pool,
    SteeredName,
    SteeringConfig,
    WhenAllDown,
)
from gslb.operations.drain_warnings import drain_warnings
from gslb.steering.verdict import VerdictTable

CONFIG = SteeringConfig(
    pools=(
        Pool(
            name="eu",
            endpoints=(
                Endpoint(pop="fra", address="192.0.2.1"),
                Endpoint(pop="ams", address="192.0.2.2"),
                Endpoint(pop="fra", address="2001:db8::1"),
            ),
            min_healthy=MinHealthy(ipv4=Count(count=2)),
        ),
        Pool(name="us", endpoints=(Endpoint(pop="iad", address="192.0.2.3"),)),
        Pool(
            name="world",
            members=(Member(pool="eu"), Member(pool="us")),
            when_all_down=WhenAllDown.LAST_GOOD,
        ),
    ),
    names=(SteeredName(name="www.example.com.", pool="world"),),
)
WITHOUT = "the pools that it is a member of go on without it"
LAST_GOOD = (
    "when_all_down is last_good: its names are answered with the endpoints that served last and are not "
    "drained, else as by serve_all"
)


@pytest.mark.parametrize(
    ("drained", "asked", "warnings"),
    [
        (
            {"fra"},
            "fra",
            [
                f"pool eu has no serving endpoint left for AAAA: {WITHOUT}",
                f"pool eu has too few serving endpoints for A: {WITHOUT}",
                f"pool world has no serving endpoint left for AAAA: {LAST_GOOD}",
            ],
        ),
        ({"ams"}, "ams", [f"pool eu has too few serving endpoints for A: {WITHOUT}"]),
        ({"ams"}, "iad", []),
        ({"iad"}, "iad", [f"pool us has no serving endpoint left: {WITHOUT}"]),
        (
            {"iad", "ams"},
            "iad",
            [
                f"pool us has no serving endpoint left: {WITHOUT}",
                f"pool world has too few serving endpoints for A: {LAST_GOOD}",
            ],
        ),
    ],
)
def test_warnings(drained, asked, warnings):
    table = VerdictTable(CONFIG, drained=drained)
    assert drain_warnings(CONFIG, table.verdicts(), asked) == warnings


def test_what_is_down_counts_too():
    table = VerdictTable(CONFIG, [Observed.DOWN] * 4)
    assert len(drain_warnings(CONFIG, table.verdicts(), "iad")) == 2
