"""What a new geo database moves, on the real data plane."""

from __future__ import annotations

import random
import time

import pytest

from gslb.errors import SteeringError
from gslb.model.site import (
    Endpoint,
    GeoRule,
    GeoStep,
    LocationKind,
    Policy,
    Pool,
    Pop,
    SteeredName,
    SteeringConfig,
)
from gslb.steering.compile import compile_steering
from gslb.steering.databases import before_and_after
from gslb.steering.moves import DemandRow, moved_demand, moves_between, share
from tests.geo import write_countries, write_database

NAMES = ("www.example.com.", "api.example.com.")


def config(*databases):
    rules = (
        GeoRule(kind=LocationKind.COUNTRY, value="DE", units=("fra",)),
        GeoRule(kind=LocationKind.COUNTRY, value="US", units=("iad",)),
        GeoRule(kind=LocationKind.DEFAULT, value="", units=("iad",)),
    )
    endpoints = (Endpoint(pop="fra", address="192.0.2.1"), Endpoint(pop="iad", address="192.0.2.2"))
    return SteeringConfig(
        pops=(Pop(name="fra"), Pop(name="iad")),
        pools=(Pool(name="web", endpoints=endpoints),),
        policies=(Policy(name="near", steps=(GeoStep(rules=rules),)),),
        names=tuple(SteeredName(name=name, pool="web", policy="near") for name in NAMES),
        databases=tuple(map(str, databases)),
    )


@pytest.fixture
def old(tmp_path):
    return write_countries(
        tmp_path / "old.mmdb", {"10.0.0.0/8": "DE", "11.0.0.0/8": "US", "2001:db8::/32": "DE"}
    )


@pytest.fixture
def new(tmp_path):
    networks = {"10.0.0.0/8": "DE", "10.64.0.0/10": "US", "11.0.0.0/8": "US", "2001:db8::/32": "US"}
    return write_countries(tmp_path / "new.mmdb", networks)


def compare(old, new, limit=3):
    before, after = compile_steering(config(old)), compile_steering(config(new))
    assert not after.has_map_of(before)
    return moves_between(before, after, config(new), limit)


def test_moves_are_told_by_name_country_and_pop(old, new):
    moves = compare(old, new)
    assert moves.omitted == 0
    assert (moves.known.ipv4, moves.known.ipv6) == (2 << 24, 65_536)
    (tree,) = moves.trees
    assert tree.names == dict.fromkeys(NAMES, ("A",))
    assert (tree.moved.networks, tree.moved.ipv4, tree.moved.ipv6) == (2, 1 << 22, 65_536)
    (move,) = tree.moves
    assert (move.country, move.source, move.target) == ("US", ("fra",), ("iad",))
    assert move.examples == ("10.64.0.0/10", "2001:db8::/32")
    assert compare(old, new, 1).trees[0].moves[0].examples == ("10.64.0.0/10",)
    # By country as it was before: a quarter of Germany moves.
    assert tree.countries == {"DE": 0.25}


def test_demand_is_weighted_by_the_share_of_its_country_that_moves(old, new):
    (tree,) = compare(old, new).trees
    demand = [
        DemandRow("www.example.com.", "A", "DE", 40.0),
        DemandRow("api.example.com.", "A", "DE", 4.0),
        DemandRow("www.example.com.", "A", "US", 56.0),
        DemandRow("www.example.com.", "AAAA", "DE", 1000.0),
        DemandRow("other.example.com.", "A", "DE", 1000.0),
    ]
    found = moved_demand(tree, demand)
    assert (found.rate, found.moved) == (100.0, 11.0)
    assert (share(11, 100), share(0, 0), share(2, 1)) == (0.11, 0.0, 1.0)


def test_the_same_database_moves_nothing(old, tmp_path):
    copy = tmp_path / "copy.mmdb"
    copy.write_bytes(old.read_bytes())
    before, after = compile_steering(config(old)), compile_steering(config(copy))
    assert after.has_map_of(before)
    assert moves_between(before, after, config(copy), 3).trees == ()


class Site:
    """Three databases of a site, and others beside."""

    def __init__(self, path):
        self.path = path
        self.databases = [self.file(f"site/{name}") for name in ("city.mmdb", "asn.mmdb", "extra.mmdb")]

    def file(self, name):
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
        return str(path)


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def replaced(site, old, new, databases=None):
    """Which of the databases differ: (index, before, after)."""
    before, after = before_and_after(databases or site.databases, site.path / old, site.path / new)
    pairs = enumerate(zip(before, after, strict=True))
    return [
        (number, *(str(path).removeprefix(f"{site.path}/") for path in pair))
        for number, pair in pairs
        if pair[0] != pair[1]
    ]


