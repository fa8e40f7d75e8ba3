"""The test geo databases, read back."""

import runpy
from pathlib import Path

import maxminddb
import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def build():
    return runpy.run_path(str(ROOT / "geo_fixtures" / "build.py"))["build"]


@pytest.fixture(scope="module")
def databases(build, tmp_path_factory):
    paths = build(tmp_path_factory.mktemp("geo"))
    opened = {path.stem: maxminddb.open_database(path) for path in paths}
    yield opened
    for database in opened.values():
        database.close()


def test_metadata(databases):
    types = {name: database.metadata().database_type for name, database in databases.items()}
    assert types == {"city": "GeoIP2-City", "country": "GeoIP2-Country", "asn": "GeoLite2-ASN"}
    assert all(database.metadata().ip_version == 6 for database in databases.values())


@pytest.mark.parametrize(
    ("address", "prefix_length", "country", "subdivision", "coordinates"),
    [
        ("10.49.0.1", 17, "DE", None, (50.11, 8.68)),
        ("10.49.129.1", 18, "DE", "BE", (52.52, 13.40)),
        ("10.49.200.1", 24, "DE", "BY", (48.14, 11.58)),
        ("10.47.0.1", 16, "NO", None, (59.91, 10.75)),
        ("10.20.0.1", 16, "EG", None, None),
        ("203.0.113.65", 26, "JP", "13", (35.68, 139.69)),
        ("2001:db8:49::1", 49, "DE", "BE", (52.52, 13.40)),
        ("2001:db8:49:8000::1", 49, "DE", "BY", (48.14, 11.58)),
    ],
)
def test_the_most_specific_network_decides(
    databases, address, prefix_length, country, subdivision, coordinates
):
    record, length = databases["city"].get_with_prefix_len(address)
    assert length == prefix_length
    assert record["country"]["iso_code"] == country
    assert [part["iso_code"] for part in record.get("subdivisions", [])] == (
        [subdivision] if subdivision else []
    )
    location = record.get("location")
    assert (location and (location["latitude"], location["longitude"])) == coordinates
    assert databases["country"].get(address)["country"]["iso_code"] == country


def test_locations_that_say_little(databases):
    assert databases["city"].get("10.99.0.1") == {"continent": {"code": "EU", "names": {"en": "Europe"}}}
    assert databases["city"].get("198.18.0.1") == {}
    assert databases["city"].get("8.8.8.8") is None


def test_autonomous_systems(databases):
    assert databases["asn"].get("10.49.0.1")["autonomous_system_number"] == 64510
    assert databases["asn"].get("198.18.0.1")["autonomous_system_number"] == 4200000001


def test_ipv4_is_at_the_root_of_the_ipv6_tree(databases):
    assert databases["city"].get("::10.47.0.1") == databases["city"].get("10.47.0.1")


def test_the_same_source_gives_the_same_octets(build, tmp_path):
    first = [path.read_bytes() for path in build(tmp_path / "a")]
    second = [path.read_bytes() for path in build(tmp_path / "b")]
    assert first == second
