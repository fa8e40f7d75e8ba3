"""Geo databases that lack what policies look at, and places that they do not have."""

from __future__ import annotations

import pytest

from gslb.cli.check import check_site
from tests.geo import write_countries, write_database
from tests.unit.sites import SITE, write_site

DEFAULT = "    - geo: {default: [ams]}\n"
DISTANCE = "    - distance\n"
BY_COUNTRY = "    - geo: {country: {DE: fra}}\n"
BY_ASN = "    - asn: {64511: fra}\n"
HEADER = "network,continent,country,subdivision,asn,latitude,longitude\n"


def where(place):
    return f"{place.file}:{place.line}" if place.line else place.file


@pytest.fixture
def check(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_database(tmp_path / "asn.mmdb", {"192.0.2.0/24": {"autonomous_system_number": 64500}})
    write_database(tmp_path / "asn2.mmdb", {"192.0.3.0/24": {"autonomous_system_number": 64501}})
    write_countries(tmp_path / "country.mmdb", {"192.0.2.0/24": "DE", "198.51.100.0/24": "GB"})
    write_database(
        tmp_path / "city.mmdb",
        {
            "192.0.2.0/24": {
                "country": {"iso_code": "DE"},
                "continent": {"code": "EU"},
                "location": {"latitude": 50.0, "longitude": 8.0},
            }
        },
    )

    def run(steps, *databases, overrides="", latency="location,pop,ms\ndefault,fra,1\n", more=""):
        named = ", ".join(f"../{name}.mmdb" for name in databases)
        geo = f"geo: {{databases: [{named}]{', overrides: o.csv' if overrides else ''}}}\n"
        site = SITE.replace(DISTANCE, "").replace(DEFAULT, steps) + geo + more
        directory = write_site(tmp_path / "site", site=site, latency=latency)
        (directory / "o.csv").write_text(HEADER + overrides)
        rules = ("site-geo", "geo-")
        checked = check_site(directory)
        found = [finding for finding in checked.findings if finding.rule.startswith(rules)]
        return checked, [(one.rule, where(one.place), one.message) for one in found]

    return run


@pytest.mark.parametrize(
    ("steps", "databases", "kind"),
    [
        (BY_COUNTRY, ("asn", "asn2"), "places"),
        (DISTANCE, ("asn",), "coordinates"),
        (BY_ASN, ("country", "city"), "AS numbers"),
    ],
)
def test_what_no_database_has_is_an_error(check, steps, databases, kind):
    checked, ((rule, place, message),) = check(steps, *databases)
    assert not checked.is_usable
    assert (rule, place) == ("site-geo-database", f"{databases[0]}.mmdb")
    assert message.startswith(
        f"policy 'measured' (at site/site.yaml:12:3) looks at {kind} of clients, but no geo database has "
        f"any: {databases[0]}.mmdb has "
    )


@pytest.mark.parametrize(
    ("steps", "databases", "overrides"),
    [
        (BY_COUNTRY, ("asn", "country"), ""),
        (BY_COUNTRY, ("asn",), "203.0.113.0/24,,DE,,,,\n"),
        (DISTANCE, ("asn",), "203.0.113.0/24,,,,,50,8\n"),
        (DISTANCE, ("country",), ""),
        (BY_ASN, ("country",), "203.0.113.0/24,,,,64511,,\n"),
        (DEFAULT, ("asn",), ""),
    ],
)
def test_one_database_or_override_is_enough(check, steps, databases, overrides):
    checked, found = check(steps, *databases, overrides=overrides)
    assert (checked.is_usable, found) == (True, [])


def test_latency_by_country_needs_countries(check):
    table = "location,pop,ms\ncountry:DE,fra,1\n"
    checked, ((_, _, message),) = check("", "asn", latency=table)
    assert not checked.is_usable
    assert "looks at places of clients" in message
    assert check("", "city", latency=table)[1] == []


def test_countries_that_no_database_has(check):
    # What the site's own overrides say is known to its rules.
    steps = "    - geo: {country: {UK: fra, ZZ: sin, DE: ams, QQ: ams}, subdivision: {ZZ-A: fra}}\n"
    overrides = "203.0.113.0/24,,QQ,,,,\n198.51.100.0/24,,,UK-ENG,,,\n"
    checked, found = check(steps, "country", "asn", overrides=overrides)
    assert checked.is_usable
    assert [(rule, place) for rule, place, _ in found] == [
        ("geo-unknown-place", "site/o.csv:2"),
        ("geo-unknown-place", "site/o.csv:3"),
        *[("geo-unknown-place", "site/site.yaml:13")] * 2,
    ]
    assert found[0][2] == (
        "the override of 203.0.113.0/24 names the country QQ, which no geo database has; "
        "correct the code, or the databases"
    )
    assert found[1][2].endswith(
        "names the country UK, which no geo database has; the code of that country is GB"
    )
    texts = sorted(message.partition(", which")[0] for _, _, message in found[2:])
    assert texts == [f"policy 'measured' names the country {code}" for code in ("ZZ", "ZZ")]


def test_a_country_on_another_continent(check):
    overrides = "203.0.113.0/24,NA,DE,,,,\n198.51.100.0/24,EU,,DE-HE,,,\n198.51.101.0/24,AS,,DE-HE,,,\n"
    _, found = check(DEFAULT, "city", overrides=overrides)
    assert [(rule, place) for rule, place, _ in found] == [
        ("geo-contradictory-place", "site/o.csv:2"),
        ("geo-contradictory-place", "site/o.csv:4"),
    ]
    assert "says continent NA and country DE, which the geo databases have in EU" in found[0][2]


def test_they_can_be_silenced(check):
    steps = "    - geo: {country: {ZZ: fra}}\n"
    checked, found = check(steps, "country", more="checks: {silence: [geo-unknown-place]}\n")
    assert (found, checked.silenced) == ([], 1)
