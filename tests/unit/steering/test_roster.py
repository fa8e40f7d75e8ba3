"""What a configuration says of its endpoints by number, and what of it goes on in another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gslb.model.health import Observed
from gslb.model.site import Count, DeclaredRRset, Endpoint, MinHealthy, Pool, SteeringConfig, UnknownCounts
from gslb.steering.roster import NEW, Roster
from gslb.steering.verdict import VerdictTable

POPS = st.sampled_from(["fra", "ams"])
TXT = DeclaredRRset(rtype=16, rdata=(b"\2hi",))

endpoints = st.builds(
    Endpoint,
    pop=POPS,
    address=st.sampled_from(["192.0.2.1", "192.0.2.2", "2001:db8::1"]),
    records=st.sampled_from([(), (TXT,)]),
)
pools = st.lists(
    st.builds(
        Pool,
        name=st.sampled_from(["web", "mail", "api"]),
        endpoints=st.lists(endpoints, max_size=4).map(tuple),
        min_healthy=st.sampled_from([MinHealthy(), MinHealthy(ipv4=Count(count=2))]),
        unknown_counts=st.sampled_from(UnknownCounts),
    ),
    max_size=3,
    unique_by=lambda pool: pool.name,
)
configurations = pools.map(lambda found: SteeringConfig(pools=tuple(found)))
drained_pops = st.sets(POPS)


def v4(number, pop="fra", **settings):
    return Endpoint(pop=pop, address=f"192.0.2.{number}", **settings)


def test_endpoints_are_found_by_number_pools_without_any_skipped():
    filled = [Pool(name=name, endpoints=(v4(1), v4(2, "ams"))) for name in ("a", "b")]
    empty = [Pool(name=name, endpoints=()) for name in ("none", "too", "last")]
    roster = Roster(SteeringConfig(pools=(empty[0], filled[0], empty[1], filled[1], empty[2])))
    found = [roster.endpoint(number) for number in range(len(roster))]
    assert [(pool.name, str(endpoint.address)) for pool, endpoint in found] == [
        ("a", "192.0.2.1"),
        ("a", "192.0.2.2"),
        ("b", "192.0.2.1"),
        ("b", "192.0.2.2"),
    ]
    assert roster.pool_names == ["a", "a", "b", "b"]
    assert roster.numbers_of("ams") == [1, 3]
    assert roster.numbers_of("none") == []


def test_of_the_same_site_nothing_is_judged_anew():
    site = SteeringConfig(pools=(Pool(name="web", endpoints=(v4(1), v4(2), v4(3, records=(TXT,)))),))
    succession = Roster(site.model_copy(deep=True)).after(Roster(site))
    assert (succession.endpoints, succession.groups, succession.changed) == ([0, 1, 2], [0, 1], set())


@pytest.mark.parametrize(
    ("after", "changed"),
    [
        (Pool(name="web", endpoints=(v4(2), v4(1))), set()),
        (Pool(name="web", endpoints=(v4(1), v4(2), v4(3))), {0, 1, 2}),
        (Pool(name="web", endpoints=(v4(2),)), {0}),
        (Pool(name="web", endpoints=(v4(1, "ams"), v4(2))), {0, 1}),
        (Pool(name="web", endpoints=(v4(1, records=(TXT,)), v4(2))), {0}),
        (Pool(name="other", endpoints=(v4(1), v4(2))), {0, 1}),
        (Pool(name="web", endpoints=(v4(1), v4(2)), min_healthy=MinHealthy(ipv4=Count(count=2))), {0, 1}),
        (Pool(name="web", endpoints=(v4(1), v4(2)), unknown_counts=UnknownCounts.DOWN), {0, 1}),
    ],
)
def test_what_a_change_of_its_pool_concerns_is_judged_anew(after, changed):
    before = Pool(name="web", endpoints=(v4(1), v4(2)))
    succession = Roster(SteeringConfig(pools=(after,))).after(Roster(SteeringConfig(pools=(before,))))
    assert succession.changed == changed


def test_what_is_new_has_no_place_before():
    before = Roster(SteeringConfig(pools=(Pool(name="web", endpoints=(v4(1), v4(1))),)))
    succession = Roster(
        SteeringConfig(pools=(Pool(name="new", endpoints=(v4(1),)), Pool(name="web", endpoints=(v4(1),) * 3)))
    ).after(before)
    assert succession.endpoints == [NEW, 0, 1, NEW]
    assert succession.groups == [NEW, 0]


@given(st.data(), configurations, configurations, drained_pops, drained_pops)
def test_the_table_taken_over_is_that_of_everything_judged_anew(data, before, after, was, is_drained):
    """So what is not judged anew would come out the same."""
    now = 0.0
    table = VerdictTable(before, (), was, monotonic=lambda: now)
    for number in data.draw(st.lists(st.integers(0, max(0, len(table) - 1)), max_size=6)):
        if len(table):
            table.observe([number], data.draw(st.sampled_from(Observed)))
            now += data.draw(st.sampled_from([0.0, 200.0, 3_600.0]))
            table.expire_marks()
    succession = Roster(after).after(table.roster)
    observed = data.draw(
        st.lists(st.sampled_from(Observed), min_size=len(succession.roster), max_size=len(succession.roster))
    )
    next_table = table.taken_over(succession, observed, is_drained)
    octets = next_table.to_bytes()
    for number, seen in enumerate(observed):
        next_table.observe([number], seen)
    assert next_table.to_bytes() == octets
    assert next_table.drained == is_drained
    assert [octet & 3 for octet in octets] == [
        octet & 3 for octet in VerdictTable(after, observed, is_drained).to_bytes()
    ]
