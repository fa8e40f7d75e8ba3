"""RFC 3597: types that nobody has heard of."""

from __future__ import annotations

import dns.rdatatype
import pytest

from tests.engine import APEX, rows

ZONE = (
    APEX
    + r"""
new 300 IN TYPE65280 \# 4 0A000001
none 300 IN TYPE731 \# 0
known 300 IN A \# 4 C0000201
spread 300 IN TYPE65281 \# 6 ( ABCD
    EF 012345 )
name 300 IN TYPE65282 \# 13 076578616D706C6503636F6D00
"""
)


@pytest.fixture
def server(engine):
    return engine({"example.com.": ZONE})


@pytest.mark.parametrize(
    ("name", "rtype", "rdata"),
    [
        ("new", "TYPE65280", r"\# 4 0a000001"),
        ("none", "TYPE731", r"\# 0"),
        ("spread", "TYPE65281", r"\# 6 abcdef012345"),
    ],
)
def test_section_5_unknown_types_are_written_and_read_back(server, name, rtype, rdata):
    (record,) = server.ask(f"{name}.example.com.", rtype).answer[0]
    assert record.rdtype == dns.rdatatype.from_text(rtype)
    assert record.data.hex() == "".join(rdata.split()[2:])


def test_section_5_a_known_type_may_be_written_so_too(server):
    assert rows(server.ask("known.example.com.").answer) == ["known.example.com. 300 A 192.0.2.1"]


def test_section_4_names_in_unknown_types_are_neither_compressed_nor_lowered(server):
    (record,) = server.ask("name.example.com.", "TYPE65282").answer[0]
    assert record.data == b"\7example\3com\0"


@pytest.mark.parametrize("rdata", [r"\# 3 0A000001", r"\# 4 0A0000", r"\# x", r"\# 4 0A00000G", "0A000001"])
def test_section_5_a_length_that_is_not_that_of_the_data_is_an_error(engine, rdata):
    with pytest.raises(ValueError, match="error"):
        engine({"example.com.": APEX + f"bad 300 IN TYPE65280 {rdata}\n"})
