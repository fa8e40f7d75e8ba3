"""What asking for the addresses of a name gives, whoever is asked."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class ResolutionError(Exception):
    """No resolver gave a usable answer; the text says why."""


class Resolution(NamedTuple):
    """An answer: ``ttl`` is the lowest of the chain in seconds; no ``rdata`` means there are no addresses."""

    ttl: int
    rdata: tuple[bytes, ...]


class Resolver(Protocol):
    """Finds the addresses of a name."""

    async def resolve(self, name: str, rtype: int) -> Resolution:
        """The A or AAAA records of an absolute name. Raises ResolutionError."""
