"""RFC 6891: EDNS(0), and RFC 8906: what must not be answered with silence."""

from __future__ import annotations

import struct

import dns.flags
import dns.message
import dns.rcode
import pytest

from tests.engine import APEX, rows

QUESTION = b"\3www\7example\3com\0\0\1\0\1"


@pytest.fixture
def server(engine):
    many = "".join(f"many 60 IN A 10.0.{i}.1\n" for i in range(100))
    return engine({"example.com.": APEX + "www 60 IN A 192.0.2.1\n" + many})


def header(flags=0, counts=(1, 0, 0, 0)):
    return struct.pack("!HHHHHH", 0x1234, flags, *counts)


def test_without_opt_there_is_none_in_the_answer(server):
    assert server.ask("www.example.com.", edns=False).edns == -1


def test_opt_is_answered_with_our_payload_size_and_the_do_bit(server):
    answer = server.ask("www.example.com.", do=True)
    assert (answer.edns, answer.payload) == (0, 1232)
    assert answer.ednsflags & dns.flags.DO


@pytest.mark.parametrize(
    ("edns", "payload", "limit"), [(False, 0, 512), (True, 512, 512), (True, 100, 512), (True, 65535, 1232)]
)
def test_section_6_2_3_answers_that_do_not_fit_are_truncated(server, edns, payload, limit):
    answer = server.ask("many.example.com.", edns=edns, payload=payload)
    assert answer.flags & dns.flags.TC
    assert len(answer.to_wire()) <= limit
    assert server.dataplane.counters()["truncated"] == 1


def test_over_tcp_they_fit(server):
    answer = server.ask("many.example.com.", transport="tcp", edns=False)
    assert not answer.flags & dns.flags.TC
    assert len(rows(answer.answer)) == 100


def test_section_6_1_3_other_versions_are_badvers(server):
    opt = struct.pack("!BHHIH", 0, 41, 1232, 1 << 16, 0)
    answer = dns.message.from_wire(server.raw(header(counts=(1, 0, 0, 1)) + QUESTION + opt))
    assert answer.rcode() == dns.rcode.BADVERS
    assert answer.edns == 0
    assert not answer.answer


def test_section_6_1_1_two_opts_are_formerr(server):
    opt = struct.pack("!BHHIH", 0, 41, 1232, 0, 0)
    answer = dns.message.from_wire(server.raw(header(counts=(1, 0, 0, 2)) + QUESTION + opt + opt))
    assert answer.rcode() == dns.rcode.FORMERR


def test_unknown_options_are_ignored(server):
    opt = struct.pack("!BHHIHHH", 0, 41, 1232, 0, 4, 65001, 0)
    answer = dns.message.from_wire(server.raw(header(counts=(1, 0, 0, 1)) + QUESTION + opt))
    assert answer.rcode() == dns.rcode.NOERROR
    assert answer.answer


@pytest.mark.parametrize("opcode", [1, 2, 3, 6, 15])
def test_rfc8906_other_opcodes_are_notimp(server, opcode):
    answer = server.raw(header(flags=opcode << 11) + QUESTION)
    assert answer[:2] == b"\x12\x34"
    assert answer[3] & 15 == dns.rcode.NOTIMP
    assert answer[2] & 0x80


@pytest.mark.parametrize(
    "wire",
    [
        header(),  # no question where one is promised
        header(counts=(0, 0, 0, 0)),
        header(counts=(2, 0, 0, 0)) + QUESTION + QUESTION,
        header() + QUESTION[:-1],
        header() + b"\xc0\x0c\0\1\0\1",
        header(counts=(1, 0, 0, 1)) + QUESTION + b"\0\0\x29",
    ],
)
def test_malformed_queries_are_formerr(server, wire):
    answer = server.raw(wire)
    assert answer[3] & 15 == dns.rcode.FORMERR
    assert server.dataplane.counters()["responses_formerr"] == 1


@pytest.mark.parametrize("wire", [b"", b"\0" * 11, header(flags=0x8000) + QUESTION, header(flags=0x8400)])
def test_what_is_no_query_gets_silence(server, wire):
    assert server.raw(wire) is None


def test_any_gets_one_rrset(server):
    """RFC 8482 section 4.1."""
    assert len(server.ask("example.com.", "ANY", transport="tcp").answer) == 1


def test_without_a_question_the_opt_is_answered(server):
    opt = struct.pack("!BHHIH", 0, 41, 1232, 0, 0)
    answer = dns.message.from_wire(server.raw(header(counts=(0, 0, 0, 1)) + opt))
    assert (answer.rcode(), answer.edns) == (dns.rcode.FORMERR, 0)


@pytest.mark.parametrize("cd", [0, dns.flags.CD])
def test_badvers_repeats_cd(server, cd):
    """As NSD and BIND do; no other answer has it."""
    opt = struct.pack("!BHHIH", 0, 41, 1232, 1 << 16, 0)
    answer = dns.message.from_wire(server.raw(header(cd, (1, 0, 0, 1)) + QUESTION + opt))
    assert answer.flags & dns.flags.CD == cd
    answer = dns.message.from_wire(server.raw(header(cd) + QUESTION))
    assert not answer.flags & dns.flags.CD


@pytest.mark.parametrize("counts", [(1, 2, 0, 0), (1, 0, 2, 0), (1, 1, 1, 0), (1, 0, 0, 2), (1, 1, 0, 2)])
def test_records_beside_the_question_are_read_over(server, counts):
    """RFC 8906 section 3: as Knot and BIND; the owner may be compressed (RFC 1035 section 4.1.4)."""
    record = struct.pack("!HHIH", 1, 1, 60, 4) + bytes(4)
    opt = struct.pack("!BHHIH", 0, 41, 1232, 0, 0) * (sum(counts) == 4)
    answer = dns.message.from_wire(
        server.raw(header(counts=counts) + QUESTION + b"\0" + record + b"\xc0\x0c" + record + opt)
    )
    assert answer.rcode() == dns.rcode.NOERROR
    assert rows(answer.answer) == ["www.example.com. 60 A 192.0.2.1"]
    assert answer.edns == (0 if opt else -1)


@pytest.mark.parametrize("tail", [b"", b"\0" + struct.pack("!HHIH", 1, 1, 60, 4), b"\xc0\x30" + bytes(14)])
def test_records_that_are_not_there_are_formerr(server, tail):
    answer = server.raw(header(counts=(1, 1, 0, 0)) + QUESTION + tail)
    assert answer[3] & 15 == dns.rcode.FORMERR
