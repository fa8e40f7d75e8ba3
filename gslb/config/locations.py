"""Locations as people write them: ``country:DE``, ``subnet:192.0.2.0/24``, ``default``."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network

from gslb.config.wording import did_you_mean, one_of, quote
from gslb.model.site import LocationKind

CONTINENTS = ("AF", "AN", "AS", "EU", "NA", "OC", "SA")
_IPV4_MAPPED = IPv6Network("::ffff:0:0/96")
"""IPv4 clients of IPv6 sockets (RFC 4291 section 2.5.5.2): they are looked up as IPv4."""
_COUNTRY = re.compile("[A-Z]{2}")
_SUBDIVISION = re.compile("[A-Z]{2}-[A-Z0-9]{1,3}")
_AUTONOMOUS_SYSTEM = re.compile("0|[1-9][0-9]{0,9}")


def parse_location(text: str) -> tuple[LocationKind, str]:
    """Kind and canonical value of ``kind:value`` or ``default``. Raises ValueError."""
    if text == LocationKind.DEFAULT:
        return LocationKind.DEFAULT, ""
    kind, separator, value = text.partition(":")
    kinds = [kind.value for kind in LocationKind]
    if not separator or kind not in kinds or kind == LocationKind.DEFAULT:
        raise ValueError(
            f"{quote(text)} is no location{did_you_mean(kind, kinds)}; "
            "write country:DE, continent:EU, subdivision:US-CA, asn:3320, subnet:192.0.2.0/24 or default"
        )
    return LocationKind(kind), parse_location_value(LocationKind(kind), value)


def format_location(kind: LocationKind, value: str) -> str:
    """The text that ``parse_location`` reads."""
    return f"{kind.value}:{value}" if value else kind.value


def parse_location_value(kind: LocationKind, value: str) -> str:
    """The canonical form of a location's value.

    Countries are ISO 3166-1 alpha-2 codes, subdivisions ISO 3166-2 codes, both upper case; AS numbers are
    0 to 2^32 - 1 (RFC 6793); subnets have no host bits. Raises ValueError.
    """
    match kind:
        case LocationKind.COUNTRY:
            if not _COUNTRY.fullmatch(value):
                raise ValueError(f"{quote(value)} is no country code; use two upper-case letters such as DE")
        case LocationKind.CONTINENT:
            if value not in CONTINENTS:
                raise ValueError(f"{quote(value)} is no continent code; use {one_of(CONTINENTS)}")
        case LocationKind.SUBDIVISION:
            if not _SUBDIVISION.fullmatch(value):
                raise ValueError(f"{quote(value)} is no subdivision code; use ISO 3166-2 such as US-CA")
        case LocationKind.ASN:
            digits = value.removeprefix("AS")
            if not _AUTONOMOUS_SYSTEM.fullmatch(digits) or int(digits) >= 2**32:
                raise ValueError(f"{quote(value)} is no AS number; use 0 to 4294967295")
            return digits
        case LocationKind.SUBNET:
            return _parse_subnet(value)
        case LocationKind.DEFAULT:
            return ""
    return value


def _parse_subnet(value: str) -> str:
    if "/" not in value or "%" in value:
        raise ValueError(f"{quote(value)} is no subnet; write address/length such as 192.0.2.0/24")
    try:
        found = ip_network(value)
    except ValueError:
        pass
    else:
        if isinstance(found, IPv6Network) and found.subnet_of(_IPV4_MAPPED):
            ipv4 = IPv4Network((int(found.network_address) & 0xFFFFFFFF, found.prefixlen - 96))
            raise ValueError(f"{quote(value)} is IPv4 in IPv6, and no client is looked up so; write {ipv4}")
        return str(found)
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        raise ValueError(f"{quote(value)} is no subnet; write it as 192.0.2.0/24 or 2001:db8::/32") from None
    raise ValueError(f"{quote(value)} has host bits set; write {network}")
