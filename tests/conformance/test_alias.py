"""ALIAS: the addresses of another name at an apex. No RFC says how; these are the rules that gslb keeps."""

from __future__ import annotations

import dns.edns
import dns.message
import dns.rcode
import pytest

from tests.conformance.test_rfc7871 import STEERING
from tests.engine import APEX, rows

ZONE = (
    APEX
    + """
@ 60 IN ALIAS web
web 300 IN A 192.0.2.1
web 30 IN AAAA 2001:db8::1
away IN ALIAS cdn.example.org.
kept IN ALIAS cdn.example.org.
kept 300 IN A 192.0.2.99
steered 10 IN ALIAS www
chain 300 IN ALIAS c1
c1 20 IN CNAME web
loop IN ALIAS loop
gone IN ALIAS nowhere
"""
)
A, AAAA = 1, 28


@pytest.fixture
def server(engine):
    return engine({"example.com.": ZONE}, STEERING)


def test_a_target_served_here_is_answered_as_the_owners_own(server):
    """The TTL is the lower of the ALIAS's and the target's."""
    assert rows(server.ask("example.com.").answer) == ["example.com. 60 A 192.0.2.1"]
    assert rows(server.ask("example.com.", "AAAA").answer) == ["example.com. 30 AAAA 2001:db8::1"]
    assert rows(server.ask("chain.example.com.").answer) == ["chain.example.com. 20 A 192.0.2.1"]


def test_a_steered_target_is_steered(server):
    answer = server.ask("steered.example.com.", subnet="198.51.100.0/24")
    assert rows(answer.answer) == ["steered.example.com. 10 A 192.0.2.2"]
    assert [option.scopelen for option in answer.options if isinstance(option, dns.edns.ECSOption)] == [24]
    counters = server.dataplane.counters()
    assert (counters["steered"], counters["all_down"]) == (1, 0)


@pytest.mark.parametrize("way", ["target", "alias on the way"])
def test_a_steered_target_without_an_endpoint_left_counts_as_all_down(engine, way):
    pool = STEERING["pools"][0] | {"when_all_down": "nodata"}
    if way != "target":
        cnames = [{"pop": pop, "cname": f"cdn{pop}.example.org.", "weight": 1} for pop in (0, 1)]
        pool |= {"endpoints": cnames}
    server = engine({"example.com.": ZONE}, STEERING | {"pools": [pool]})
    for endpoint in range(2):
        server.set_verdict(endpoint, 1)
    assert rows(server.ask("steered.example.com.").answer) == []
    counters = server.dataplane.counters()
    assert (counters["steered"], counters["all_down"]) == (0, 1)


@pytest.mark.parametrize("name", ["loop", "gone"])
def test_a_target_that_leads_nowhere_is_nodata(server, name):
    answer = server.ask(f"{name}.example.com.")
    assert answer.rcode() == dns.rcode.NOERROR
    assert not answer.answer
    assert rows(answer.authority)


def test_an_unknown_target_is_servfail_never_a_wrong_nodata(server):
    assert server.ask("away.example.com.").rcode() == dns.rcode.SERVFAIL


def test_the_owners_own_records_are_its_last_resort(server):
    assert rows(server.ask("kept.example.com.").answer) == ["kept.example.com. 300 A 192.0.2.99"]


def test_what_the_control_plane_resolved_is_answered(server):
    """The TTL is the lower of the ALIAS's and that of the addresses, which all aliases of a target share."""
    server.dataplane.publish_flattened([("CDN.example.org.", A, 20, [b"\xcb\0\x71\1"], False)])
    answer = server.ask("away.example.com.")
    assert rows(answer.answer) == ["away.example.com. 20 A 203.0.113.1"]
    assert rows(server.ask("kept.example.com.").answer) == ["kept.example.com. 20 A 203.0.113.1"]
    server.dataplane.publish_flattened([("cdn.example.org.", A, 120, [b"\xcb\0\x71\1"], False)])
    assert rows(server.ask("away.example.com.").answer) == ["away.example.com. 30 A 203.0.113.1"]
    assert not [option for option in answer.options if option.otype == dns.edns.OptionType.EDE]


