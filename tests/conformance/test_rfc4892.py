"""RFC 4892 (questions about the server in class CH) and RFC 5001 (NSID)."""

from __future__ import annotations

import dns.edns
import dns.message
import dns.rcode
import dns.rdataclass
import pytest

from tests.engine import APEX


@pytest.fixture
def server(engine):
    server = engine({"example.com.": APEX})
    server.dataplane.identify(version="edge dns 7", name="fra-1", nsid="fra-1")
    return server


def chaos(server, name, rtype="TXT"):
    query = dns.message.make_query(name, rtype, dns.rdataclass.CH)
    return dns.message.from_wire(server.raw(query.to_wire()))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("version.bind.", "edge dns 7"),
        ("version.server.", "edge dns 7"),
        ("ID.server.", "fra-1"),
        ("hostname.bind.", "fra-1"),
    ],
)
def test_section_3_what_is_configured_is_answered(server, name, text):
    [rrset] = chaos(server, name).answer
    assert (rrset.rdclass, rrset.ttl, rrset[0].strings) == (dns.rdataclass.CH, 0, (text.encode(),))


@pytest.mark.parametrize("name", ["authors.bind.", "example.com.", "x.version.bind."])
def test_anything_else_is_refused(server, name):
    assert chaos(server, name).rcode() == dns.rcode.REFUSED


def test_what_is_not_configured_is_refused(server):
    server.dataplane.identify()
    assert chaos(server, "version.bind.").rcode() == dns.rcode.REFUSED
    assert chaos(server, "id.server.").rcode() == dns.rcode.REFUSED


def nsid(server):
    query = dns.message.make_query(
        "example.com.", "SOA", options=[dns.edns.GenericOption(dns.edns.OptionType.NSID, b"")]
    )
    answer = dns.message.from_wire(server.raw(query.to_wire()))
    return [option.to_wire() for option in answer.options if option.otype == dns.edns.OptionType.NSID]


def test_rfc5001_nsid_is_given_when_asked_for(server):
    assert nsid(server) == [b"fra-1"]
    assert not server.ask("example.com.", "SOA").options
    server.dataplane.identify()
    assert nsid(server) == []


@pytest.mark.parametrize("text", ["x" * 129, "new\nline", "Köln"])
def test_an_identity_that_does_not_fit_is_refused(server, text):
    with pytest.raises(ValueError, match="printable ASCII"):
        server.dataplane.identify(name=text)
