"""The network resolver, against a resolver on loopback that says odd things."""

from __future__ import annotations

import pytest

from gslb.aliases.resolution import Resolution, ResolutionError
from gslb.aliases.resolver import NetworkResolver
from gslb.model.site import Nameserver, ResolverSettings
from tests.e2e.resolver import TableResolver

A = 1


@pytest.fixture
def server():
    server = TableResolver(
        {
            ("loop.test.", "A"): ["loop.test. 60 IN CNAME pool.test."],
            ("pool.test.", "A"): ["pool.test. 60 IN CNAME loop.test."],
            ("step.test.", "A"): ["step.test. 20 IN CNAME end.test."],
            ("end.test.", "A"): ["end.test. 90 IN A 192.0.2.2", "end.test. 90 IN A 192.0.2.1"],
            ("nowhere.test.", "A"): ["nowhere.test. 60 IN CNAME missing.test."],
            ("other.test.", "AAAA"): ["other.test. 60 IN AAAA 2001:db8::1"],
        }
    )
    yield server
    server.stop()


def asking(server, timeout):
    servers = (Nameserver(address="127.0.0.1", port=server.port),)
    return NetworkResolver(ResolverSettings(nameservers=servers, timeout=timeout))


@pytest.fixture
def resolver(server):
    # Answers come at once, but on a busy machine that may be a while.
    return asking(server, timeout=10.0)


async def test_a_chain_is_followed_and_its_least_ttl_counts(resolver):
    assert await resolver.resolve("step.test.", A) == Resolution(20, (b"\xc0\0\2\1", b"\xc0\0\2\2"))


@pytest.mark.parametrize("name", ["missing.test.", "other.test.", "nowhere.test."])
async def test_no_such_name_and_no_such_addresses_are_answers(resolver, name):
    ttl, rdata = await resolver.resolve(name, A)
    assert rdata == ()
    assert ttl <= 300


async def test_a_loop_is_a_failure(resolver, server):
    with pytest.raises(ResolutionError, match="CNAMEs in a row"):
        await resolver.resolve("loop.test.", A)
    assert len(server.asked) == 8


async def test_silence_is_a_failure_after_more_than_one_try(server):
    server.is_dead = True
    with pytest.raises(ResolutionError):
        await asking(server, timeout=0.3).resolve("end.test.", A)
    assert len(server.asked) > 1


async def test_a_second_server_answers_for_a_dead_one(server):
    dead = TableResolver({})
    dead.is_dead = True
    servers = tuple(Nameserver(address="127.0.0.1", port=port) for port in (dead.port, server.port))
    try:
        resolver = NetworkResolver(ResolverSettings(nameservers=servers, timeout=10.0))
        assert (await resolver.resolve("end.test.", A)).ttl == 90
    finally:
        dead.stop()
