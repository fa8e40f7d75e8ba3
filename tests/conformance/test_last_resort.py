"""What stands in for a steered answer, and for how long it may be held."""

from __future__ import annotations

import copy

import dns.rcode
import pytest

from tests.conformance.test_rfc7871 import STEERING
from tests.engine import APEX, rows

ZONE = APEX + "www 300 IN A 192.0.2.99\nwww 300 IN AAAA 2001:db8::99\nalias 60 IN CNAME www\n"
DOWN = 1


def server_with(engine, when_all_down):
    steering = copy.deepcopy(STEERING)
    steering["pools"][0]["when_all_down"] = when_all_down
    server = engine({"example.com.": ZONE}, steering)
    for endpoint in range(2):
        server.set_verdict(endpoint, DOWN)
    return server


def test_the_last_resort_is_held_no_longer_than_a_steered_answer(engine):
    """The name's TTL is 30; a sorry page must not outlive the outage by the zone file's five minutes."""
    server = server_with(engine, "fallback")
    assert rows(server.ask("www.example.com.").answer) == ["www.example.com. 30 A 192.0.2.99"]


def test_so_is_the_nodata_of_a_pool_that_is_down(engine):
    server = server_with(engine, "nodata")
    assert [row.split()[1] for row in rows(server.ask("www.example.com.").authority)] == ["30"]


@pytest.mark.parametrize("when_all_down", ["fallback", "nodata", "serve_all"])
def test_a_family_that_the_pool_does_not_offer_is_plain_zone_data(engine, when_all_down):
    server = server_with(engine, when_all_down)
    assert rows(server.ask("www.example.com.", "AAAA").answer) == ["www.example.com. 300 AAAA 2001:db8::99"]
    assert server.dataplane.counters()["all_down"] == 0


def test_a_failure_at_the_end_of_a_chain_has_no_records(engine):
    """As Knot and BIND answer SERVFAIL: nothing of it may be kept."""
    server = server_with(engine, "servfail")
    answer = server.ask("alias.example.com.")
    assert answer.rcode() == dns.rcode.SERVFAIL
    assert not any(answer.sections[1:])
    assert server.dataplane.counters()["responses_servfail"] == 1
