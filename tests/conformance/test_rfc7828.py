"""RFC 7828: edns-tcp-keepalive."""

from __future__ import annotations

import dns.edns
import dns.message
import pytest

from tests.engine import APEX


@pytest.mark.parametrize(("transport", "expected"), [("tcp", [b"\x00\x64"]), ("udp", [])])
def test_section_3_2_1_the_timeout_is_told_over_tcp_only(engine, transport, expected):
    server = engine({"example.com.": APEX})
    query = dns.message.make_query("example.com.", "SOA", options=[dns.edns.GenericOption(11, b"")])
    answer = dns.message.from_wire(server.raw(query.to_wire(), transport))
    assert [option.to_wire() for option in answer.options if option.otype == 11] == expected
