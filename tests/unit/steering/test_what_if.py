"""Verdicts and loads under conditions."""

from __future__ import annotations

from gslb.model.health import Observed
from gslb.model.policy_test import Conditions
from gslb.steering.verdict import VerdictTable
from gslb.steering.what_if import loads_if, verdicts_if
from tests.unit.fakes import example_site


def test_conditions_are_laid_over_health_and_drains():
    site = example_site()
    observed = [Observed.UP, Observed.DOWN, Observed.UNKNOWN, Observed.UP]
    assert [int(v) for v in verdicts_if(site, Conditions()).verdicts()] == [0, 0, 0, 0]
    table = verdicts_if(site, Conditions(down=("web/fra", "nope"), drain=("sin",)), observed, ["fra"])
    assert [int(v) for v in table.verdicts()] == [2, 1, 2, 2]


def test_last_good_marks_are_of_the_table_before_or_of_all():
    site = example_site()
    down = Conditions(down=("fra", "ams", "sin"))
    assert [verdicts_if(site, down).is_last_good(number) for number in range(3)] == [True, True, True]
    before = VerdictTable(site, [Observed.UP, Observed.DOWN, Observed.DOWN, Observed.UP])
    table = verdicts_if(site, down, before=before)
    assert [table.is_last_good(number) for number in range(3)] == [True, False, False]


def test_supposed_loads_stand_for_known_ones():
    site = example_site()
    assert loads_if(site, Conditions(), {}) == b""
    loads = loads_if(site, Conditions(load={"fra": 0.9, "nope": 1}), {"fra": 0.1, "sin": 2})
    assert loads.hex() == "0384" + "ffff" + "07d0" + "ffff"
