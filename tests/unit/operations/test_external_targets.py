"""Where ALIAS records lead is found out anew only after a change that can concern it."""

from __future__ import annotations

import dns.rdata
import dns.rdatatype
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gslb.config import alias_rdata as alias_rdata  # noqa: PLC0414 - makes ALIAS data known to dnspython
from gslb.model.site import Endpoint, Pool, SteeredName, SteeringConfig
from gslb.operations import external_targets as subject
from gslb.operations.external_targets import ExternalTargets
from tests.engine import APEX, Engine

STEERING = SteeringConfig(
    pools=(
        Pool(
            name="cdn",
            endpoints=(
                Endpoint(pop="fra", cname="b.example.net."),
                Endpoint(pop="ams", cname="cdn.example.org."),
            ),
        ),
    ),
    names=(SteeredName(name="steered.example.com.", pool="cdn"),),
)


def change(owner, rtype, text):
    number = dns.rdatatype.from_text(rtype)
    return owner, int(number), 60, [dns.rdata.from_text("IN", number, text).to_wire()] if text else []


@pytest.fixture
def world(tmp_path, monkeypatch):
    """``change`` changes one of three zones; ``searches`` counts how often ways were followed."""
    return World(tmp_path, monkeypatch)


class World:
    def __init__(self, directory, monkeypatch=None):
        zones = {
            "example.com.": APEX + "a ALIAS b.example.net.\nc ALIAS steered\n",
            "example.net.": APEX + "b CNAME cdn.example.org.\n",
            "example.edu.": APEX,
        }
        self.zones = {zone.origin: zone for zone in Engine(directory, zones).zones}
        self.searches = 0
        if monkeypatch is not None:
            search = subject.external_aliases
            monkeypatch.setattr(subject, "external_aliases", lambda *args: self.count() or search(*args))
        self.targets = ExternalTargets.of(self.zones, STEERING)

    def count(self):
        self.searches += 1

    def change(self, *changes):
        origin = changes[0][0].split(".", changes[0][0].count(".") - 2)[-1]
        self.zones = {**self.zones, origin: self.zones[origin].with_rrsets(list(changes))}
        self.targets = self.targets.after(origin, changes, self.zones, STEERING)


@pytest.mark.parametrize(
    "changed",
    [
        change("www.example.edu.", "CNAME", "b.example.net."),  # no way leads through this zone
        change("www.example.net.", "A", "192.0.2.1"),  # what leads nowhere
    ],
)
def test_a_change_that_concerns_no_alias_is_not_searched_for(world, changed):
    before = world.targets
    world.change(changed)
    assert world.targets is before
    assert world.searches == 1


def test_an_alias_that_is_set_to_what_it_is_is_no_change(world):
    for _ in range(2):
        world.change(change("d.example.edu.", "ALIAS", "cdn.example.org."))
    assert world.searches == 2


def test_changes_that_concern_an_alias_are_searched_for(world):
    assert {alias.owner: alias.targets for alias in world.targets.aliases} == {
        "a.example.com.": ("cdn.example.org.",),
        "c.example.com.": ("cdn.example.org.",),
    }
    world.change(change("b.example.net.", "CNAME", "other.example.org."))
    assert [alias.targets for alias in world.targets.aliases] == [
        ("other.example.org.",),
        ("cdn.example.org.", "other.example.org."),
    ]
    world.change(change("d.example.edu.", "ALIAS", "cdn.example.org."))
    assert len(world.targets.aliases) == 3
    assert world.searches == 3


ORIGINS = st.sampled_from(["example.com.", "example.net.", "example.edu."])
NAMES = st.one_of(
    st.tuples(st.sampled_from(["a", "b", "c", "*", "a.b", "*.b", "steered"]), ORIGINS).map(".".join),
    st.just("cdn.example.org."),
)
CHANGES = st.tuples(
    st.one_of(ORIGINS, NAMES.filter(lambda name: not name.endswith(".org."))),
    st.sampled_from(["ALIAS", "CNAME", "DNAME", "NS", "A"]),
    st.one_of(st.none(), NAMES),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=8))
def test_after_any_changes_they_are_as_found_out_from_nothing(tmp_path_factory, changes):
    world = World(tmp_path_factory.getbasetemp())
    for owner, rtype, name in changes:
        text = "192.0.2.1" if name and rtype == "A" else name
        try:
            world.change(change(owner, rtype, text))
        except ValueError:  # what breaks a rule of zones is refused
            continue
        assert set(world.targets.aliases) == set(ExternalTargets.of(world.zones, STEERING).aliases)
