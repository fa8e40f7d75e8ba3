"""Readers of single values: each takes what stands in the YAML, or in a request, and returns the typed value.

Each raises ValueError for anything else; its text continues the name of the setting:
"port" + "must be a whole number from 1 to 65535".
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

from gslb.config.durations import format_duration, parse_duration
from gslb.config.names import parse_owner_name
from gslb.config.wording import did_you_mean, one_of, quote
from gslb.model.health import ITEM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAXIMUM_TEXT = 1024
MAXIMUM_MONITORS_OF_POOL = 8
MAXIMUM_ARGUMENTS = 64
MAXIMUM_ARGUMENT = 4096

_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_-]+)*\.?")
_BROADCAST = IPv4Address("255.255.255.255")
_PATH = re.compile(r"/[\x21-\x7e]{0,2047}")


def integer(low: int, high: int) -> Callable[[object], int]:
    """A whole number in a range."""

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}, not {quote(value)}")
        return value

    return read


def number(low: float, high: float) -> Callable[[object], float]:
    """A number in a range."""

    def read(value: object) -> float:
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"must be a number from {low:g} to {high:g}, not {quote(value)}")
        return float(value)

    return read


def duration(low: float, high: float) -> Callable[[object], float]:
    """Seconds, from a duration in a range."""

    def read(value: object) -> float:
        seconds = parse_duration(value)
        if not low <= seconds <= high:
            raise ValueError(
                f"must be from {format_duration(low)} to {format_duration(high)}, not {quote(value)}"
            )
        return seconds

    return read


def whole_seconds(low: int, high: int) -> Callable[[object], int]:
    """Whole seconds, from a duration in a range."""

    def read(value: object) -> int:
        seconds = parse_duration(value)
        if not seconds.is_integer() or not low <= seconds <= high:
            raise ValueError(f"must be whole seconds from {low} to {high}, not {quote(value)}")
        return int(seconds)

    return read


def choice(words: Sequence[str]) -> Callable[[object], str]:
    """One of some words."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            hint = did_you_mean(value, words) if isinstance(value, str) else ""
            raise ValueError(f"must be {one_of(words)}, not {quote(value)}{hint}")
        return value

    return read


def boolean(value: object) -> bool:
    """``true`` or ``false``."""
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {quote(value)}")
    return value


def text(value: object) -> str:
    """Free text of one line."""
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {quote(value)}; put it in quotes")
    if len(value) > MAXIMUM_TEXT or not value.isprintable():
        raise ValueError(f"must be one line of at most {MAXIMUM_TEXT} printable characters")
    return value


def address(value: object) -> IPv4Address | IPv6Address:
    """An IP address that a client can be sent to."""
    if not isinstance(value, str):
        raise ValueError(f"must be an IP address, not {quote(value)}")
    try:
        found = ip_address(value)
    except ValueError:
        raise ValueError(f"must be an IPv4 or IPv6 address, not {quote(value)}") from None
    if "%" in value or found.is_multicast or found.is_unspecified or found == _BROADCAST:
        raise ValueError(f"must be a unicast address without a zone, not {quote(value)}")
    return found


def target(value: object) -> str:
    """The name that a CNAME leads to, absolute, lower case."""
    if not isinstance(value, str) or not value.endswith(".") or value.startswith("*"):
        raise ValueError(f"must be a domain name that ends with a dot, not {quote(value)}")
    try:
        return parse_owner_name(value)
    except ValueError as error:
        raise ValueError(f"must be a domain name: {error}") from None


def http_path(value: object) -> str:
    """The path, and the query if any, of an HTTP request."""
    if not isinstance(value, str) or not _PATH.fullmatch(value) or "#" in value:
        raise ValueError(f"must begin with / and have no spaces and no #, not {quote(value)}")
    return value


def host(value: object) -> str:
    """A host name for the Host header and TLS."""
    if not isinstance(value, str) or not _HOST.fullmatch(value):
        raise ValueError(f"must be a host name such as www.example.com, not {quote(value)}")
    return value


def probe(value: object) -> str:
    """``host``, ``host:port``, ``[address]`` or ``[address]:port``; IPv6 without a port needs no brackets."""
    message = (
        "must be a host, with a port or without, such as 192.0.2.1, 192.0.2.1:8080 or [2001:db8::1]:8080, "
        f"not {quote(value)}"
    )
    if not isinstance(value, str):
        raise ValueError(message)
    name, colon, port = value.rpartition(":")
    if not colon or value.endswith("]") or _is_ipv6(value):
        name = value
    elif not re.fullmatch("[1-9][0-9]{0,4}", port) or int(port) > 65535 or _is_ipv6(name):
        raise ValueError(message)
    if name.startswith("[") and name.endswith("]"):
        if not _is_ipv6(name[1:-1]):
            raise ValueError(message)
    elif not _is_ipv6(name) and (not _HOST.fullmatch(name) or name.isdigit()):
        raise ValueError(message)
    return value


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def nameservers(value: object) -> tuple[tuple[IPv4Address | IPv6Address, int], ...]:
    """One ``ADDRESS``, ``ADDRESS:PORT`` or ``[ADDRESS]:PORT``, or a list of them; port 53 if left out."""
    listed = value if isinstance(value, list) else [value]
    if not 1 <= len(listed) <= 16:
        raise ValueError("must list 1 to 16 name servers")
    read = tuple(_nameserver(item) for item in listed)
    if len(set(read)) != len(read):
        twice = next(item for item, server in zip(listed, read, strict=True) if read.count(server) > 1)
        raise ValueError(f"lists {quote(twice)} twice")
    return read


