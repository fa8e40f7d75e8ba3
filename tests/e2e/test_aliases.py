"""ALIAS records that lead outside, with a resolver that lives and dies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.edns
import dns.rcode
import dns.rdatatype
import pytest

from tests.e2e.resolver import TableResolver
from tests.e2e.server import addresses_of
from tests.e2e.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import dns.message

    from tests.e2e.server import Server

ZONE = """\
$TTL 300
@        IN SOA   ns1 hostmaster 1 7200 1800 1209600 300
         IN NS    ns1
         IN NS    ns2
         IN ALIAS cdn.example.org.
ns1      IN A     192.0.2.53
ns2      IN A     192.0.2.54
long     IN ALIAS long.example.org.
gone     IN ALIAS gone.example.org.
partial  IN ALIAS partial.example.org.
"""
CDN, LONG, EDGE = ("cdn.example.org.", "A"), ("long.example.org.", "A"), ("edge.example.net.", "A")
STEERING = "resolver: {{nameservers: ['127.0.0.1:{port}'], timeout: 200ms, min_ttl: 2s, max_ttl: 100s}}\n"


@pytest.fixture
def resolver() -> Iterator[TableResolver]:
    resolver = TableResolver(
        {
            CDN: ["cdn.example.org. 900 IN CNAME edge.example.net.", "edge.example.net. 1 IN A 203.0.113.1"],
            LONG: ["long.example.org. 86400 IN A 203.0.113.2"],
            ("partial.example.org.", "A"): ["partial.example.org. 50 IN CNAME edge.example.net."],
            EDGE: ["edge.example.net. 40 IN A 203.0.113.3"],
        }
    )
    yield resolver
    resolver.stop()


@pytest.fixture
def aliased(resolver: TableResolver, tmp_path: Path, start: Callable[..., Server]) -> Server:
    site = tmp_path / "aliased"
    site.mkdir()
    (site / "example.com.zone").write_text(ZONE)
    (site / "steering.yaml").write_text(STEERING.format(port=resolver.port))
    return start(site)


def answered(server: Server, name: str) -> tuple[list[str], int]:
    """The addresses and the TTL."""
    answer = server.ask(name)
    assert answer.rcode() == dns.rcode.NOERROR
    return addresses_of(answer), answer.answer[0].ttl


def errors_of(answer: dns.message.Message) -> list[int]:
    """Codes of extended errors (RFC 8914)."""
    return [int(option.code) for option in answer.options if option.otype == dns.edns.OptionType.EDE]


def test_targets_are_resolved_before_the_first_answer(aliased):
    assert answered(aliased, "example.com") == (["203.0.113.1"], 2)  # the floor
    assert answered(aliased, "long.example.com") == (["203.0.113.2"], 100)  # the ceiling
    assert answered(aliased, "partial.example.com") == (["203.0.113.3"], 40)  # the least of the chain
    for name, rtype in (("gone.example.com", "A"), ("long.example.com", "AAAA")):
        answer = aliased.ask(name, rtype)
        assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])
        assert [rrset.rdtype for rrset in answer.authority] == [dns.rdatatype.SOA]
    assert aliased.done("GET", "/v1/status")["aliases"] == {"fresh": 4, "stale": 0, "unknown": 0}


def test_a_dead_resolver_makes_data_stale_and_a_living_one_fresh_again(aliased, resolver):
    resolver.is_dead = True
    answer = eventually(
        lambda: (answer := aliased.ask("example.com")) and errors_of(answer) and answer, "stale data"
    )
    assert (addresses_of(answer), errors_of(answer)) == (["203.0.113.1"], [3])  # RFC 8914 section 4.4
    (apex, *_) = aliased.done("GET", "/v1/aliases")["aliases"]
    assert (apex["name"], apex["state"]) == ("example.com.", "stale")
    resolver.table[CDN] = ["cdn.example.org. 60 IN A 203.0.113.9"]
    resolver.is_dead = False
    eventually(lambda: answered(aliased, "example.com") == (["203.0.113.9"], 60), "recovery")
    assert errors_of(aliased.ask("example.com")) == []


def test_an_alias_set_through_the_api_is_resolved(aliased):
    new = {"name": "api", "type": "ALIAS", "ttl": 30, "records": ["long.example.org."]}
    aliased.done("PATCH", "/v1/zones/example.com/rrsets", {"rrsets": [new]})
    assert answered(aliased, "api.example.com") == (["203.0.113.2"], 30)  # the target is known already
    page = aliased.done("GET", "/v1/zones/example.com?name=api")
    assert page["rrsets"] == [{**new, "name": "api.example.com."}]
    other = {**new, "records": ["edge.example.net."]}
    aliased.done("PATCH", "/v1/zones/example.com/rrsets", {"rrsets": [other]})
    eventually(lambda: addresses_of(aliased.ask("api.example.com")) == ["203.0.113.3"], "the new target")
    aliased.done("POST", "/v1/reload")
    assert answered(aliased, "api.example.com") == (["203.0.113.3"], 30)


def test_a_start_does_not_wait_for_a_dead_resolver(resolver, tmp_path, start):
    resolver.is_dead = True
    site = tmp_path / "dead"
    site.mkdir()
    (site / "example.com.zone").write_text(ZONE)
    (site / "steering.yaml").write_text(STEERING.format(port=resolver.port))
    server = start(site)
    assert server.ask("example.com").rcode() == dns.rcode.SERVFAIL
    resolver.is_dead = False
    eventually(lambda: addresses_of(server.ask("example.com")) == ["203.0.113.1"], "the first answer")


MULTI_CDN = """
pops: {{fra: , ams: }}
pools:
  cdn:
    when_all_down: servfail
    endpoints: [{{pop: fra, cname: cdn.example.org.}}, {{pop: ams, cname: long.example.org.}}]
policies:
  order:
    - failover: [[fra], [ams]]
    - take: 1
names: {{"www.example.com": {{pool: cdn, policy: order, ttl: 20}}}}
"""


def test_an_apex_follows_a_steered_name_from_one_cdn_to_another(resolver, tmp_path, start):
    site = tmp_path / "cdns"
    site.mkdir()
    (site / "example.com.zone").write_text(ZONE.replace("ALIAS cdn.example.org.", "ALIAS www"))
    (site / "steering.yaml").write_text((STEERING + MULTI_CDN).format(port=resolver.port))
    server = start(site)
    assert answered(server, "example.com") == (["203.0.113.1"], 2)
    listed = server.done("GET", "/v1/aliases")["aliases"]
    targets = [(row["resolved"], row["state"]) for row in listed if row["name"] == "example.com."]
    assert targets == [("cdn.example.org.", "fresh"), ("long.example.org.", "fresh")]
    assert server.command("drain", "fra", "--reason", "moving").returncode == 0
    assert answered(server, "example.com") == (["203.0.113.2"], 20)
    steps = server.done("GET", "/v1/explain?name=example.com&type=A&client=192.0.2.7")["steps"]
    resolved = {"step": "resolved", "name": "long.example.org.", "rtype": "A", "count": 1, "stale": False}
    assert resolved in steps
