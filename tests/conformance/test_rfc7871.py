"""RFC 7871: client subnet in DNS queries."""

from __future__ import annotations

import json

import dns.edns
import dns.message
import dns.rcode
import pytest

from tests.engine import APEX, rows

STEERING = {
    "databases": [],
    "pops": [
        {"name": "fra", "latitude": None, "longitude": None},
        {"name": "iad", "latitude": None, "longitude": None},
    ],
    "pools": [
        {
            "name": "web",
            "when_all_down": "serve_all",
            "file": "",
            "line": 0,
            "endpoints": [
                {"pop": 0, "address": "192.0.2.1", "weight": 100},
                {"pop": 1, "address": "192.0.2.2", "weight": 100},
            ],
        }
    ],
    "policies": [
        {
            "name": "geo",
            "file": "",
            "line": 0,
            "steps": [
                {
                    "step": "geo",
                    "mode": "prefer",
                    "rules": [
                        {"kind": "subnet", "value": "198.51.100.0/24", "units": [1], "file": "", "line": 1},
                        {"kind": "subnet", "value": "2001:db8::/33", "units": [1], "file": "", "line": 1},
                        {"kind": "default", "value": "", "units": [0], "file": "", "line": 2},
                    ],
                }
            ],
        }
    ],
    "names": [
        {"name": "www.example.com.", "pool": 0, "policy": 0, "ttl": 30, "owner": "", "file": "", "line": 1}
    ],
    "latency": [],
}


@pytest.fixture
def server(engine):
    return engine({"example.com.": APEX + "plain 60 IN A 192.0.2.9\nalias 60 IN CNAME www\n"}, STEERING)


def subnet_of(answer):
    [option] = [option for option in answer.options if isinstance(option, dns.edns.ECSOption)]
    return option


@pytest.mark.parametrize(
    ("subnet", "address", "scope"),
    [
        ("198.51.100.0/24", "192.0.2.2", 24),
        ("198.51.100.128/25", "192.0.2.2", 24),
        ("198.51.0.0/16", "192.0.2.1", 18),
        ("10.0.0.0/24", "192.0.2.1", 1),
        ("2001:db8::/48", "192.0.2.2", 33),
        ("2001:db8:8000::/48", "192.0.2.1", 33),
    ],
)
def test_section_7_2_1_the_subnet_decides_and_the_scope_is_truthful(server, subnet, address, scope):
    answer = server.ask("www.example.com.", subnet=subnet, client="127.0.0.1")
    assert rows(answer.answer) == [f"www.example.com. 30 A {address}"]
    option = subnet_of(answer)
    assert (option.scopelen, option.to_text()) == (scope, f"ECS {subnet} scope/{scope}")


@pytest.mark.parametrize(
    ("subnet", "scope", "reason"),
    [
        ("198.51.100.0/24", 24, "the shortest prefix around the client"),
        ("::ffff:198.51.100.0/120", 120, "the shortest prefix around the client"),
        ("0.0.0.0/0", 0, "a client subnet of /0 asks not to be located by it"),
        ("::/0", 0, "a client subnet of /0 asks not to be located by it"),
        (None, 0, "no client subnet was sent"),
    ],
)
def test_the_scope_that_is_explained_is_that_of_the_response(server, subnet, scope, reason):
    explained = json.loads(server.dataplane.explain("www.example.com.", 1, "198.51.100.7", subnet))
    told = explained["steps"][-1]["scope"]
    assert told["value"] == scope
    assert told["reason"].startswith(reason)
    answer = dns.message.from_wire(bytes.fromhex(explained["wire"]))
    assert rows(answer.answer) == ["www.example.com. 30 A 192.0.2.2"]
    assert [option.scopelen for option in answer.options] == ([scope] if subnet else [])


def test_without_the_option_the_resolver_is_the_client(server):
    assert rows(server.ask("www.example.com.", client="198.51.100.7").answer) == [
        "www.example.com. 30 A 192.0.2.2"
    ]


def test_section_7_1_2_source_zero_gets_scope_zero(server):
    answer = server.ask("www.example.com.", subnet="0.0.0.0/0", client="198.51.100.7")
    assert subnet_of(answer).scopelen == 0
    assert rows(answer.answer) == ["www.example.com. 30 A 192.0.2.2"]


@pytest.mark.parametrize(
    ("name", "rtype"), [("plain", "A"), ("www", "TXT"), ("nowhere", "A"), ("www", "AAAA")]
)
@pytest.mark.parametrize("subnet", ["198.51.100.0/24", "::ffff:198.51.100.0/120"])
def test_names_that_are_not_steered_by_location_have_scope_zero(server, name, rtype, subnet):
    assert subnet_of(server.ask(f"{name}.example.com.", rtype, subnet=subnet)).scopelen == 0


def test_a_mapped_subnet_has_the_scope_of_all_mapped_addresses_only_where_others_get_other_answers(engine):
    """IPv4-mapped addresses are located as IPv4, that all IPv4 gets one answer tells nothing of IPv6."""
    rule = {"kind": "subnet", "value": "2001:db8::/33", "units": [1], "file": "", "line": 1}
    steps = {
        "six": [{"step": "geo", "mode": "prefer", "rules": [rule]}],
        "any": [{"step": "shuffle"}],
        "sticky": [{"step": "sticky", "ipv4": 0, "ipv6": 48}],
    }
    names = STEERING["names"][0]
    steering = STEERING | {
        "policies": [{"name": name, "file": "", "line": 0, "steps": these} for name, these in steps.items()],
        "names": [
            names | {"name": f"{name}.example.com.", "policy": number} for number, name in enumerate(steps)
        ]
        + [names | {"name": "out.example.com.", "client_subnet": False}],
    }
    server = engine({"example.com.": APEX + "alias 60 IN CNAME six\n"}, steering)
    scopes = {
        name: subnet_of(server.ask(f"{name}.example.com.", subnet="::ffff:198.51.100.0/120")).scopelen
        for name in (*steps, "out", "alias")
    }
    assert scopes == {"six": 96, "any": 0, "sticky": 96, "out": 0, "alias": 96}


def test_the_scope_of_a_steered_name_behind_a_cname_is_kept(server):
    answer = server.ask("alias.example.com.", subnet="198.51.100.0/24")
    assert "www.example.com. 30 A 192.0.2.2" in rows(answer.answer)
    assert subnet_of(answer).scopelen == 24
    assert server.dataplane.counters()["ecs_queries"] == 1
    assert server.dataplane.counters()["steered"] == 1


def test_section_6_malformed_is_formerr(server):
    query = dns.message.make_query(
        "www.example.com.", "A", options=[dns.edns.GenericOption(8, b"\0\1\x18\0\xc0\0")]
    )
    answer = dns.message.from_wire(server.raw(query.to_wire()))
    assert answer.rcode() == dns.rcode.FORMERR
