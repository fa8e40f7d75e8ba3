"""RFC 4592: wildcards, with the zone of its section 2.2.1."""

from __future__ import annotations

import dns.rcode
import pytest

from tests.engine import APEX, rows

ZONE = (
    APEX
    + """
*.example. 3600 IN TXT "this is a wildcard"
*.example. 3600 IN MX 10 host1.example.
sub.*.example. 3600 IN TXT "this is not a wildcard"
host1.example. 3600 IN A 192.0.2.1
_ssh._tcp.host1.example. 3600 IN SRV 0 0 22 host1
_ssh._tcp.host2.example. 3600 IN SRV 0 0 22 host2
subdel.example. 3600 IN NS ns.example.com.
subdel.example. 3600 IN NS ns.example.net.
"""
)


@pytest.fixture
def server(engine):
    return engine({"example.": ZONE})


@pytest.mark.parametrize(
    ("name", "rtype", "expected"),
    [
        ("host3.example.", "MX", ["host3.example. 3600 MX 10 host1.example."]),
        ("foo.bar.example.", "TXT", ['foo.bar.example. 3600 TXT "this is a wildcard"']),
    ],
)
def test_section_2_2_1_synthesised(server, name, rtype, expected):
    assert rows(server.ask(name, rtype).answer) == expected


def test_section_2_2_1_synthesised_nodata(server):
    answer = server.ask("host3.example.", "A")
    assert answer.rcode() == dns.rcode.NOERROR
    assert not answer.answer
    assert answer.authority


@pytest.mark.parametrize(
    ("name", "rtype", "rcode"),
    [
        ("host1.example.", "MX", "NOERROR"),  # the name exists
        ("sub.*.example.", "MX", "NOERROR"),  # the name exists
        ("_telnet._tcp.host1.example.", "SRV", "NXDOMAIN"),  # the closest encloser has no wildcard
        ("ghost.*.example.", "MX", "NXDOMAIN"),
    ],
)
def test_section_2_2_1_not_synthesised(server, name, rtype, rcode):
    answer = server.ask(name, rtype)
    assert not answer.answer
    assert dns.rcode.to_text(answer.rcode()) == rcode


def test_section_2_2_1_a_delegation_is_in_the_way(server):
    answer = server.ask("host.subdel.example.", "A")
    assert not answer.answer
    assert [row.split()[2] for row in rows(answer.authority)] == ["NS", "NS"]


def test_section_3_3_1_the_closest_encloser_is_of_the_zone_that_answers(engine):
    """What the parent has below the cut does not exist in the child, nor the other way about."""
    parent = (
        "cut 60 IN NS ns.b.wild\nhost.child 60 IN TXT parent\n"
        "wild 60 IN NS ns.example.net.\n*.wild 60 IN AAAA 2001:db8::1\n"
    )
    server = engine(
        {
            "example.com.": APEX + parent,
            "child.example.com.": APEX + "* 60 IN TXT child\n",
            "wild.example.com.": APEX + "c.b 60 IN TXT child\n",
        }
    )
    assert rows(server.ask("host.child.example.com.", "TXT").answer) == [
        'host.child.example.com. 60 TXT "child"'
    ]
    assert rows(server.ask("www.cut.example.com.").additional) == [
        "ns.b.wild.example.com. 60 AAAA 2001:db8::1"
    ]
