"""RFC 2308: negative answers."""

from __future__ import annotations

import dns.flags
import dns.rcode
import pytest

from tests.engine import rows

NS = "@ 3600 IN NS ns1\nns1 300 IN A 192.0.2.53\n"
RECORDS = "www 300 IN A 192.0.2.1\nchain 300 IN CNAME gone\nshort 300 IN CNAME www\n"


def soa(ttl: int, minimum: int) -> str:
    return f"@ {ttl} IN SOA ns1 hostmaster 7 7200 1800 1209600 {minimum}\n"


def negative(ttl: int, minimum: int = 300) -> str:
    return f"example.com. {ttl} SOA ns1.example.com. hostmaster.example.com. 7 7200 1800 1209600 {minimum}"


@pytest.fixture
def server(engine):
    return engine({"example.com.": soa(3600, 300) + NS + RECORDS})


def test_section_2_1_a_name_error_has_the_soa_and_nothing_else(server):
    answer = server.ask("nowhere.example.com.")
    assert (answer.rcode(), answer.answer, answer.additional) == (dns.rcode.NXDOMAIN, [], [])
    assert answer.flags & dns.flags.AA
    assert rows(answer.authority) == [negative(300)]


def test_section_2_1_the_name_error_is_that_of_the_end_of_the_chain(server):
    answer = server.ask("chain.example.com.")
    assert answer.rcode() == dns.rcode.NXDOMAIN
    assert rows(answer.answer) == ["chain.example.com. 300 CNAME gone.example.com."]
    assert rows(answer.authority) == [negative(300)]


def test_section_2_2_no_data_has_the_soa(server):
    answer = server.ask("www.example.com.", "AAAA")
    assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])
    assert rows(answer.authority) == [negative(300)]


def test_section_2_2_no_data_at_the_end_of_a_chain(server):
    answer = server.ask("short.example.com.", "AAAA")
    assert answer.rcode() == dns.rcode.NOERROR
    assert rows(answer.answer) == ["short.example.com. 300 CNAME www.example.com."]
    assert rows(answer.authority) == [negative(300)]


@pytest.mark.parametrize(
    ("ttl", "minimum", "expected"), [(3600, 300, 300), (60, 300, 60), (60, 0, 0), (0, 60, 0)]
)
def test_section_3_its_ttl_is_the_lesser_of_the_soas_own_and_minimum(engine, ttl, minimum, expected):
    server = engine({"example.com.": soa(ttl, minimum) + NS})
    assert rows(server.ask("nowhere.example.com.").authority) == [negative(expected, minimum)]


def test_section_3_the_soa_as_an_answer_keeps_its_own_ttl(server):
    assert server.ask("example.com.", "SOA").answer[0].ttl == 3600


def test_rfc9077_a_zone_of_several_has_its_own_soa(engine):
    """The SOA of the zone in which the chain ends, not of that in which it begins."""
    org = "@ 50 IN SOA ns1 hostmaster 9 7200 1800 1209600 50\n" + NS
    server = engine(
        {"example.com.": soa(3600, 300) + NS + "far CNAME gone.example.org.\n", "example.org.": org}
    )
    (row,) = rows(server.ask("far.example.com.").authority)
    assert row.startswith("example.org. 50 SOA")
