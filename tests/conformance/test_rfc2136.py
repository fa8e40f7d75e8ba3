"""RFC 2136: dynamic updates, which are refused."""

from __future__ import annotations

import struct

import dns.rcode
import pytest

from tests.engine import APEX

APEX_NAME = b"\7example\3com\0"
BELOW = b"\3www\7example\3com\0"
OUTSIDE = b"\3com\0"
SOA, A, IN, CH = 6, 1, 1, 3
RECORD = b"\xc0\x0c" + struct.pack("!HHIH", A, IN, 60, 4) + bytes(4)
OPT = struct.pack("!BHHIH", 0, 41, 1232, 0, 0)
OPT_VERSION_1 = struct.pack("!BHHIH", 0, 41, 1232, 1 << 16, 0)


@pytest.fixture
def server(engine):
    return engine({"example.com.": APEX})


def update(name, rtype=SOA, rclass=IN, counts=(1, 0, 0, 0), rest=b""):
    return struct.pack("!6H", 7, 5 << 11, *counts) + name + struct.pack("!HH", rtype, rclass) + rest


@pytest.mark.parametrize(
    ("wire", "rcode"),
    [
        # Section 3.1.1: the zone section.
        (update(OUTSIDE), dns.rcode.NOTAUTH),
        (update(BELOW), dns.rcode.NOTAUTH),
        (update(APEX_NAME, rtype=A), dns.rcode.FORMERR),
        (update(APEX_NAME, rclass=CH), dns.rcode.NOTIMP),
        # Section 3.3: permissions.
        (update(APEX_NAME), dns.rcode.REFUSED),
        (update(APEX_NAME, counts=(1, 1, 2, 0), rest=RECORD * 3), dns.rcode.REFUSED),
        (update(APEX_NAME, counts=(1, 0, 1, 0)), dns.rcode.FORMERR),
        (update(OUTSIDE, counts=(1, 0, 0, 1), rest=OPT_VERSION_1), dns.rcode.BADVERS),
    ],
)
def test_section_3_the_zone_comes_back_with_the_reason(server, wire, rcode):
    answer = server.raw(wire)
    has_opt = wire[11] == 1
    extended = answer[-6] << 4 if has_opt else 0
    assert answer[3] | extended == rcode
    assert answer[:3] == b"\0\7" + bytes([0x80 | 5 << 3])
    assert struct.unpack("!4H", answer[4:12]) == (1, 0, 0, has_opt)
    zone = wire[12 : wire.index(b"\0", 12) + 5]
    assert answer[12 : 12 + len(zone)] == zone
    assert len(answer) == 12 + len(zone) + has_opt * 11
    assert server.dataplane.counters()[f"responses_{dns.rcode.to_text(rcode).lower()}"] == 1


def test_an_opt_record_is_answered(server):
    answer = server.raw(update(APEX_NAME, counts=(1, 0, 1, 1), rest=RECORD + OPT))
    assert answer[3] == dns.rcode.REFUSED
    assert answer.endswith(OPT)
