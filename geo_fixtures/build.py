#!/usr/bin/env python3
"""Build the test geo databases from networks.yaml: ``python geo_fixtures/build.py [OUTPUT_DIRECTORY]``.

Writes city.mmdb, country.mmdb and asn.mmdb, of GeoIP2 shape, as IPv6 trees with IPv4 at ``::/96``. The same
source gives the same octets.
"""

from __future__ import annotations

import sys
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from mmdb_writer import MmdbF64, MmdbU32, MMDBWriter
from netaddr import IPSet

from gslb.config.yaml import parse

HERE = Path(__file__).parent
SOURCE = HERE / "networks.yaml"
OUTPUT = HERE / "build"
EPOCH = 1_767_225_600
"""The build time that the databases claim: 2026-01-01T00:00:00Z."""

DATABASE_TYPES = {"city": "GeoIP2-City", "country": "GeoIP2-Country", "asn": "GeoLite2-ASN"}
CONTINENTS = {
    "AF": "Africa",
    "AN": "Antarctica",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}

Row = dict[str, Any]
Network = IPv4Network | IPv6Network

# The writer stores equal values once only when they are one object.
unsigned = cache(MmdbU32)
double = cache(MmdbF64)


class Writer(MMDBWriter):
    """A writer whose output does not depend on the time of day."""

    def _build_meta(self) -> dict[str, Any]:
        return {**super()._build_meta(), "build_epoch": EPOCH}


def read_networks(source: Path = SOURCE) -> dict[Network, Row]:
    """The networks of the source and their rows, wider networks first."""
    document, problems = parse(source.read_text(encoding="utf-8"))
    if document is None or problems:
        raise SystemExit("\n".join(f"{source}:{p.position.line}: {p.message}" for p in problems))
    networks = {ip_network(text): row for text, row in document.value["networks"].items()}
    return dict(sorted(networks.items(), key=lambda item: (item[0].version, item[0].prefixlen, item[0])))


def country_record(row: Row) -> Row:
    """What a GeoIP2 Country database says of a row."""
    record: Row = {}
    if "continent" in row:
        code = row["continent"]
        record["continent"] = {"code": code, "names": {"en": CONTINENTS[code]}}
    if "country" in row:
        country = {"iso_code": row["country"]}
        record |= {"country": country, "registered_country": country}
    return record


def city_record(row: Row) -> Row:
    """What a GeoIP2 City database says of a row."""
    record = country_record(row)
    if "city" in row:
        record["city"] = {"names": {"en": row["city"]}}
    if "at" in row:
        latitude, longitude = row["at"]
        record["location"] = {"latitude": double(latitude), "longitude": double(longitude)}
    if "subdivision" in row:
        record["subdivisions"] = [{"iso_code": row["subdivision"]}]
    return record


def asn_record(row: Row) -> Row:
    """What a GeoLite2 ASN database says of a row."""
    if "asn" not in row:
        return {}
    return {
        "autonomous_system_number": unsigned(row["asn"]),
        "autonomous_system_organization": row["organization"],
    }


RECORDS = {"city": city_record, "country": country_record, "asn": asn_record}


def build(output: Path = OUTPUT) -> list[Path]:
    """Write the three databases into ``output`` and return their paths."""
    output.mkdir(parents=True, exist_ok=True)
    networks = read_networks()
    written = []
    for name, database_type in DATABASE_TYPES.items():
        writer = Writer(
            ip_version=6,
            database_type=database_type,
            languages=["en"],
            description=f"gslb test data, {name}",
            ipv4_compatible=True,
        )
        for network, row in networks.items():
            # A row without data here still hides the wider network: an empty record says "nothing known".
            writer.insert_network(IPSet([str(network)]), RECORDS[name](row))
        path = output / f"{name}.mmdb"
        writer.to_db_file(str(path))
        written.append(path)
    return written


if __name__ == "__main__":
    for built in build(Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT):
        sys.stdout.write(f"{built}\n")
