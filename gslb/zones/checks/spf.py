"""SPF records (RFC 7208)."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from gslb.config.wording import did_you_mean, quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAXIMUM_LOOKUPS = 10
"""Terms that ask the DNS, in all records that one leads to (RFC 7208 section 4.6.4)."""
MAXIMUM_LENGTH = 4096

_MECHANISMS = ("all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists")
_LOOKUPS = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9._-]*)=(.*)", re.DOTALL)
_DIRECTIVE = re.compile(r"[-+?~]?([A-Za-z][A-Za-z0-9]*)([:/].*)?", re.DOTALL)
_MACRO = r"%\{[slodiphcrtvSLODIPHCRTV][0-9]{0,3}[rR]?[-.+,/_=]*\}"
_MACRO_STRING = re.compile(rf"(?:[\x21-\x24\x26-\x7e]|{_MACRO}|%[%_-])*")
_ENDS_IN_MACRO = re.compile(rf"(?:.*)(?:{_MACRO})", re.DOTALL)
_TOP_LABEL = re.compile(r"(?=[A-Za-z0-9-]*[A-Za-z-])[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_NEARLY = re.compile(r'[\s"]*v\s*=\s*spf(?!2\.0/)', re.IGNORECASE)
_CIDR4 = re.compile(r"/(0|[1-9][0-9]?)")
_CIDR6 = re.compile(r"//(0|[1-9][0-9]{0,2})")


def is_spf(text: str) -> bool:
    """Whether a TXT record is an SPF record (RFC 7208 section 4.5)."""
    return text[:6].lower() == "v=spf1" and text[6:7] in ("", " ")


def nearly_spf(text: str) -> bool:
    """Whether a TXT record that is no SPF record was likely meant as one."""
    return bool(_NEARLY.match(text[:32])) and not is_spf(text)


def spf_problems(text: str) -> Iterator[str]:
    """What is wrong with an SPF record, by the grammar of RFC 7208 section 12."""
    if len(text) > MAXIMUM_LENGTH:
        yield f"has more than {MAXIMUM_LENGTH} octets"
        return
    terms = [term for term in text[6:].split(" ") if term]
    seen: set[str] = set()
    all_at = None
    for index, term in enumerate(terms):
        name, kind, problem = _parse(term)
        if problem:
            yield f"{quote(term)}: {problem}"
        if kind == "modifier" and name in ("redirect", "exp"):
            if name in seen:
                yield f"{name}= stands twice (RFC 7208 section 6)"
            seen.add(name)
        if kind == "mechanism" and all_at is not None:
            yield f"{quote(term)} comes after {quote(terms[all_at])}, never looked at (RFC 7208 section 5.1)"
        if name == "all" and all_at is None:
            all_at = index
    if all_at is not None and "redirect" in seen:
        yield "redirect= is never looked at beside all (RFC 7208 section 6.1)"


def count_lookups(text: str, known: Mapping[str, str], seen: frozenset[str] = frozenset()) -> int:
    """Terms that ask the DNS, here and in the records of ``known`` (by owner) that this leads to.

    Counts no further than what is more than allowed.
    """
    total = 0
    for term in text[6:MAXIMUM_LENGTH].split(" "):
        name, _, _ = _parse(term)
        if name not in _LOOKUPS:
            continue
        total += 1
        target = re.split("[:=]", term, maxsplit=1)[-1].lower().removesuffix(".") + "."
        leads_on = name in ("include", "redirect") and target in known and target not in seen
        if leads_on and len(seen) <= MAXIMUM_LOOKUPS:
            total += count_lookups(known[target], known, seen | {target})
        if total > MAXIMUM_LOOKUPS:
            break
    return total


def _parse(term: str) -> tuple[str, str, str]:
    """(name in lower case, ``mechanism`` or ``modifier``, what is wrong) of a term."""
    modifier = _MODIFIER.fullmatch(term)
    if modifier:
        name, value = modifier[1].lower(), modifier[2]
        if name in ("redirect", "exp"):
            return name, "modifier", _domain_problem(value)
        if name in _MECHANISMS:
            return name, "modifier", f"a mechanism takes a colon: {name}:..."
        return name, "modifier", "" if _MACRO_STRING.fullmatch(value) else "the value is no macro string"
    directive = _DIRECTIVE.fullmatch(term)
    name = directive[1].lower() if directive else ""
    if directive is None or name not in _MECHANISMS:
        hint = did_you_mean(name, _MECHANISMS)
        return name, "mechanism", f"no mechanism or modifier of RFC 7208{hint}"
    return name, "mechanism", _argument_problem(name, directive[2] or "")


def _argument_problem(name: str, rest: str) -> str:
    if name == "all":
        return "all takes no argument" if rest else ""
    if name in ("ip4", "ip6"):
        return _network_problem(name, rest)
    if name in ("include", "exists"):
        return (
            _domain_problem(rest[1:])
            if rest.startswith(":")
            else f"{name} needs a domain: {name}:example.com"
        )
    domain, cidr = (rest, "") if name == "ptr" else _split_cidr(rest)
    if domain == ":" or domain.startswith("/"):
        return "the part after the name is no domain or prefix length"
    if domain and (problem := _domain_problem(domain[1:])):
        return problem
    return _cidr_problem(cidr)


def _split_cidr(rest: str) -> tuple[str, str]:
    """The domain with its colon, and the prefix lengths that end it; a slash may stand in a macro."""
    found = re.search(r"(?:/[0-9]+)?(?://[0-9]+)?\Z", rest)
    at = found.start() if found else len(rest)
    return rest[:at], rest[at:]


def _cidr_problem(cidr: str) -> str:
    four, _, six = cidr.partition("//")
    if four:
        found = _CIDR4.fullmatch(four)
        if not found or int(found[1]) > 32:
            return f"{four} is no IPv4 prefix length"
    if six:
        found = _CIDR6.fullmatch(f"//{six}")
        if not found or int(found[1]) > 128:
            return f"//{six} is no IPv6 prefix length"
    return ""


def _network_problem(name: str, rest: str) -> str:
    if not rest.startswith(":"):
        return f"{name} needs an address: {name}:{'192.0.2.0/24' if name == 'ip4' else '2001:db8::/32'}"
    address, slash, length = rest[1:].partition("/")
    maximum = 32 if name == "ip4" else 128
    try:
        if "%" in address:
            raise ValueError
        (IPv4Address if name == "ip4" else IPv6Address)(address)
    except ValueError:
        return f"{quote(address)} is no {'IPv4' if name == 'ip4' else 'IPv6'} address"
    if slash and not (re.fullmatch("0|[1-9][0-9]{0,2}", length) and int(length) <= maximum):
        return f"/{length} is no prefix length from 0 to {maximum}"
    return ""


def _domain_problem(domain: str) -> str:
    """RFC 7208 section 7.1: a macro string that ends in a macro or in a dot and a top label."""
    if not _MACRO_STRING.fullmatch(domain):
        return f"{quote(domain)} has a character or macro that RFC 7208 section 7.1 does not know"
    above, _, top = domain.removesuffix(".").rpartition(".")
    if not _ENDS_IN_MACRO.fullmatch(domain) and not (above and _TOP_LABEL.fullmatch(top)):
        return f"{quote(domain)} is no domain name of two labels or more"
    return ""