def test_stale_data_is_answered_and_says_so(server):
    """RFC 8767, RFC 8914 section 4.4."""
    server.dataplane.publish_flattened([("cdn.example.org.", A, 30, [b"\xcb\0\x71\1"], True)])
    answer = server.ask("away.example.com.")
    assert rows(answer.answer) == ["away.example.com. 30 A 203.0.113.1"]
    assert [int(option.code) for option in answer.options if option.otype == dns.edns.OptionType.EDE] == [3]


def test_a_target_without_such_addresses_is_nodata(server):
    server.dataplane.publish_flattened([("cdn.example.org.", AAAA, 120, [], False)])
    answer = server.ask("away.example.com.", "AAAA")
    assert answer.rcode() == dns.rcode.NOERROR
    assert rows(answer.authority)


def test_other_types_and_the_alias_itself_are_not_flattened(server):
    assert rows(server.ask("example.com.", "NS").answer) == ["example.com. 3600 NS ns1.example.com."]
    assert not server.ask("example.com.", "TYPE65401").answer


def test_the_control_plane_can_list_them(server):
    assert ("example.com.", "web.example.com.", 60) in server.zones[0].aliases()


def chain_of(engine, records, **pool):
    """A zone with these records whose name www is steered to an IPv4 address."""
    pools = [STEERING["pools"][0] | {"endpoints": STEERING["pools"][0]["endpoints"][:1], **pool}]
    steering = STEERING | {"pools": pools, "policies": [{**STEERING["policies"][0], "steps": []}]}
    return engine({"example.com.": APEX + records}, steering)


def test_an_alias_of_an_alias_is_answered_as_that_one_is(engine):
    """The own addresses of a name on the way answer only while nothing is known of its target."""
    server = chain_of(
        engine,
        "t A 192.0.2.7\nb ALIAS t\nb A 192.0.2.250\na ALIAS b\nc CNAME b\n"
        "b2 ALIAS cdn.example.org.\nb2 A 192.0.2.251\na2 ALIAS b2\na3 ALIAS a2\na3 A 192.0.2.252\n"
        "u ALIAS cdn.example.org.\na4 ALIAS u\na4 A 192.0.2.253\n",
    )

    def addresses(*names):
        answers = [server.ask(f"{name}.example.com.").answer for name in names]
        return [answer[-1][0].to_text() if answer else "none" for answer in answers]

    assert addresses("b", "a", "c") == ["192.0.2.7"] * 3
    assert addresses("b2", "a2", "a3") == ["192.0.2.251"] * 3
    assert addresses("u", "a4") == ["none", "192.0.2.253"]
    server.dataplane.publish_flattened([("cdn.example.org.", A, 60, [b"\x09\x09\x09\x09"], False)])
    assert addresses("b2", "a2", "a3", "u", "a4") == ["9.9.9.9"] * 5


def test_a_steered_target_has_its_own_alias_where_steering_does_not_answer(engine):
    records = "www ALIAS o\no A 192.0.2.5\no AAAA 2001:db8::5\na ALIAS www\n"
    server = chain_of(engine, records, when_all_down="fallback")

    def addresses(rtype):
        names = ("www", "a")
        answers = [server.ask(f"{name}.example.com.", rtype).answer for name in names]
        return [answer[0][0].to_text() if answer else "none" for answer in answers]

    assert addresses("AAAA") == ["2001:db8::5"] * 2
    assert addresses("A") == ["192.0.2.1"] * 2
    server.set_verdict(0, 1)
    assert addresses("A") == ["192.0.2.5"] * 2


def test_addresses_of_name_servers_that_an_alias_or_steering_has_are_not_told_beside(engine):
    """A resolver may answer from additional data, and would go round a drain."""
    records = "@ 300 NS www\n@ 300 NS ns2\nwww A 192.0.2.66\nns2 ALIAS t\nns2 A 192.0.2.67\nt A 192.0.2.7\n"
    records += "cut 300 NS www\ncut 300 NS ns.cut\nns.cut 300 A 192.0.2.8\n"
    server = chain_of(engine, records)
    assert rows(server.ask("example.com.", "NS").additional) == ["ns1.example.com. 300 A 192.0.2.53"]
    assert rows(server.ask("x.cut.example.com.").additional) == ["ns.cut.example.com. 300 A 192.0.2.8"]
