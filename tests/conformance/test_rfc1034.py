"""RFC 1034 section 4.3.2: the lookup algorithm."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rcode
import pytest

from tests.engine import APEX, rows

ZONE = (
    APEX
    + """
www 300 IN A 192.0.2.1
www 300 IN A 192.0.2.2
www 300 IN TXT "hello"
alias 60 IN CNAME www
far 60 IN CNAME www.example.net.
loop1 60 IN CNAME loop2
loop2 60 IN CNAME loop1
dead 60 IN CNAME nowhere
deep.empty.here 300 IN A 192.0.2.3
lab 300 IN NS ns1.lab
lab 300 IN NS ns.other.test.
ns1.lab 300 IN A 198.51.100.1
ns1.lab 300 IN AAAA 2001:db8::1
lab 300 IN DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000
"""
)
SOA = "example.com. 300 SOA ns1.example.com. hostmaster.example.com. 1 7200 1800 1209600 300"


@pytest.fixture
def server(engine):
    net = APEX + "www 300 IN A 203.0.113.1\n"
    return engine({"example.com.": ZONE, "example.net.": net})


def test_step_3a_exact_match(server):
    answer = server.ask("www.example.com.")
    assert answer.rcode() == dns.rcode.NOERROR
    assert answer.flags & dns.flags.AA
    assert rows(answer.answer) == ["www.example.com. 300 A 192.0.2.1", "www.example.com. 300 A 192.0.2.2"]
    assert not answer.authority
    assert server.dataplane.counters()["responses_noerror"] == 1


def test_step_3a_cname_is_followed(server):
    assert rows(server.ask("alias.example.com.").answer) == [
        "alias.example.com. 60 CNAME www.example.com.",
        "www.example.com. 300 A 192.0.2.1",
        "www.example.com. 300 A 192.0.2.2",
    ]


def test_step_3a_cname_is_followed_into_another_zone_served_here(server):
    assert rows(server.ask("far.example.com.").answer) == [
        "far.example.com. 60 CNAME www.example.net.",
        "www.example.net. 300 A 203.0.113.1",
    ]


def test_step_3a_cname_itself_can_be_asked_for(server):
    assert rows(server.ask("alias.example.com.", "CNAME").answer) == [
        "alias.example.com. 60 CNAME www.example.com."
    ]


def test_a_cname_loop_ends(server):
    answer = server.ask("loop1.example.com.")
    assert answer.rcode() == dns.rcode.NOERROR
    assert {row.split()[2] for row in rows(answer.answer)} == {"CNAME"}


def test_a_cname_to_nowhere_is_nxdomain(server):
    """RFC 2308 section 2.1: the rcode is that of the last name of the chain."""
    answer = server.ask("dead.example.com.")
    assert answer.rcode() == dns.rcode.NXDOMAIN
    assert rows(answer.answer) == ["dead.example.com. 60 CNAME nowhere.example.com."]
    assert rows(answer.authority) == [SOA]


@pytest.mark.parametrize("name", ["lab.example.com.", "x.lab.example.com.", "ns1.lab.example.com."])
def test_step_3b_referral_with_glue(server, name):
    answer = server.ask(name)
    assert answer.rcode() == dns.rcode.NOERROR
    assert not answer.flags & dns.flags.AA
    assert not answer.answer
    assert rows(answer.authority) == [
        "lab.example.com. 300 NS ns.other.test.",
        "lab.example.com. 300 NS ns1.lab.example.com.",
    ]
    assert rows(answer.additional) == [
        "ns1.lab.example.com. 300 A 198.51.100.1",
        "ns1.lab.example.com. 300 AAAA 2001:db8::1",
    ]


def test_ds_is_answered_at_the_parent_side(server):
    """RFC 4035 section 3.1.4.1."""
    answer = server.ask("lab.example.com.", "DS")
    assert answer.flags & dns.flags.AA
    assert [row.split()[2] for row in rows(answer.answer)] == ["DS"]


def test_nodata_has_the_soa(server):
    """RFC 2308 section 2.2; its TTL is the smaller of the SOA's TTL and MINIMUM (section 5)."""
    answer = server.ask("www.example.com.", "MX")
    assert answer.rcode() == dns.rcode.NOERROR
    assert not answer.answer
    assert rows(answer.authority) == [SOA]


@pytest.mark.parametrize("name", ["empty.here.example.com.", "here.example.com."])
def test_empty_non_terminals_exist(server, name):
    assert server.ask(name).rcode() == dns.rcode.NOERROR
    assert rows(server.ask(name).authority) == [SOA]


@pytest.mark.parametrize("name", ["x.example.com.", "x.www.example.com.", "x.deep.empty.here.example.com."])
def test_step_3c_name_error(server, name):
    answer = server.ask(name)
    assert answer.rcode() == dns.rcode.NXDOMAIN
    assert answer.flags & dns.flags.AA
    assert rows(answer.authority) == [SOA]
    assert server.dataplane.counters()["responses_nxdomain"] == 1


def test_records_that_differ_in_the_case_of_a_name_are_one(engine):
    """RFC 4034 section 6.2; compression would make them the same record twice."""
    server = engine({"example.com.": APEX + "www IN MX 10 mail\nwww IN MX 10 MAIL\n"})
    assert len(rows(server.ask("www.example.com.", "MX").answer)) == 1


def test_names_of_no_zone_are_refused(server):
    answer = server.ask("www.example.org.")
    assert answer.rcode() == dns.rcode.REFUSED
    assert not answer.flags & dns.flags.AA
    assert server.dataplane.counters()["responses_refused"] == 1


