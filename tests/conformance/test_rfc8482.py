"""RFC 8482: minimal answers to QTYPE=ANY."""

from __future__ import annotations

import pytest

from tests.conformance.test_rfc7871 import STEERING
from tests.engine import APEX, rows

ZONE = APEX + "www 300 IN A 192.0.2.99\nwww 300 IN TXT last\n"


@pytest.fixture
def server(engine):
    return engine({"example.com.": ZONE}, STEERING)


def test_section_4_1_one_rrset_is_enough(server):
    assert len(server.ask("example.com.", "ANY").answer) == 1


def test_a_steered_name_never_shows_its_unsteered_addresses(server):
    """A resolver may answer A from what it learned by ANY: that would get round steering and drains."""
    assert rows(server.ask("www.example.com.", "ANY").answer) == ['www.example.com. 300 TXT "last"']


def test_section_4_2_without_anything_else_there_is_a_hinfo(engine):
    server = engine({"example.com.": APEX + "www 300 IN A 192.0.2.99\n"}, STEERING)
    assert rows(server.ask("www.example.com.", "ANY").answer) == ['www.example.com. 3600 HINFO "RFC8482" ""']


def test_an_alias_is_not_shown_either(engine):
    server = engine({"example.com.": APEX + "a 300 IN ALIAS ns1\na 300 IN A 192.0.2.99\n"})
    assert rows(server.ask("a.example.com.", "ANY").answer) == ['a.example.com. 3600 HINFO "RFC8482" ""']
