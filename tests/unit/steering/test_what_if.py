"""Verdicts and loads under conditions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gslb.model.health import Observed
from gslb.model.policy_test import Conditions
from gslb.steering.roster import Roster
from gslb.steering.verdict import VerdictTable
from gslb.steering.what_if import WhatIf
from tests.unit.fakes import example_site


def verdicts_if(site, conditions, observed=(Observed.UP,) * 4, drained=()):
    before = VerdictTable(site, observed)
    octets = before.to_bytes()
    table = WhatIf(site).verdicts(conditions, before, drained)
    assert before.to_bytes() == octets
    return table


def test_conditions_are_laid_over_health_and_drains():
    site = example_site()
    observed = [Observed.UP, Observed.DOWN, Observed.UNKNOWN, Observed.UP]
    assert [int(v) for v in verdicts_if(site, Conditions()).verdicts()] == [0, 0, 0, 0]
    table = verdicts_if(site, Conditions(down=("web/fra", "nope"), drain=("sin",)), observed, ["fra"])
    assert [int(v) for v in table.verdicts()] == [2, 1, 2, 2]


def test_last_good_marks_are_of_the_table_before():
    site = example_site()
    down = Conditions(down=("fra", "ams", "sin"))
    assert [verdicts_if(site, down).is_last_good(number) for number in range(3)] == [True, True, True]
    observed = [Observed.UP, Observed.DOWN, Observed.DOWN, Observed.UP]
    table = verdicts_if(site, down, observed)
    assert [table.is_last_good(number) for number in range(3)] == [True, False, False]


POPS = st.sets(st.sampled_from(["fra", "ams", "sin"]))


@given(
    observed=st.lists(st.sampled_from(Observed), min_size=4, max_size=4),
    drained=st.tuples(POPS, POPS),
    down=st.sets(st.sampled_from(["fra", "ams", "sin", "web/fra", "web/ams"])),
    drain=POPS,
)
def test_conditions_hold_as_if_all_of_it_came_at_once(observed, drained, down, drain):
    site = example_site()
    before = VerdictTable(site, observed, drained[0])
    table = WhatIf(site).verdicts(Conditions(down=tuple(down), drain=tuple(drain)), before, drained[1])
    endpoints = [(pool.name, endpoint.pop) for pool in site.pools for endpoint in pool.endpoints]
    merged = [
        Observed.DOWN if pop in down or f"{pool}/{pop}" in down else seen
        for (pool, pop), seen in zip(endpoints, observed, strict=True)
    ]
    anew = before.taken_over(Roster(site).after(before.roster), merged, drained[1] | drain)
    assert table.to_bytes() == anew.to_bytes()
    assert (table.verdicts(), table.observed, table.drained) == (
        anew.verdicts(),
        anew.observed,
        anew.drained,
    )


def test_supposed_loads_stand_for_known_ones():
    site = example_site()
    assert WhatIf(site).loads(Conditions(), {}) == b""
    loads = WhatIf(site).loads(Conditions(load={"fra": 0.9, "nope": 1}), {"fra": 0.1, "sin": 2})
    assert loads.hex() == "0384" + "ffff" + "07d0" + "ffff"
