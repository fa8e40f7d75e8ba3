"""Record types and data to wire format and back through dnspython."""

import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gslb.config.rdata import present_rdata, present_type, read_rdata, read_type


def number(rtype):
    return read_type(rtype) if isinstance(rtype, str) else rtype


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
def test_record_data_is_read(rtype, text, wire):
    assert read_rdata(number(rtype), text, "example.com.")[0] == wire


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
        ("EUI48", ""),
        ("TXT", '"unclosed'),
    ],
)
def test_what_is_no_rdata(rtype, text):
    with pytest.raises(ValueError, match="record data is not valid") as caught:
        read_rdata(number(rtype), text, "example.com.")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", ['"a\nb"', "a\x00", "a\r"])
def test_control_characters_end_no_record_early(text):
    with pytest.raises(ValueError, match="control character"):
        read_rdata(number("TXT"), text, "example.com.")


def test_record_data_has_a_bound():
    with pytest.raises(ValueError, match="TXT record data takes 76800 octets"):
        read_rdata(number("TXT"), " ".join(["a" * 255] * 300), "example.com.")


@given(
    st.sampled_from(["A", "TXT", "HTTPS", "LOC", "NAPTR", "CERT", "APL", "IPSECKEY", "SSHFP", "URI"]),
    st.text(max_size=60),
)
def test_any_text_gives_octets_and_text_that_agree_or_one_kind_of_error(rtype, text):
    try:
        wire, canonical = read_rdata(number(rtype), text, "example.com.")
    except ValueError as error:
        assert str(error).isprintable()
        return
    assert read_rdata(number(rtype), canonical, ".") == (wire, canonical)
    assert present_rdata(number(rtype), wire) == canonical


def test_types_are_read_and_presented():
    assert (read_type("a"), read_type("TYPE65280"), read_type("TYPE1")) == (1, 65280, 1)
    assert (present_type(1), present_type(65280)) == ("A", "TYPE65280")


@pytest.mark.parametrize("text", ["", "NOSUCHTYPE", "TYPE70000", "TYPE", "TYPE-1", "\x1b[0m"])
def test_what_is_no_type(text):
    with pytest.raises(ValueError, match="is not an RR type") as caught:
        read_type(text)
    assert str(caught.value).isprintable()


def test_octets_that_dnspython_cannot_read_are_presented_in_the_generic_form():
    assert present_rdata(1, b"\xc0") == r"\# 1 c0"


def test_alias_is_a_type_like_any_other():
    assert read_type("alias") == read_type("TYPE65401") == 65401
    assert present_type(65401) == "ALIAS"
    wire = b"\x03cdn\x07example\x03com\x00"
    assert read_rdata(65401, "cdn", "example.com.") == (wire, "cdn.example.com.")
    assert present_rdata(65401, wire) == "cdn.example.com."
    with pytest.raises(ValueError, match="ALIAS record data is not valid"):
        read_rdata(65401, "cdn extra", "example.com.")


def test_without_an_origin_names_must_be_absolute():
    assert read_rdata(15, "10 mx.Example.com.", None)[0] == b"\0\x0a\2mx\7Example\3com\0"
    for text in ("10 mx", "10 mx.example.com"):
        with pytest.raises(ValueError, match="MX record data holds a relative name; end it with a dot"):
            read_rdata(15, text, None)
    with pytest.raises(ValueError, match="MX record data is not valid"):
        read_rdata(15, "10", None)
