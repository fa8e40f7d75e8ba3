"""Geo databases for tests, written as they are needed."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet

if TYPE_CHECKING:
    from pathlib import Path


def write_countries(path: Path, countries: dict[str, str]) -> Path:
    """A Country database: country codes by network; a longer network is taken from those around it."""
    return write_database(
        path, {network: {"country": {"iso_code": code}} for network, code in countries.items()}
    )


def write_database(path: Path, records: dict[str, dict[str, Any]], kind: str = "GeoIP2-Country") -> Path:
    """A database with these records, put in place at once."""
    writer = MMDBWriter(ip_version=6, database_type=kind, languages=["en"], ipv4_compatible=True)
    for network, record in sorted(records.items(), key=lambda item: ip_network(item[0]).prefixlen):
        writer.insert_network(IPSet([network]), record)
    new = path.with_name(f".{path.name}.new")
    writer.to_db_file(str(new))
    new.rename(path)
    return path
