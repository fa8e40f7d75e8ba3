"""Queries over real sockets: what a resolver sees."""

import shutil
import socket
import struct
import subprocess
from ipaddress import ip_network
from random import Random

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from tests.e2e.server import addresses_of, scope_of, texts_of
from tests.e2e.site import AMS, BY_SUBNET, FRA, FRA6, GERMANY, IAD, NETHERLANDS

TRANSPORTS = pytest.mark.parametrize("transport", ["udp", "tcp"])


@TRANSPORTS
def test_without_a_subnet_the_address_of_the_resolver_decides(shared, transport):
    answer = shared.ask("www.example.com", transport=transport)
    assert answer.rcode() == dns.rcode.NOERROR
    assert answer.flags & dns.flags.AA
    assert addresses_of(answer) == [IAD]
    assert answer.answer[0].ttl == 30
    assert scope_of(answer) is None


@TRANSPORTS
@pytest.mark.parametrize(
    ("subnet", "address", "scope"),
    [(GERMANY, FRA, 24), (NETHERLANDS, AMS, 16), (BY_SUBNET, FRA, 24), ("10.31.0.0/20", AMS, 16)],
)
def test_a_client_subnet_is_steered_with_its_scope(shared, transport, subnet, address, scope):
    answer = shared.ask("www.example.com", subnet=subnet, transport=transport)
    assert (addresses_of(answer), scope_of(answer)) == ([address], scope)


def test_a_client_subnet_of_ipv6_and_an_ipv6_answer(shared):
    answer = shared.ask("www.example.com", "AAAA", subnet="2001:db8:49::/56")
    assert (addresses_of(answer), scope_of(answer)) == ([FRA6], 48)


@pytest.mark.parametrize("subnet", [GERMANY, NETHERLANDS, "198.51.100.0/24", "8.8.8.0/24", "10.49.200.0/24"])
def test_the_scope_is_true_for_everybody_in_it(shared, subnet):
    answer = shared.ask("www.example.com", subnet=subnet)
    base = ip_network(subnet).network_address
    within = ip_network(f"{base}/{scope_of(answer)}", strict=False)
    random = Random(subnet)
    for _ in range(20):
        other = within.network_address + random.randrange(within.num_addresses)
        assert addresses_of(shared.ask("www.example.com", subnet=f"{other}/32")) == addresses_of(answer), (
            other
        )


def test_a_client_that_hides_its_address_gets_scope_0(shared):
    answer = shared.ask("www.example.com", subnet="0.0.0.0/0")
    assert (addresses_of(answer), scope_of(answer)) == ([IAD], 0)


def test_what_is_not_steered_is_the_same_for_all(shared):
    answer = shared.ask("ns1.example.com", subnet=GERMANY)
    assert (addresses_of(answer), scope_of(answer)) == (["192.0.2.53"], 0)


@TRANSPORTS
def test_other_types_at_a_steered_name_come_from_the_zone(shared, transport):
    assert texts_of(shared.ask("www.example.com", "TXT", transport=transport)) == ["not an address"]


@TRANSPORTS
def test_nodata(shared, transport):
    answer = shared.ask("ns1.example.com", "MX", transport=transport)
    assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])
    assert [rrset.rdtype for rrset in answer.authority] == [dns.rdatatype.SOA]


@TRANSPORTS
def test_nxdomain(shared, transport):
    answer = shared.ask("nobody.example.com", transport=transport)
    assert answer.rcode() == dns.rcode.NXDOMAIN
    assert answer.flags & dns.flags.AA
    assert [rrset.rdtype for rrset in answer.authority] == [dns.rdatatype.SOA]


@TRANSPORTS
def test_a_referral_with_glue(shared, transport):
    answer = shared.ask("host.lab.example.com", transport=transport)
    assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])
    assert not answer.flags & dns.flags.AA
    assert [str(rdata) for rdata in answer.authority[0]] == ["ns1.lab.example.com."]
    assert [str(rdata) for rdata in answer.additional[0]] == ["198.51.100.77"]


@TRANSPORTS
def test_wildcards_steered_and_not(shared, transport):
    steered = shared.ask("any.thing.cdn.example.com", subnet=GERMANY, transport=transport)
    assert (addresses_of(steered), str(steered.answer[0].name)) == ([FRA], "any.thing.cdn.example.com.")
    assert addresses_of(shared.ask("ana.users.example.com", transport=transport)) == ["192.0.2.70"]
    in_the_way = shared.ask("status.cdn.example.com", subnet=GERMANY, transport=transport)
    assert addresses_of(in_the_way) == ["192.0.2.60"]


@TRANSPORTS
@pytest.mark.parametrize("alias", ["shop.example.com", "www.example.net"])
def test_a_cname_into_a_steered_name_also_from_another_zone(shared, transport, alias):
    answer = shared.ask(alias, subnet=GERMANY, transport=transport)
    assert [dns.rdatatype.to_text(rrset.rdtype) for rrset in answer.answer] == ["CNAME", "A"]
    assert (addresses_of(answer), scope_of(answer)) == ([FRA], 24)


def test_what_does_not_fit_is_truncated_and_whole_over_tcp(shared, site):
    whole = [f"10.1.0.{number}" for number in range(200)]
    change = {"rrsets": [{"name": "many", "type": "A", "ttl": 60, "records": whole}]}
    shared.done("PATCH", "/v1/zones/example.com/rrsets", change)
    cut = shared.ask("many.example.com")
    assert cut.flags & dns.flags.TC
    answer = shared.ask("many.example.com", transport="tcp")
    assert not answer.flags & dns.flags.TC
    assert addresses_of(answer) == sorted(whole)


def test_many_queries_in_one_segment_of_tcp_are_answered_in_order(shared):
    names = ["www.example.com", "nobody.example.com", "ns1.example.com"] * 20
    queries = [dns.message.make_query(name, "A") for name in names]
    wires = [query.to_wire() for query in queries]
    with socket.create_connection(shared.addresses[0], timeout=5) as stream, stream.makefile("rb") as answers:
        stream.sendall(b"".join(struct.pack("!H", len(wire)) + wire for wire in wires))
        for query in queries:
            (length,) = struct.unpack("!H", answers.read(2))
            assert query.is_response(dns.message.from_wire(answers.read(length)))


@pytest.mark.skipif(shutil.which("dig") is None, reason="dig is not installed")
@pytest.mark.parametrize("option", ["+notcp", "+tcp"])
def test_dig(shared, option):
    def dig(*arguments):
        command = ["dig", "@127.0.0.1", "-p", str(shared.port), "+tries=1", "+time=5", option, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout

    assert dig("www.example.com", "A", "+short") == f"{IAD}\n"
    assert dig("www.example.com", "A", "+short", f"+subnet={GERMANY}") == f"{FRA}\n"
    told = dig("www.example.com", "A", f"+subnet={GERMANY}")
    assert "CLIENT-SUBNET: 192.0.2.0/24/24" in told
    assert "status: NOERROR" in told
    assert "WARNING: Message" not in told  # dig found nothing malformed
    assert "status: NXDOMAIN" in dig("nobody.example.com", "A")
