"""Names that answer with the addresses of whoever asks, and the scope of that (RFC 7871 section 7.2.1)."""

from __future__ import annotations

import json

import dns.edns
import dns.rcode
import dns.rdatatype
import pytest

from tests.engine import APEX, NO_STEERING, rows

MODES = ("dns", "edns", "best", "both")
STEERING = {
    **NO_STEERING,
    "names": [
        *({"name": f"{mode}.example.com.", "reflect": mode, "ttl": 20} for mode in MODES),
        {"name": "deaf.example.com.", "reflect": "best", "ttl": 20, "client_subnet": False},
        {"name": "*.wild.example.com.", "reflect": "both", "ttl": 20},
    ],
}
ZONE = APEX + (
    "$TTL 300\nalias 60 IN CNAME best\nflat 5 IN ALIAS best\nbest IN A 192.0.2.99\nbest IN TXT hi\n"
    "best IN HTTPS 1 .\n"
)
RESOLVER = "192.0.2.1"


@pytest.fixture
def server(engine):
    return engine({"example.com.": ZONE}, STEERING)


def answered(answer):
    """The addresses, and the scope if the answer has one."""
    scopes = [option.scopelen for option in answer.options if isinstance(option, dns.edns.ECSOption)]
    addresses = [str(rdata) for rrset in answer.answer if rrset.rdtype in {1, 28} for rdata in rrset]
    if not answer.answer:
        assert [rrset.rdtype for rrset in answer.authority] == [dns.rdatatype.SOA]
    assert answer.rcode() == dns.rcode.NOERROR
    return sorted(addresses), (scopes or [None])[0]


@pytest.mark.parametrize(
    ("mode", "subnet", "ipv4", "ipv6", "scope"),
    [
        ("dns", None, [RESOLVER], [], None),
        ("dns", "198.51.100.0/24", [RESOLVER], [], 0),
        ("edns", None, ["0.0.0.0"], [], None),
        ("edns", "198.51.100.0/24", ["198.51.100.0"], [], 24),
        ("edns", "198.51.100.7/32", ["198.51.100.7"], [], 32),
        ("edns", "2001:db8::/56", [], ["2001:db8::"], 56),
        ("edns", "0.0.0.0/0", ["0.0.0.0"], [], 0),
        ("best", None, [RESOLVER], [], None),
        ("best", "198.51.100.0/23", ["198.51.100.0"], [], 23),
        ("best", "2001:db8::/56", [], ["2001:db8::"], 56),
        ("best", "::/0", [RESOLVER], [], 0),
        ("best", "::ffff:198.51.100.0/120", [], ["::ffff:198.51.100.0"], 120),
        ("both", None, [RESOLVER], [], None),
        ("both", "198.51.100.0/24", [RESOLVER, "198.51.100.0"], [], 24),
        ("both", "2001:db8::/56", [RESOLVER], ["2001:db8::"], 56),
        ("both", f"{RESOLVER}/32", [RESOLVER], [], 32),
    ],
)
def test_each_mode_answers_by_family_and_says_how_far_that_goes(server, mode, subnet, ipv4, ipv6, scope):
    for rtype, expected in (("A", ipv4), ("AAAA", ipv6)):
        answer = server.ask(f"{mode}.example.com.", rtype, client=RESOLVER, subnet=subnet)
        assert answered(answer) == (sorted(expected), scope)
    assert server.dataplane.counters()["reflected"] == 2
    assert server.dataplane.counters()["steered"] == 0


def test_a_resolver_over_ipv6_or_mapped_is_who_it_is(server):
    ask = server.ask
    assert answered(ask("dns.example.com.", "AAAA", client="2001:db8::53"))[0] == ["2001:db8::53"]
    assert answered(ask("dns.example.com.", "A", client="2001:db8::53"))[0] == []
    assert answered(ask("dns.example.com.", "A", client="::ffff:192.0.2.1"))[0] == [RESOLVER]
    both = ask("both.example.com.", "AAAA", client="2001:db8::53", subnet="2001:db8:1::/48")
    assert answered(both) == (["2001:db8:1::", "2001:db8::53"], 48)


def test_a_name_may_leave_the_client_subnet_out_of_account(server):
    answer = server.ask("deaf.example.com.", client=RESOLVER, subnet="198.51.100.0/24")
    assert answered(answer) == ([RESOLVER], 0)


def test_names_that_lead_there_reflect_too(server):
    subnet = "198.51.100.0/24"
    alias = server.ask("alias.example.com.", client=RESOLVER, subnet=subnet)
    assert rows(alias.answer) == [
        "alias.example.com. 60 CNAME best.example.com.",
        "best.example.com. 20 A 198.51.100.0",
    ]
    assert answered(alias)[1] == 24
    flat = server.ask("flat.example.com.", client=RESOLVER, subnet=subnet)
    assert (rows(flat.answer), answered(flat)[1]) == (["flat.example.com. 5 A 198.51.100.0"], 24)
    assert answered(server.ask("flat.example.com.", "AAAA", client=RESOLVER, subnet=subnet)) == ([], 24)
    wild = server.ask("a.b.wild.example.com.", client=RESOLVER)
    assert rows(wild.answer) == [f"a.b.wild.example.com. 20 A {RESOLVER}"]


def test_other_types_are_those_of_the_zone(server):
    assert rows(server.ask("best.example.com.", "TXT").answer) == ['best.example.com. 300 TXT "hi"']
    assert rows(server.ask("best.example.com.", "HTTPS").answer) == ["best.example.com. 300 HTTPS 1 ."]
    assert all(" A " not in row for row in rows(server.ask("best.example.com.", "ANY").answer))
    assert server.dataplane.counters()["reflected"] == 0


def test_it_is_explained(server):
    explained = json.loads(server.dataplane.explain("both.example.com.", 1, RESOLVER, "198.51.100.0/24"))
    reflected = explained["steps"][-1]
    assert reflected == {
        "step": "reflect",
        "name": {"name": "both.example.com.", "file": "", "line": 0},
        "mode": "both",
        "resolver": RESOLVER,
        "subnet": "198.51.100.0/24",
        "answer": ["198.51.100.0", RESOLVER],
        "ttl": 20,
        "scope": {"value": 24, "reason": "the answer is the client subnet: other subnets get other answers"},
    }
