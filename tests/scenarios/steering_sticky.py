"""The formula by which sticky clients are shared out: weighted rendezvous over the client's prefix."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.scenarios.steering_geography import Address

WORD = 2**64


def sticky_prefix(client: Address, ipv4: int, ipv6: int) -> bytes:
    """Family octet and masked address."""
    bits = ipv4 if client.version == 4 else ipv6
    rest = client.max_prefixlen - bits
    masked = int(client) >> rest << rest
    return bytes([client.version]) + masked.to_bytes(client.max_prefixlen // 8, "big")


def fnv1a64(octets: bytes) -> int:
    """FNV-1a of 64 bits."""
    state = 0xCBF29CE484222325
    for octet in octets:
        state = (state ^ octet) * 0x100000001B3 % WORD
    return state


def finalize(x: int) -> int:
    """The finalizer of splitmix64."""
    x ^= x >> 30
    x = x * 0xBF58476D1CE4E5B9 % WORD
    x ^= x >> 27
    x = x * 0x94D049BB133111EB % WORD
    return x ^ x >> 31


def score(identity: bytes, weight: int, prefix: bytes) -> tuple[bool, float]:
    """Where a candidate stands for a client, least first."""
    x = finalize(fnv1a64(identity) ^ fnv1a64(prefix))
    u = ((x >> 11) + 0.5) / 2**53
    return (weight == 0, -log(u) / (weight or 1))