def test_a_file_takes_the_place_of_the_database_that_it_is_compared_with(site):
    site.file("new.mmdb")
    site.file("2026/city.mmdb")
    assert replaced(site, "site/asn.mmdb", "new.mmdb") == [(1, "site/asn.mmdb", "new.mmdb")]
    # What was archived, against what is in force.
    assert replaced(site, "new.mmdb", "site/asn.mmdb") == [(1, "new.mmdb", "site/asn.mmdb")]
    # Two that are not in force, one of them by name.
    assert replaced(site, "new.mmdb", "2026/city.mmdb") == [(0, "new.mmdb", "2026/city.mmdb")]
    # A link to one in force.
    (site.path / "current.mmdb").symlink_to("site/extra.mmdb")
    assert replaced(site, "current.mmdb", "new.mmdb") == [(2, "site/extra.mmdb", "new.mmdb")]
    # There is but one.
    site.file("older.mmdb")
    assert replaced(site, "older.mmdb", "new.mmdb", site.databases[:1]) == [(0, "older.mmdb", "new.mmdb")]


def test_directories_replace_what_they_hold_by_name(site):
    for name in ("march/city.mmdb", "march/asn.mmdb", "april/city.mmdb", "april/other.mmdb"):
        site.file(name)
    assert replaced(site, "march", "april") == [
        (0, "march/city.mmdb", "april/city.mmdb"),
        (1, "march/asn.mmdb", "site/asn.mmdb"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("gone.mmdb", "new.mmdb", "there is no file or directory"),
        ("x" * 300, "new.mmdb", "xxx: File name too long"),
        ("new.mmdb", "newer.mmdb", "it is unclear which of the site's geo databases"),
        ("site", "new.mmdb", "must both be files, or both be directories"),
        ("site", "empty", "none of the site's geo databases (city.mmdb, asn.mmdb, extra.mmdb) is in"),
    ],
)
def test_what_is_unclear_is_said(site, old, new, words):
    site.file("new.mmdb")
    site.file("newer.mmdb")
    (site.path / "empty").mkdir()
    with pytest.raises(SteeringError) as raised:
        replaced(site, old, new)
    assert words in str(raised.value)


def test_a_site_without_databases_has_nothing_to_replace(site):
    with pytest.raises(SteeringError, match="names no geo databases"):
        before_and_after([], site.path, site.path)


BROKEN = {
    "empty": lambda whole: b"",
    "text": lambda whole: b"not a database\n",
    "half": lambda whole: whole[: len(whole) // 2],
    "cut short": lambda whole: whole[:-1],
    "without its data": lambda whole: whole[whole.rindex(b"\xab\xcd\xefMaxMind.com") :],
    "zeros": lambda whole: bytes(len(whole)),
}


@pytest.mark.parametrize("damage", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_database_is_refused_by_name(old, damage):
    old.write_bytes(damage(old.read_bytes()))
    with pytest.raises(SteeringError) as refused:
        compile_steering(config(old))
    assert str(refused.value).startswith(f"the geo database {old} ")


def test_a_database_of_another_kind_is_refused_by_name(tmp_path):
    path = write_database(
        tmp_path / "domain.mmdb", {"10.0.0.0/8": {"domain": "example.com"}}, "GeoIP2-Domain"
    )
    with pytest.raises(
        SteeringError, match=r"domain\.mmdb is of the type \"GeoIP2-Domain\" and says nothing"
    ):
        compile_steering(config(path))


def test_two_thousand_damaged_databases_are_compiled_or_refused_soon(new):
    """As vendors write them, with pointers; the data plane's own tests do many more."""
    dice = random.Random(4)
    whole = new.read_bytes()
    started, refused = time.monotonic(), 0
    for _ in range(2_000):
        octets = bytearray(whole)
        for _ in range(dice.randint(1, 5)):
            at = dice.randrange(len(octets))
            match dice.randrange(4):
                case 0:
                    octets[at] ^= 1 << dice.randrange(8)
                case 1:
                    octets[at : at + dice.randrange(30)] = dice.randbytes(dice.randrange(30))
                case 2:
                    octets[at] = dice.choice((0, 0x1F, 0x20, 0x3F, 0xE0, 0xFF))
                case _:
                    octets[at : at + 8] = octets[dice.randrange(len(octets)) :][:8]
        new.write_bytes(octets)
        try:
            compile_steering(config(new))
        except SteeringError as error:
            refused += 1
            assert str(error).startswith(f"the geo database {new} ")
    assert refused > 200
    assert time.monotonic() - started < 120
