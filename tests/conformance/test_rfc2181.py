"""RFC 2181: clarifications to the DNS specification."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rcode
import pytest

from tests.engine import APEX, rows

ZONE = (
    APEX
    + """
zero 0 IN A 192.0.2.1
forever 2147483647 IN A 192.0.2.2
twice 300 IN A 192.0.2.3
twice 300 IN A 192.0.2.3
under_score 300 IN A 192.0.2.4
sub 300 IN NS ns.sub
ns.sub 300 IN A 192.0.2.5
"""
)


@pytest.fixture
def server(engine):
    return engine({"example.com.": ZONE})


@pytest.mark.parametrize(("name", "ttl"), [("zero", 0), ("forever", 2**31 - 1)])
def test_section_8_a_ttl_is_31_bits_and_may_be_zero(server, name, ttl):
    assert server.ask(f"{name}.example.com.").answer[0].ttl == ttl


def test_section_5_equal_records_are_one(server):
    assert rows(server.ask("twice.example.com.").answer) == ["twice.example.com. 300 A 192.0.2.3"]


def test_section_5_a_wildcard_that_leads_to_the_name_asked_is_answered_once(engine):
    server = engine({"example.com.": APEX + "* 300 IN CNAME here\n"})
    wire = server.raw(dns.message.make_query("here.example.com.", "AAAA").to_wire())
    assert int.from_bytes(wire[6:8]) == 1


@pytest.mark.parametrize("rtype", ["DNAME", "ANY"])
def test_section_5_a_dname_that_leads_to_its_own_owner_is_answered_once(engine, rtype):
    server = engine({"example.com.": APEX + "b.a 300 IN DNAME a\n"})
    wire = server.raw(dns.message.make_query("b.b.a.example.com.", rtype).to_wire())
    assert int.from_bytes(wire[6:8]) == 2


def test_section_5_2_the_records_of_a_set_have_one_ttl(engine):
    """The reader takes the least, as the section tells clients to."""
    mixed = "mixed 300 IN A 192.0.2.1\nmixed 100 IN A 192.0.2.2\n"
    server = engine({"example.com.": APEX + mixed})
    assert {rrset.ttl for rrset in server.ask("mixed.example.com.").answer} == {100}


def test_section_6_1_the_parent_is_not_authoritative_below_a_cut(server):
    answer = server.ask("www.sub.example.com.")
    assert not answer.flags & dns.flags.AA
    assert rows(answer.authority) == ["sub.example.com. 300 NS ns.sub.example.com."]


def test_section_9_tc_says_that_a_needed_set_did_not_fit(engine):
    many = "".join(f"many 60 IN A 10.0.{i}.1\n" for i in range(100))
    server = engine({"example.com.": APEX + many})
    assert server.ask("many.example.com.").flags & dns.flags.TC
    assert not server.ask("many.example.com.", transport="tcp").flags & dns.flags.TC


def test_section_9_additional_data_that_does_not_fit_is_left_out_without_tc(engine):
    servers = "".join(f"@ 3600 IN NS ns{i}\nns{i} 60 IN A 10.0.{i}.1\n" for i in range(2, 18))
    server = engine({"example.com.": APEX + servers})
    answer = server.ask("example.com.", "NS", edns=False)
    assert len(rows(answer.answer)) == 17
    assert 0 < len(answer.additional) < 17
    assert not answer.flags & dns.flags.TC
    assert len(server.ask("example.com.", "NS").additional) == 17


def test_section_10_1_a_cname_has_no_other_data(engine):
    with pytest.raises(ValueError, match="CNAME"):
        engine({"example.com.": APEX + "both 60 IN CNAME ns1\nboth 60 IN A 192.0.2.1\n"})


def test_section_10_1_the_end_of_a_chain_may_be_any_type(engine):
    server = engine({"example.com.": APEX + "www 60 IN CNAME ns1\n"})
    assert rows(server.ask("www.example.com.", "CNAME").answer) == [
        "www.example.com. 60 CNAME ns1.example.com."
    ]
    assert server.ask("www.example.com.", "AAAA").rcode() == dns.rcode.NOERROR


def test_section_11_names_are_not_only_host_names(server):
    assert len(server.ask("under_score.example.com.").answer) == 1
