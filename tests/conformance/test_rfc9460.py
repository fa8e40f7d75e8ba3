"""RFC 9460: SVCB and HTTPS."""

from __future__ import annotations

import pytest

from tests.engine import APEX, rows

ZONE = (
    APEX
    + """
@ 300 IN HTTPS 0 www
www 300 IN HTTPS 1 . alpn=h3,h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1
www 300 IN A 192.0.2.1
www 300 IN AAAA 2001:db8::1
_8443._foo.api 300 IN SVCB 1 svc4 alpn="bar" port="8004"
_8443._foo.api 300 IN SVCB 2 svc5.example.net. key667="hello\\210qoo"
svc4 300 IN A 192.0.2.4
"""
)


@pytest.fixture
def server(engine):
    return engine({"example.com.": ZONE})


def test_section_2_1_presentation_becomes_wire_and_comes_back(server):
    assert rows(server.ask("www.example.com.", "HTTPS").answer) == [
        'www.example.com. 300 HTTPS 1 . alpn="h3,h2" ipv4hint="192.0.2.1" ipv6hint="2001:db8::1"'
    ]
    assert rows(server.ask("_8443._foo.api.example.com.", "SVCB").answer) == [
        '_8443._foo.api.example.com. 300 SVCB 1 svc4.example.com. alpn="bar" port="8004"',
        '_8443._foo.api.example.com. 300 SVCB 2 svc5.example.net. key667="hello\\210qoo"',
    ]


def test_section_2_4_2_the_alias_mode_stands_at_an_apex(server):
    assert rows(server.ask("example.com.", "HTTPS").answer) == ["example.com. 300 HTTPS 0 www.example.com."]


def test_section_2_2_the_target_name_is_not_compressed(server):
    query_name = b"\7example\3com\0"
    wire = server.raw(b"\0\1\0\0\0\1\0\0\0\0\0\0" + query_name + b"\0\x41\0\1")
    assert wire.endswith(b"\0\0\3www\7example\3com\0")


@pytest.mark.parametrize(
    "rdata",
    [
        "1 . alpn=h2 alpn=h3",
        "1 . port=70000",
        "1 . ipv4hint=2001:db8::1",
        "1 . mandatory=port alpn=h2",
        "70000 .",
    ],
)
def test_section_2_2_and_8_malformed_parameters_are_errors(engine, rdata):
    with pytest.raises(ValueError, match="error"):
        engine({"example.com.": APEX + f"bad 300 IN HTTPS {rdata}\n"})
