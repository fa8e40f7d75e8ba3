"""RFC 5936 (AXFR), RFC 1995 (IXFR) and RFC 1996 (NOTIFY), as far as a server without transfers goes."""

from __future__ import annotations

import struct

import dns.message
import dns.opcode
import dns.rcode
import pytest

from tests.engine import APEX

AXFR, IXFR = 252, 251


def ask(server, name, rtype, transport):
    wire = struct.pack("!HHHHHH", 1, 0, 1, 0, 0, 0) + name + struct.pack("!HH", rtype, 1)
    answer = server.raw(wire, transport)
    return dns.rcode.Rcode(answer[3] & 15)


@pytest.mark.parametrize(
    ("name", "rtype", "transport", "rcode"),
    [
        (b"\7example\3com\0", AXFR, "tcp", dns.rcode.REFUSED),
        (b"\7example\3com\0", IXFR, "tcp", dns.rcode.REFUSED),
        (b"\7example\3com\0", AXFR, "udp", dns.rcode.NOTIMP),  # section 4.2
        (b"\3www\7example\3com\0", AXFR, "tcp", dns.rcode.NOTAUTH),  # section 2.2.1: not an apex
        (b"\7example\3org\0", IXFR, "udp", dns.rcode.NOTAUTH),
    ],
)
def test_transfers_are_not_given(engine, name, rtype, transport, rcode):
    server = engine({"example.com.": APEX})
    assert ask(server, name, rtype, transport) == rcode


def test_rfc1996_a_notify_is_not_for_us(engine):
    server = engine({"example.com.": APEX})
    query = dns.message.make_query("example.com.", "SOA")
    query.set_opcode(dns.opcode.NOTIFY)
    answer = dns.message.from_wire(server.raw(query.to_wire()))
    assert answer.rcode() == dns.rcode.NOTAUTH
    assert answer.opcode() == dns.opcode.NOTIFY
    assert answer.question == query.question
    assert server.dataplane.counters()["responses_notauth"] == 1
