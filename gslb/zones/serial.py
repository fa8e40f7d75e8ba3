"""SOA serials: comparison and increment (RFC 1982), their place in the RDATA (RFC 1035 section 3.3.13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gslb._dataplane import Zone

SOA = 6
_MODULUS = 2**32
_HALF = 2**31
_NUMBERS = 20
"""Octets of the five numbers that end an SOA's RDATA; the serial is the first of them."""


def is_newer(serial: int, other: int) -> bool:
    """Whether ``serial`` is greater than ``other`` in serial number arithmetic (RFC 1982 section 3.2)."""
    return 0 < (serial - other) % _MODULUS < _HALF


def next_serial(serial: int) -> int:
    """The serial after ``serial``; 0 is skipped, since some secondaries take it for no serial."""
    return (serial + 1) % _MODULUS or 1


def with_serial(soa: bytes, serial: int) -> bytes:
    """The SOA RDATA ``soa`` with another serial. Raises ValueError when ``soa`` is too short to be one."""
    if len(soa) < _NUMBERS + 2:
        raise ValueError("the SOA record is too short")
    at = len(soa) - _NUMBERS
    return soa[:at] + serial.to_bytes(4, "big") + soa[at + 4 :]


def with_serial_above(zone: Zone, last: int, *, equal: bool = False) -> Zone:
    """The zone with a serial newer than ``last``, or with ``equal`` the serial ``last`` itself."""
    if is_newer(zone.serial, last) or (equal and zone.serial == last):
        return zone
    soa = zone.rrset(zone.origin, SOA)
    if soa is None:
        raise ValueError(f"the zone {zone.origin} has no SOA record")
    ttl, (rdata, *_) = soa
    serial = last if equal else next_serial(last)
    return zone.with_rrsets([(zone.origin, SOA, ttl, [with_serial(rdata, serial)])])
