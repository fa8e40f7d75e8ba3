"""Values of the keys ``checks`` and ``rules``: RR types, patterns, lists of words.

Each reader raises ValueError whose text continues the name of the setting, as in ``values.py``.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from ipaddress import ip_network

import dns.exception
import dns.rdatatype

from gslb.config.wording import quote
from gslb.model import alias as alias  # noqa: PLC0414 - makes ALIAS known to dnspython

MAXIMUM_ITEMS = 1000
MAXIMUM_PATTERN = 255

_NAME_PATTERN = re.compile(r"[\x21-\x2e\x30-\x3e\x41-\x7e]+")
_ISSUER = re.compile(r"[A-Za-z0-9]+(?:[.-]+[A-Za-z0-9]+)*")


def strings(value: object) -> tuple[str, ...]:
    """One text or a list of texts."""
    listed = value if isinstance(value, list) else [value]
    if not 1 <= len(listed) <= MAXIMUM_ITEMS:
        raise ValueError(f"must list 1 to {MAXIMUM_ITEMS} items")
    for item in listed:
        if not isinstance(item, str) or not item or len(item) > MAXIMUM_PATTERN or not item.isprintable():
            raise ValueError(
                f"must be text of 1 to {MAXIMUM_PATTERN} printable characters, not {quote(item)}"
            )
    return tuple(dict.fromkeys(listed))


def rr_type(text: str) -> int:
    """An RR type by its mnemonic or as in RFC 3597."""
    try:
        return int(dns.rdatatype.from_text(text))
    except (dns.exception.DNSException, ValueError):
        raise ValueError(f"must name record types such as A or CAA, not {quote(text)}") from None


def rr_types(value: object) -> tuple[int, ...]:
    """One RR type or a list of them."""
    return tuple(dict.fromkeys(rr_type(text) for text in strings(value)))


def name_patterns(value: object) -> tuple[str, ...]:
    """Names in which ``*`` stands for anything; lower case, without a final dot."""
    return tuple(_name_pattern(text) for text in strings(value))


def patterns(value: object) -> tuple[str, ...]:
    """Names in which ``*`` stands for anything, networks and addresses."""
    return tuple(_network(text) or _name_pattern(text) for text in strings(value))


def issuers(value: object) -> tuple[str, ...]:
    """Domain names of certificate authorities (RFC 8659 section 4.2), lower case."""
    listed = strings(value)
    for text in listed:
        if not _ISSUER.fullmatch(text):
            raise ValueError(f"must list domain names of certificate authorities, not {quote(text)}")
    return tuple(text.lower() for text in listed)


def glob_matches(glob: str, text: str) -> bool:
    """Whether ``text`` is ``glob`` with each ``*`` replaced by anything."""
    return fnmatchcase(text, glob.replace("[", "[[]").replace("?", "[?]"))


def _name_pattern(text: str) -> str:
    if not _NAME_PATTERN.fullmatch(text):
        raise ValueError(f"must list names such as www.example.com or *.example.com, not {quote(text)}")
    return text.lower().removesuffix(".") or "."


def _network(text: str) -> str:
    """``text`` as a network, or nothing when it is none."""
    try:
        return str(ip_network(text))
    except ValueError:
        if "/" in text:
            raise ValueError(f"must list networks without host bits, not {quote(text)}") from None
        return ""
