"""RFC 8914: extended errors, where they say something."""

from __future__ import annotations

import dns.edns
import dns.message
import dns.rcode
import pytest

from gslb._dataplane import DataPlane
from tests.engine import APEX

NOT_READY, PROHIBITED, NOT_AUTHORITATIVE = 14, 18, 20


@pytest.fixture
def server(engine):
    return engine({"example.com.": APEX})


def errors(answer):
    return [int(option.code) for option in answer.options if isinstance(option, dns.edns.EDEOption)]


def test_section_4_21_not_authoritative(server):
    answer = server.ask("www.example.org.")
    assert answer.rcode() == dns.rcode.REFUSED
    assert errors(answer) == [NOT_AUTHORITATIVE]


def test_section_4_15_not_ready_before_anything_is_published():
    query = dns.message.make_query("www.example.com.", "A", use_edns=0)
    answer = dns.message.from_wire(DataPlane(seed=1).answer(query.to_wire(), "127.0.0.1"))
    assert answer.rcode() == dns.rcode.SERVFAIL
    assert errors(answer) == [NOT_READY]


def test_section_4_19_transfers_are_prohibited(server):
    answer = server.ask("example.com.", "AXFR", transport="tcp")
    assert errors(answer) == [PROHIBITED]


def test_without_edns_there_is_none(server):
    answer = server.ask("www.example.org.", edns=False)
    assert (answer.rcode(), answer.edns) == (dns.rcode.REFUSED, -1)


def test_an_answer_without_error_has_none(server):
    assert errors(server.ask("example.com.", "SOA")) == []