def test_the_case_of_the_question_is_kept(server):
    """RFC 4343 section 4.1, and what 0x20 resolvers check."""
    answer = server.ask("wWw.ExAmPlE.cOm.")
    assert answer.question[0].name.to_text() == "wWw.ExAmPlE.cOm."
    assert len(rows(answer.answer)) == 2


def class_any(server, name, rtype="A"):
    query = dns.message.make_query(name, rtype, "ANY")
    return dns.message.from_wire(server.raw(query.to_wire()))


def test_section_3_7_1_answers_of_class_any_are_not_authoritative(server):
    answer = class_any(server, "www.example.com.")
    assert len(rows(answer.answer)) == 2
    assert not answer.flags & dns.flags.AA


@pytest.mark.parametrize(
    ("name", "rtype", "rcode"),
    [
        ("none.example.com.", "A", dns.rcode.NXDOMAIN),
        ("none.example.com.", "ANY", dns.rcode.NXDOMAIN),
        ("here.example.com.", "ANY", dns.rcode.NOERROR),
        ("www.example.com.", "MX", dns.rcode.NOERROR),
    ],
)
def test_negative_answers_of_class_any_have_no_soa(server, name, rtype, rcode):
    """As NSD and BIND."""
    answer = class_any(server, name, rtype)
    assert answer.rcode() == rcode
    assert not any(answer.sections[1:])


CROWDED = APEX + "".join(
    f"sub 300 IN NS n{index:02}.sub\nn{index:02}.sub 300 IN A 192.0.2.1\n" for index in range(15)
)


@pytest.mark.parametrize(
    ("last", "name", "truncated"),
    [
        # 15 servers leave room for eight addresses of 512 octets.
        (1, "sub", False),
        (40, "sub", False),
        (40, "n14.sub", False),
        (1, "zz.sub", False),
        (40, "zz.sub", True),
    ],
)
def test_a_crowded_referral_is_truncated_when_what_was_asked_for_does_not_fit(engine, last, name, truncated):
    """RFC 9471 section 3.1 and what the peers make of it: the addresses asked for, or all."""
    more = "".join(f"zz.sub 300 IN A 192.0.2.{index}\n" for index in range(last))
    server = engine({"example.com.": CROWDED + "sub 300 IN NS zz.sub\n" + more})
    answer = server.ask(f"{name}.example.com.", edns=False)
    assert bool(answer.flags & dns.flags.TC) == truncated
    assert len(rows(answer.authority)) == 16
    assert 0 < len(rows(answer.additional)) < 15
    assert server.dataplane.counters()["truncated"] == truncated


def test_a_referral_without_room_for_any_address_is_truncated(engine):
    many = "".join(f"n.sub 300 IN A 192.0.2.{index}\n" for index in range(40))
    server = engine({"example.com.": APEX + "sub 300 IN NS n.sub\nsub 300 IN NS ns1\n" + many})
    answer = server.ask("sub.example.com.", edns=False)
    assert answer.flags & dns.flags.TC
    assert rows(answer.additional) == ["ns1.example.com. 300 A 192.0.2.53"]
    assert not server.ask("sub.example.com.").flags & dns.flags.TC


def test_a_wildcard_gives_name_servers_their_addresses(engine):
    """As NSD and Knot, also below a cut; not where the name exists."""
    server = engine(
        {
            "example.com.": APEX
            + "sub 60 IN NS a.sub\nsub 60 IN NS b.c.sub\nsub 60 IN NS d.sub\n"
            + "sub 60 IN NS ns.example.net.\nsub 60 IN NS up\n"
            + "*.sub 60 IN A 192.0.2.1\nx.c.sub 60 IN TXT x\nd.sub 60 IN TXT x\n"
            + "*.example.com. 60 IN A 192.0.2.2\n"
        }
    )
    assert rows(server.ask("sub.example.com.").additional) == [
        "a.sub.example.com. 60 A 192.0.2.1",
        "up.example.com. 60 A 192.0.2.2",
    ]


def test_ds_at_the_end_of_a_chain_is_the_parents(engine):
    """RFC 4035 section 3.1.4.1, as NSD: the zone of the chain's start is neither parent nor child."""
    digest = "1 13 2 " + "0" * 64
    server = engine(
        {
            "example.net.": APEX + "alias 60 IN CNAME sub.example.com.\n",
            "example.com.": APEX + f"sub 60 IN NS ns1.sub\nsub 60 IN DS {digest}\n",
            "sub.example.com.": APEX,
        }
    )
    answer = server.ask("alias.example.net.", "DS")
    assert rows(answer.answer)[1].startswith("sub.example.com. 60 DS 1 13 2")
    assert not answer.authority


def test_ds_at_the_end_of_a_chain_from_above_the_parent_is_the_parents(engine):
    digest = "1 13 2 " + "0" * 64
    server = engine(
        {
            "com.": APEX + "alias 60 IN CNAME sub.example.com.\nexample 60 IN NS ns.example\n",
            "example.com.": APEX + f"sub 60 IN NS ns1.sub\nsub 60 IN DS {digest}\n",
            "sub.example.com.": APEX,
        }
    )
    answer = server.ask("alias.com.", "DS")
    assert rows(answer.answer)[1].startswith("sub.example.com. 60 DS 1 13 2")


def test_a_chain_to_the_apex_of_its_own_zone_stays_there_for_ds(engine):
    """As Knot and BIND; NSD goes up to the parent."""
    parent = APEX + "example 60 IN NS ns.example\nexample 60 IN DS 1 13 2 " + "0" * 64 + "\n"
    server = engine({"com.": parent, "example.com.": APEX + "alias 60 IN CNAME @\n"})
    answer = server.ask("alias.example.com.", "DS")
    assert rows(answer.answer) == ["alias.example.com. 60 CNAME example.com."]
    assert [row.split()[0] for row in rows(answer.authority)] == ["example.com."]
