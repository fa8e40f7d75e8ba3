"""Loads: hysteresis and age."""

from __future__ import annotations

import pytest

from gslb.model.site import LoadSettings
from gslb.steering.loads import LoadTable

POPS = ["fra", "ams", "sin"]


@pytest.fixture
def table():
    table = LoadTable()
    table.reconfigure(LoadSettings(hysteresis=0.05, max_age=60), POPS, 0)
    return table


def value(table, pop="fra", now=0):
    return table.known(now)[pop].value


def test_nothing_is_known_at_first(table):
    assert table.known(0) == {}
    assert table.to_bytes(POPS, 0) == b""


def test_a_load_rises_at_once_and_falls_only_by_more_than_the_hysteresis(table):
    in_effect = []
    for reported in (0.7, 0.71, 0.70, 0.66, 0.659, 0.62, 0.61, 0.609, 0.0, 2.0):
        table.report("fra", reported, 0)
        in_effect.append(value(table))
        assert table.known(0)["fra"].reported == reported
    assert in_effect == [0.7, 0.71, 0.71, 0.71, 0.659, 0.659, 0.659, 0.659, 0.0, 2.0]


def test_a_fall_of_just_the_hysteresis_is_not_more(table):
    table.report("fra", 0.8, 0)
    table.report("fra", 0.75, 0)
    assert value(table) == 0.8


def test_a_held_value_is_compared_with_and_not_the_last_report(table):
    for reported in (0.8, 0.77, 0.74):
        table.report("fra", reported, 0)
    assert value(table) == 0.74


def test_a_load_is_unknown_after_its_age_and_then_hysteresis_holds_nothing(table):
    table.report("fra", 0.9, 0)
    table.report("ams", 0.1, 10)
    assert table.expire(60) == []
    assert table.expire(60.001) == ["fra"]
    assert set(table.known(60.001)) == {"ams"}
    table.report("fra", 0.88, 61)
    assert value(table, now=61) == 0.88


def test_an_old_load_counts_as_unknown_before_anybody_expires_it(table):
    table.report("fra", 0.9, 0)
    assert table.known(61) == {}
    assert table.to_bytes(POPS, 61) == b""
    table.report("fra", 0.88, 61)
    assert value(table, now=61) == 0.88


def test_each_report_begins_a_new_age(table):
    table.report("fra", 0.9, 0)
    table.report("fra", 0.9, 50)
    assert table.expire(100) == []


def test_a_load_can_be_taken_back(table):
    table.report("fra", 0.9, 0)
    table.report("fra", None, 0)
    table.report("ams", None, 0)
    assert table.known(0) == {}


def test_octets_are_thousandths_and_all_ones_for_unknown(table):
    table.report("fra", 0.8346, 0)
    table.report("sin", 65.0, 0)
    assert table.to_bytes(POPS, 0).hex() == "0343" + "ffff" + "fde8"
    assert table.to_bytes(["ams", "sin"], 0).hex() == "ffff" + "fde8"
    assert table.to_bytes(["ams"], 0) == b""


def test_other_settings_and_pops(table):
    table.report("fra", 0.9, 0)
    table.report("ams", 0.5, 0)
    table.report("ams", 0.48, 40)
    table.reconfigure(LoadSettings(hysteresis=0, max_age=30), ["ams", "sin"], 40)
    assert set(table.known(40)) == {"ams"}
    table.report("ams", 0.479, 41)
    assert value(table, "ams", 41) == 0.479
    assert table.expire(72) == ["ams"]