def _nameserver(value: object) -> tuple[IPv4Address | IPv6Address, int]:
    message = (
        f"must list addresses such as 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53, not {quote(value)}"
    )
    if not isinstance(value, str):
        raise ValueError(message)
    host, port = value, "53"
    if value.startswith("[") or value.count(":") == 1:
        host, _, port = value.rpartition(":") if not value.endswith("]") else (value, "", port)
        host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not re.fullmatch("[1-9][0-9]{0,4}", port) or int(port) > 65535:
        raise ValueError(message)
    try:
        return address(host), int(port)
    except ValueError:
        raise ValueError(message) from None


def status_codes(value: object) -> tuple[int, ...]:
    """One HTTP status code or a list of them."""
    read = integer(100, 599)
    codes = value if isinstance(value, list) else [value]
    if not 1 <= len(codes) <= 64:
        raise ValueError("must list 1 to 64 HTTP status codes")
    return tuple(read(code) for code in codes)


def reference(value: object) -> str:
    """The name of something defined elsewhere."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"must be a name, not {quote(value)}")
    return value


def references(value: object) -> tuple[str, ...]:
    """One name or a list of names, each once."""
    names = value if isinstance(value, list) else [value]
    if not 1 <= len(names) <= 4096:
        raise ValueError("must list at least one POP or pool, and at most 4096")
    return _each_once(names)


def monitors(value: object) -> tuple[str, ...]:
    """One monitor or a list of them, each once."""
    names = value if isinstance(value, list) else [value]
    if not 1 <= len(names) <= MAXIMUM_MONITORS_OF_POOL:
        raise ValueError(f"must list 1 to {MAXIMUM_MONITORS_OF_POOL} monitors, not {len(names)}")
    return _each_once(names)


def _each_once(names: list[object]) -> tuple[str, ...]:
    read = tuple(reference(name) for name in names)
    if len(set(read)) != len(read):
        twice = next(name for name in read if read.count(name) > 1)
        raise ValueError(f"lists {quote(twice)} twice")
    return read


def command(value: object) -> tuple[str, ...]:
    """A program and its arguments."""
    if not isinstance(value, list) or not 1 <= len(value) <= MAXIMUM_ARGUMENTS:
        raise ValueError(
            f"must be a list of a program and its arguments, at most {MAXIMUM_ARGUMENTS}, such as "
            f'[/usr/bin/check, "{ITEM}"]; no shell reads it'
        )
    for argument in value:
        if not isinstance(argument, str):
            raise ValueError(f"must list texts, not {quote(argument)}; put it in quotes")
        if len(argument) > MAXIMUM_ARGUMENT or "\0" in argument:
            raise ValueError(f"must list texts of at most {MAXIMUM_ARGUMENT} characters")
    if not value[0].startswith("/") or ITEM in value[0]:
        raise ValueError(f"must begin with the absolute path of a program, not {quote(value[0])}")
    return tuple(value)


def mapping(value: object) -> dict[str, object]:
    """A mapping, read further by the caller."""
    if not isinstance(value, dict):
        raise ValueError(f"must be a mapping (key: value), not {quote(value)}")
    return value


def sequence(value: object) -> list[object]:
    """A list, read further by the caller."""
    if not isinstance(value, list):
        raise ValueError(f"must be a list, not {quote(value)}")
    return value


def path(value: object) -> str:
    """A path of a file, relative to the file that names it."""
    if not isinstance(value, str) or not value or len(value) > MAXIMUM_TEXT or not value.isprintable():
        raise ValueError(f"must be the path of a file, not {quote(value)}")
    return value


def absolute_path(value: object) -> str:
    """The absolute path of a file."""
    found = path(value)
    if not found.startswith("/"):
        raise ValueError(f"must be an absolute path, not {quote(value)}")
    return found


def paths(value: object) -> list[str]:
    """One path or a list of them."""
    found = value if isinstance(value, list) else [value]
    if not 1 <= len(found) <= 16:
        raise ValueError("must list 1 to 16 files")
    return [path(item) for item in found]
