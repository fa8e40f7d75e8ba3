"""Rare record types to wire format through dnspython."""

import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gslb.zones.pending import rdata_to_wire, resolve_pending


@pytest.mark.parametrize(
    ("rtype", "text", "wire"),
    [
        ("TLSA", "3 1 0 0d6f", b"\x03\x01\x00\x0d\x6f"),
        ("HTTPS", '1 . alpn="h2"', b"\x00\x01\x00\x00\x01\x00\x03\x02h2"),
        ("AFSDB", "1 relative", b"\x00\x01\x08relative\x07example\x03com\x00"),
        ("AFSDB", "1 Absolute.test.", b"\x00\x01\x08Absolute\x04test\x00"),
        (dns.rdatatype.EUI48, "00-00-5e-00-53-2a", b"\x00\x00\x5e\x00\x53\x2a"),
        (65280, "\\# 2 0A0B", b"\x0a\x0b"),
    ],
)
def test_rdata_to_wire(rtype, text, wire):
    assert rdata_to_wire(rtype, text, "example.com.") == wire


@pytest.mark.parametrize(
    ("rtype", "text"),
    [
        ("TLSA", "3 1 1"),
        ("TLSA", "3 1 1 zz"),
        ("TLSA", "3 1 1 0d6f trailing"),
        ("HTTPS", "1 . alpn"),
        ("LOC", "91 0 0 N 0 0 0 E 0m"),
        (65280, "plain text"),
        (70000, "\\# 0"),
        ("NOSUCHTYPE", "x"),
        ("EUI48", ""),
        ("TXT", '"unclosed'),
    ],
)
def test_what_is_no_rdata(rtype, text):
    with pytest.raises(ValueError, match="record data is not valid") as caught:
        rdata_to_wire(rtype, text, "example.com.")
    assert str(caught.value).isprintable()


@given(
    st.sampled_from(["HTTPS", "LOC", "NAPTR", "CERT", "APL", "IPSECKEY", "SSHFP", "URI"]),
    st.text(max_size=60),
)
def test_any_text_gives_octets_or_one_kind_of_error(rtype, text):
    try:
        assert isinstance(rdata_to_wire(rtype, text, "example.com."), bytes)
    except ValueError as error:
        assert str(error).startswith(rtype)


def test_pending_records_are_filled_or_rejected(site, read_zone):
    zone = read_zone(str(site.path / "example.com.zone"), "example.com.")
    zone.waiting = [(4, dns.rdatatype.TLSA, "3 1 0 0d6f", "example.com."), (9, 52, "oops", "example.com.")]
    resolve_pending(zone)
    assert zone.filled == {4: b"\x03\x01\x00\x0d\x6f"}
    assert list(zone.rejected) == [9]
    assert "TLSA" in zone.rejected[9]
