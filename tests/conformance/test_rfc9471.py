"""RFC 9471: glue is required in referrals; RFC 9499 section 7: which glue there is."""

from __future__ import annotations

import pytest

from tests.engine import APEX, rows

ZONE = (
    APEX
    + """
inside 300 IN NS ns.inside
ns.inside 300 IN A 192.0.2.1
ns.inside 300 IN AAAA 2001:db8::1
sibling 300 IN NS ns.inside
outside 300 IN NS ns.example.net.
host 300 IN NS www
www 300 IN A 192.0.2.2
"""
)


@pytest.fixture
def server(engine):
    return engine({"example.com.": ZONE})


def test_section_2_1_in_domain_glue(server):
    assert rows(server.ask("x.inside.example.com.").additional) == [
        "ns.inside.example.com. 300 A 192.0.2.1",
        "ns.inside.example.com. 300 AAAA 2001:db8::1",
    ]


def test_section_2_2_sibling_glue(server):
    assert rows(server.ask("x.sibling.example.com.").additional) == [
        "ns.inside.example.com. 300 A 192.0.2.1",
        "ns.inside.example.com. 300 AAAA 2001:db8::1",
    ]


def test_addresses_in_the_zone_itself_are_given(server):
    assert rows(server.ask("x.host.example.com.").additional) == ["www.example.com. 300 A 192.0.2.2"]


def test_there_is_none_for_servers_elsewhere(server):
    assert server.ask("x.outside.example.com.").additional == []
