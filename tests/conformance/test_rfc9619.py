"""RFC 9619: one question."""

from __future__ import annotations

import struct

import dns.rcode
import pytest

from tests.engine import APEX

QUESTION = b"\7example\3com\0\0\6\0\1"


@pytest.mark.parametrize("count", [2, 3, 65535])
def test_section_4_more_questions_than_one_are_malformed(engine, count):
    server = engine({"example.com.": APEX})
    wire = struct.pack("!HHHHHH", 1, 0, count, 0, 0, 0) + QUESTION * min(count, 3)
    answer = server.raw(wire)
    assert answer[3] & 15 == dns.rcode.FORMERR
    assert server.dataplane.counters()["responses_formerr"] == 1
