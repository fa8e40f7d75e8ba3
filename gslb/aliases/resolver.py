"""Asks the configured recursive resolvers for addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.asyncresolver
import dns.exception
import dns.message
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver

from gslb.aliases.resolution import Resolution, ResolutionError
from gslb.config.wording import printable

if TYPE_CHECKING:
    from gslb.model.site import ResolverSettings

MAXIMUM_CHAIN = 8
"""Questions asked when a resolver answers with a CNAME and not with what it leads to."""
MAXIMUM_ADDRESSES = 256
"""Of one type, of one name; the rest are left out."""
NEGATIVE_TTL = 300
"""Seconds: the longest that a name is taken to have no addresses, also when nothing says how long."""
PAYLOAD = 1232
"""Octets of a UDP answer that cannot be fragmented on the way."""


class NetworkResolver:
    """Asks over UDP, and over TCP when an answer was cut, in the order of the settings."""

    def __init__(self, settings: ResolverSettings) -> None:
        self._lifetime = settings.timeout
        self._resolver = dns.asyncresolver.Resolver(configure=False)
        self._resolver.nameservers = [
            dns.nameserver.Do53Nameserver(str(server.address), server.port) for server in settings.nameservers
        ]
        # Time for one more try than there are servers: one lost packet is no failure.
        self._resolver.timeout = settings.timeout / (len(settings.nameservers) + 1)
        self._resolver.use_edns(0, 0, PAYLOAD)

    async def resolve(self, name: str, rtype: int) -> Resolution:
        """The A or AAAA records of an absolute name. Raises ResolutionError.

        NXDOMAIN and NODATA are answers without addresses; the lifetime holds for each question of a chain.
        """
        asked = dns.name.from_text(name)
        ttl: int | None = None
        for _ in range(MAXIMUM_CHAIN):
            chain = await self._ask(asked, rtype)
            ttl = chain.minimum_ttl if ttl is None else min(ttl, chain.minimum_ttl)
            if chain.answer is not None:
                octets = sorted({rdata.to_wire() or b"" for rdata in chain.answer})
                return Resolution(ttl, tuple(octets[:MAXIMUM_ADDRESSES]))
            if chain.canonical_name == asked:
                return Resolution(min(ttl, NEGATIVE_TTL), ())
            asked = chain.canonical_name
        raise ResolutionError(f"more than {MAXIMUM_CHAIN} CNAMEs in a row, or a loop")

    async def _ask(self, name: dns.name.Name, rtype: int) -> dns.message.ChainingResult:
        number = dns.rdatatype.RdataType.make(rtype)
        try:
            answer = await self._resolver.resolve(
                name, number, raise_on_no_answer=False, search=False, lifetime=self._lifetime
            )
            return answer.chaining_result
        except dns.resolver.NXDOMAIN as error:
            return _of_nxdomain(error, name)
        except (dns.exception.DNSException, OSError) as error:
            raise ResolutionError(printable(str(error)) or type(error).__name__) from error


def _of_nxdomain(error: dns.resolver.NXDOMAIN, name: dns.name.Name) -> dns.message.ChainingResult:
    """The end of a chain: the code is about its last name (RFC 6604 section 3), so nothing more is asked."""
    responses: dict[dns.name.Name, dns.message.QueryMessage] = error.kwargs["responses"]
    try:
        chain = responses[name].resolve_chaining()
    except dns.exception.DNSException as reason:
        raise ResolutionError(printable(str(reason)) or type(reason).__name__) from reason
    return dns.message.ChainingResult(name, None, chain.minimum_ttl, [])
