"""RDATA of every type the servers have in common, as master-file text."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random


def _hex(random: Random, octets: int) -> str:
    return random.randbytes(octets).hex()


def _text(random: Random) -> str:
    length = random.choice((0, 1, 5, 40, 255))
    return '"' + "".join(f"\\{random.randrange(256):03d}" for _ in range(length)) + '"'


def _a(random: Random, _: str) -> str:
    return f"192.0.2.{random.randrange(256)}"


def _aaaa(random: Random, _: str) -> str:
    return str(ipaddress.IPv6Address((0x20010DB8 << 96) + random.getrandbits(60)))


def _txt(random: Random, _: str) -> str:
    return " ".join(_text(random) for _ in range(random.choice((1, 1, 2, 4))))


def _svcb(random: Random, target: str) -> str:
    if random.random() < 0.3:
        return f"0 {target.lower()}"
    parameters = ["alpn=h2", f"port={random.randrange(65536)}", "ipv4hint=192.0.2.7", "ipv6hint=2001:db8::7"]
    chosen = [one for one in parameters if random.random() < 0.5]
    return " ".join([str(random.randrange(1, 9)), random.choice((".", target.lower())), *chosen])


def _unknown(random: Random, _: str) -> str:
    octets = random.choice((0, 1, 4, 100))
    return f"\\# {octets} {_hex(random, octets)}".rstrip()


MAKERS: dict[str, Callable[[Random, str], str]] = {
    "A": _a,
    "AAAA": _aaaa,
    "TXT": _txt,
    "MX": lambda random, target: f"{random.randrange(3)} {target}",
    "SRV": lambda random, target: f"{random.randrange(3)} 5 443 {target}",
    "PTR": lambda _, target: f"{target}",
    "RP": lambda _, target: f"{target} {target}",
    "AFSDB": lambda _, target: f"1 {target}",
    "KX": lambda _, target: f"10 {target}",
    "NAPTR": lambda random, target: (
        f'{random.randrange(3)} 10 "{random.choice(("s", "a", ""))}" "SIP+D2U" "" {target}'
    ),
    "CAA": lambda random, _: f'0 issue "ca{random.randrange(9)}.example"',
    "SSHFP": lambda random, _: f"1 1 {_hex(random, 20)}",
    "TLSA": lambda random, _: f"3 1 1 {_hex(random, 32)}",
    "SMIMEA": lambda random, _: f"3 1 1 {_hex(random, 32)}",
    "HTTPS": _svcb,
    "SVCB": _svcb,
    "URI": lambda random, _: f'10 {random.randrange(9)} "https://example.org/"',
    "LOC": lambda random, _: f"{random.randrange(90)} 22 23.000 N 4 53 32.000 E -2.00m 1m 10000m 10m",
    "HINFO": lambda random, _: f"{_text(random)} {_text(random)}",
    "SPF": lambda _, __: '"v=spf1 -all"',
    "EUI48": lambda random, _: "-".join(f"{random.randrange(256):02x}" for _ in range(6)),
    "CERT": lambda _, __: "1 1 8 AQIDBAUG",
    "DNSKEY": lambda _, __: "256 3 8 AwEAAcxd",
    "OPENPGPKEY": lambda _, __: "AQIDBAUGBwg=",
    "APL": lambda _, __: "1:192.0.2.0/24 !2:2001:db8::/32",
    "TYPE65280": _unknown,
    "TYPE777": _unknown,
}
"""Makes RDATA of a type; the name, as text, is a target for those that hold one."""


def ds(random: Random) -> str:
    """RDATA of a DS record."""
    return f"{random.randrange(65536)} 8 2 {_hex(random, 32)}"
