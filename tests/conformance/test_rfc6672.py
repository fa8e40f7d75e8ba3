"""RFC 6672: DNAME redirection."""

from __future__ import annotations

import dns.rcode
import pytest

from tests.engine import APEX, rows

LONG = ".".join(["a" * 60] * 4)
ZONE = (
    APEX
    + f"""
old 300 IN DNAME new
old 300 IN TXT "the owner keeps its other data"
www.new 60 IN A 192.0.2.1
out 300 IN DNAME example.net.
long 300 IN DNAME {LONG[:180]}.
twice 300 IN DNAME old
loop 300 IN DNAME loop.loop
below.old 300 IN A 192.0.2.9
"""
)


@pytest.fixture
def server(engine):
    return engine({"example.com.": ZONE, "example.net.": APEX + "www 60 IN A 203.0.113.1\n"})


def test_section_3_2_a_cname_is_made_and_followed(server):
    assert rows(server.ask("www.old.example.com.").answer) == [
        "old.example.com. 300 DNAME new.example.com.",
        "www.new.example.com. 60 A 192.0.2.1",
        "www.old.example.com. 300 CNAME www.new.example.com.",
    ]


def test_section_2_3_the_owner_itself_is_not_redirected(server):
    assert rows(server.ask("old.example.com.", "TXT").answer) == [
        'old.example.com. 300 TXT "the owner keeps its other data"'
    ]
    assert rows(server.ask("old.example.com.", "DNAME").answer) == [
        "old.example.com. 300 DNAME new.example.com."
    ]


def test_section_2_4_data_below_a_dname_is_not_answered(server):
    answer = server.ask("below.old.example.com.")
    assert answer.rcode() == dns.rcode.NXDOMAIN
    assert "below.old.example.com. 300 CNAME below.new.example.com." in rows(answer.answer)


def test_into_another_zone_served_here(server):
    assert "www.example.net. 60 A 203.0.113.1" in rows(server.ask("www.out.example.com.").answer)


def test_one_after_another(server):
    assert "www.new.example.com. 60 A 192.0.2.1" in rows(server.ask("www.twice.example.com.").answer)


def test_section_2_2_a_name_too_long_is_yxdomain(server):
    answer = server.ask(f"{'b' * 63}.{'c' * 50}.long.example.com.")
    assert answer.rcode() == dns.rcode.YXDOMAIN
    assert [row.split()[2] for row in rows(answer.answer)] == ["DNAME"]
    assert server.dataplane.counters()["responses_yxdomain"] == 1


def test_a_dname_that_grows_for_ever_ends(server):
    answer = server.ask("x.loop.example.com.", transport="tcp")
    assert answer.rcode() in (dns.rcode.NOERROR, dns.rcode.YXDOMAIN)
