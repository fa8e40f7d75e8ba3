"""RFC 1035: the message (section 4), names (sections 2.3.4 and 3.1), master files (section 5)."""

from __future__ import annotations

import struct

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

from tests.engine import APEX, rows

LABEL = "a" * 63
LONGEST = f"{LABEL}.{LABEL}.{LABEL}.{'a' * 49}.example.com."
"""255 octets in wire format: 3 x 64 + 50 + 8 + 4 + 1."""

ZONE = (
    APEX
    + rf"""
www 300 IN A 192.0.2.1
mail 300 IN MX 10 www
mail 300 IN MX 20 www.example.net.
strings 300 IN TXT "one" "two words" "\"quoted\"" "tab\009"
dot\.in\.label 300 IN A 192.0.2.2
\000\255\032 300 IN A 192.0.2.3
{LONGEST} 300 IN A 192.0.2.4
two 300 IN A (
    192.0.2.5 ; an address in parentheses
    )
    300 IN AAAA 2001:db8::5
$TTL 77
default IN A 192.0.2.6
$ORIGIN sub.example.com.
host A 192.0.2.7
@ A 192.0.2.8
"""
)


@pytest.fixture
def server(engine):
    return engine({"example.com.": ZONE})


def query(flags: int = 0, question: bytes = b"\3www\7example\3com\0\0\1\0\1") -> bytes:
    return struct.pack("!HHHHHH", 0xBEEF, flags, 1, 0, 0, 0) + question


def test_section_2_3_4_a_name_may_have_255_octets(server):
    assert len(dns.name.from_text(LONGEST).to_wire()) == 255
    assert rows(server.ask(LONGEST).answer) == [f"{LONGEST} 300 A 192.0.2.4"]


def test_section_2_3_4_a_longer_name_is_malformed(server):
    question = b"".join([b"\x3f" + b"a" * 63] * 4) + b"\0\0\1\0\1"
    assert server.raw(query(question=question))[3] & 15 == dns.rcode.FORMERR


@pytest.mark.parametrize("length", [0x40, 0x80, 0xBF])
def test_section_4_1_4_the_label_types_01_and_10_are_malformed(server, length):
    question = bytes([length]) + b"a" * 63 + b"\0\0\1\0\1"
    assert server.raw(query(question=question))[3] & 15 == dns.rcode.FORMERR


def test_section_3_1_labels_may_have_any_octet(server):
    assert len(server.ask(r"dot\.in\.label.example.com.").answer) == 1
    assert len(server.ask(r"\000\255\032.example.com.").answer) == 1
    assert server.ask("dot.in.label.example.com.").rcode() == dns.rcode.NXDOMAIN


def test_section_4_1_1_the_id_opcode_and_rd_come_back(server):
    answer = dns.message.from_wire(server.raw(query(flags=dns.flags.RD)))
    assert answer.id == 0xBEEF
    assert answer.flags == dns.flags.QR | dns.flags.AA | dns.flags.RD


def test_section_4_1_1_recursion_is_not_available(server):
    assert not server.ask("www.example.com.").flags & dns.flags.RA


def test_section_4_1_1_the_reserved_bit_is_zero(server):
    assert server.raw(query(flags=0x40))[3] & 0x40 == 0


def test_section_4_1_1_tc_and_aa_of_the_query_are_not_copied(server):
    answer = server.raw(query(flags=dns.flags.TC | dns.flags.AA, question=b"\3org\0\0\1\0\1"))
    assert struct.unpack("!H", answer[2:4])[0] == dns.flags.QR | dns.rcode.REFUSED


def test_section_4_1_4_owner_names_are_compressed(server):
    wire = server.raw(query())
    # The question is 33 octets; an A record whose owner is a pointer to it has 16.
    assert len(wire) == 33 + 16
    assert wire[33:35] == b"\xc0\x0c"


def test_section_4_1_4_names_in_mx_are_compressed(server):
    wire = server.raw(query(question=b"\4mail\7example\3com\0\0\x0f\0\1"))
    answer = dns.message.from_wire(wire)
    assert rows(answer.answer) == [
        "mail.example.com. 300 MX 10 www.example.com.",
        "mail.example.com. 300 MX 20 www.example.net.",
    ]
    assert wire.count(b"\7example\3com") == 1


def test_section_4_2_1_without_edns_512_octets_are_the_limit(engine):
    many = "".join(f"many 60 IN A 10.0.0.{i}\n" for i in range(60))
    server = engine({"example.com.": APEX + many})
    wire = server.raw(query(question=b"\4many\7example\3com\0\0\1\0\1"))
    assert len(wire) <= 512
    assert wire[2] & 2, "TC"
    over_tcp = dns.message.from_wire(
        server.raw(query(question=b"\4many\7example\3com\0\0\1\0\1"), transport="tcp")
    )
    assert len(rows(over_tcp.answer)) == 60


def test_section_3_3_14_character_strings_stay_apart(server):
    (text,) = server.ask("strings.example.com.", "TXT").answer[0]
    assert text.strings == (b"one", b"two words", b'"quoted"', b"tab\t")


def test_section_5_1_parentheses_and_omitted_owners(server):
    assert rows(server.ask("two.example.com.").answer) == ["two.example.com. 300 A 192.0.2.5"]
    assert rows(server.ask("two.example.com.", "AAAA").answer) == ["two.example.com. 300 AAAA 2001:db8::5"]


def test_section_5_1_origin_and_rfc_2308_section_4_ttl(server):
    assert rows(server.ask("default.example.com.").answer) == ["default.example.com. 77 A 192.0.2.6"]
    assert rows(server.ask("host.sub.example.com.").answer) == ["host.sub.example.com. 77 A 192.0.2.7"]
    assert rows(server.ask("sub.example.com.").answer) == ["sub.example.com. 77 A 192.0.2.8"]


def test_section_3_2_3_all_records_of_a_class_that_is_not_served(server):
    assert server.raw(query(question=b"\3www\7example\3com\0\0\1\0\4"))[3] & 15 == dns.rcode.REFUSED
