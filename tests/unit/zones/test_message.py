"""Responses decoded."""

import dns.edns
import dns.exception
import dns.message
import dns.rrset
import pytest

from gslb.zones.message import read_response


def response(*records, subnet=None):
    options = [dns.edns.ECSOption.from_text(subnet)] if subnet else []
    message = dns.message.make_response(dns.message.make_query("www.example.com", "A", options=options))
    message.use_edns(0, payload=1232, options=options)
    for name, ttl, rtype, data in records:
        message.answer.append(dns.rrset.from_text(name, ttl, "IN", rtype, data))
    return message


def test_sections_keep_the_order_of_the_wire():
    message = response(("b.", 9, "A", "192.0.2.2"), ("a.", 8, "A", "192.0.2.3"), ("b.", 9, "A", "192.0.2.1"))
    report = read_response(message.to_wire())
    assert [(r.name, r.ttl, r.type, r.data) for r in report.answer] == [
        ("b.", 9, "A", "192.0.2.2"),
        ("a.", 8, "A", "192.0.2.3"),
        ("b.", 9, "A", "192.0.2.1"),
    ]
    assert (report.rcode, report.flags) == ("NOERROR", ["qr", "rd"])
    assert (report.authority, report.additional) == ([], [])


def test_the_client_subnet_and_its_scope_are_told():
    report = read_response(response(subnet="192.0.2.0/24/16").to_wire())
    assert report.edns.payload == 1232
    assert report.edns.options == ["ECS 192.0.2.0/24 scope/16"]


def test_without_edns_there_is_none():
    assert read_response(dns.message.make_response(dns.message.make_query("x", "A")).to_wire()).edns is None


def test_silence_is_none():
    assert read_response(b"") is None


def test_a_record_that_cannot_be_read_is_left_out():
    message = response(("a.", 9, "TYPE65280", "\\# 4 c0000201"), ("a.", 9, "A", "192.0.2.1"))
    wire = message.to_wire().replace(b"\xff\x00", b"\x00\x1c")  # an AAAA of four octets
    assert [record.data for record in read_response(wire).answer] == ["192.0.2.1"]


def test_what_is_no_message_is_an_error():
    with pytest.raises(dns.exception.DNSException):
        read_response(b"\0")
