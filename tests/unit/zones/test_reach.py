"""What an answer may come from, and that a change elsewhere leaves it as it is."""

from __future__ import annotations

import dns.name
import dns.rdata
import dns.rdatatype
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gslb.config import alias_rdata as alias_rdata  # noqa: PLC0414 - makes ALIAS data known to dnspython
from gslb.config.leads import MAXIMUM_NAMES
from gslb.model.alias import ALIAS
from gslb.model.site import Endpoint, Member, Pool, SteeredName, SteeringConfig
from gslb.zones.reach import Reach, steered_targets
from gslb.zones.touched import Touched
from tests.engine import APEX, Engine

MAIN = """\
www CNAME web
web CNAME cdn.example.net.
apex ALIAS away
away CNAME cdn.example.net.
*.wild CNAME here
here A 192.0.2.1
old DNAME new
new TXT "new"
steered A 192.0.2.9
"""
OTHER = "cdn CNAME cdn2\ncdn2 A 192.0.2.2\n"


@pytest.fixture
def reach(tmp_path):
    zones = {"example.com.": APEX + MAIN, "example.net.": APEX + OTHER}
    engine = Engine(tmp_path, zones)
    targets = {"steered.example.com.": ("www.example.com.", "cdn.example.org."), "*.shop.example.com.": ()}
    return Reach({zone.origin: zone for zone in engine.zones}, targets)


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("www.example.com.", "web.example.com. cdn.example.net. cdn2.example.net."),
        ("apex.example.com.", "away.example.com. cdn.example.net. cdn2.example.net."),
        ("a.b.wild.example.com.", "here.example.com."),
        ("a.old.example.com.", "a.new.example.com."),
        (
            "steered.example.com.",
            "cdn.example.org. www.example.com. web.example.com. cdn.example.net. cdn2.example.net.",
        ),
        ("nothing.example.com.", ""),
        ("www.example.org.", ""),
    ],
)
def test_every_name_on_the_way_is_reached(reach, name, names):
    assert reach.of(name).names == {name, *names.split()}


def test_steered_names_and_aliases_on_the_way_are_told(reach):
    assert reach.of("steered.example.com.").steered == {"steered.example.com."}
    assert reach.of("any.shop.example.com.").steered == {"*.shop.example.com."}
    assert reach.of("apex.example.com.").aliases == (("apex.example.com.", "away.example.com.", 300),)


def test_of_too_many_names_some_are_left_out(tmp_path):
    engine = Engine(tmp_path, {"example.com.": APEX + "long DNAME more.long\n"})
    many = [f"n{number}.example.net." for number in range(MAXIMUM_NAMES)]
    reach = Reach({"example.com.": engine.zones[0]}, {"many.example.com.": many})
    assert reach.of("a.long.example.com.").is_whole
    reached = reach.of("many.example.com.")
    assert not reached.is_whole
    assert Touched("example.net.", [("x.example.net.", 1, 60, [])]).affects(reached)


def test_targets_of_steered_names_are_those_of_all_pools_below():
    pools = (
        Pool(name="one", endpoints=(Endpoint(pop="fra", cname="a.example."),)),
        Pool(
            name="two",
            endpoints=(Endpoint(pop="fra", cname="b.example."), Endpoint(pop="ams", cname="a.example.")),
        ),
        Pool(name="both", members=(Member(pool="one"), Member(pool="two"))),
        Pool(name="none", endpoints=(Endpoint(pop="fra", address="192.0.2.1"),)),
    )
    names = (
        SteeredName(name="x.", pool="both"),
        SteeredName(name="y.", pool="none"),
        SteeredName(name="z.", reflect="best"),
    )
    targets = steered_targets(SteeringConfig(pools=pools, names=names))
    assert {name: sorted(found) for name, found in targets.items()} == {
        "x.": ["a.example.", "b.example."],
        "y.": [],
        "z.": [],
    }


LABELS = st.sampled_from(["a", "b", "*"])
OWNERS = st.lists(LABELS, min_size=0, max_size=3).map(lambda labels: ".".join([*labels, "example.com."]))
TARGETS = st.lists(st.sampled_from("ab"), max_size=2).map(lambda labels: ".".join([*labels, "example.com."]))
RRSETS = st.one_of(
    st.tuples(OWNERS, st.just("A"), st.just("192.0.2.1")),
    st.tuples(OWNERS, st.just("TXT"), st.just("text")),
    st.tuples(OWNERS, st.sampled_from(["CNAME", "DNAME", "ALIAS", "NS"]), TARGETS),
    st.tuples(OWNERS, st.just("A"), st.none()),
    st.tuples(OWNERS, st.sampled_from(["CNAME", "DNAME", "ALIAS", "NS"]), st.none()),
)
QUESTIONS = [
    (name, rtype)
    for name in (
        "example.com.",
        "a.example.com.",
        "b.a.example.com.",
        "a.b.a.example.com.",
        "b.b.example.com.",
    )
    for rtype in ("A", "TXT", "SOA", "NS", "ANY", "DS")
]


def changed(zone, rrset):
    """The zone with the change and a higher serial; as it was if that breaks a rule."""
    owner, rtype, text = rrset
    number = ALIAS if rtype == "ALIAS" else int(dns.rdatatype.from_text(rtype))
    wires = [dns.rdata.from_text("IN", number, text).to_wire()] if text else []
    ttl, (soa,) = zone.rrset("example.com.", 6)
    serial = (zone.serial + 1).to_bytes(4, "big")
    try:
        return (owner, number, 60, wires), zone.with_rrsets(
            [(owner, number, 60, wires), ("example.com.", 6, ttl, [soa[:-20] + serial + soa[-16:]])]
        )
    except ValueError:
        return None, zone


@settings(max_examples=300, deadline=None)
@given(st.lists(RRSETS, min_size=1, max_size=12))
def test_what_a_change_does_not_touch_is_answered_as_before(tmp_path_factory, rrsets):
    directory = tmp_path_factory.getbasetemp()
    engine = Engine(directory, {"example.com.": APEX})
    zone = engine.zones[0]
    for rrset in rrsets:
        change, after = changed(zone, rrset)
        if change is None:
            continue
        reach, touched = Reach({"example.com.": zone}, {}), Touched("example.com.", [change])
        before = {question: answer(engine, question) for question in QUESTIONS}
        engine.dataplane.publish_zone(after)
        for name, rtype in QUESTIONS:
            if not touched.affects(reach.of(name), int(dns.rdatatype.from_text(rtype))):
                assert answer(engine, (name, rtype)) == before[name, rtype], (change, name, rtype)
        zone = after


def answer(engine, question):
    """What a policy test sees of the answer."""
    message = engine.ask(*question, transport="tcp")
    return message.rcode(), [rrset.to_text() for rrset in message.answer]


def test_a_change_of_one_name_leaves_its_neighbours_alone(reach):
    touched = Touched("example.com.", [("here.example.com.", 1, 60, [])])
    affected = [
        name
        for name in ("here", "below.here", "x.wild", "www", "apex", "nothing")
        if touched.affects(reach.of(f"{name}.example.com."), 1)
    ]
    assert affected == ["here", "below.here", "x.wild"]
    assert not touched.affects(reach.of("example.com."), 1)
    assert touched.affects(reach.of("example.com."), 6)
