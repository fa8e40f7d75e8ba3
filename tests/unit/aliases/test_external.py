"""Which ALIAS records lead outside, on zones of the data plane."""

from __future__ import annotations

import pytest

from gslb.aliases.external import external_aliases
from gslb.config.leads import MAXIMUM_NAMES
from tests.engine import APEX, Engine

ZONE = (
    APEX
    + """
www 300 IN A 192.0.2.1
in 300 IN ALIAS www
out 300 IN ALIAS CDN.Example.ORG.
through 300 IN ALIAS c1
c1 20 IN CNAME c2
c2 200 IN ALIAS cdn.example.org.
cut 300 IN ALIAS www.sub
sub 300 IN NS ns.sub
ns.sub 300 IN A 192.0.2.54
dname 300 IN ALIAS www.away
away 300 IN DNAME example.org.
wild 300 IN ALIAS a.b.w
*.w 10 IN CNAME cdn.example.org.
other 300 IN ALIAS www.example.net.
gone 300 IN ALIAS nowhere
loop 300 IN ALIAS loop2
loop2 300 IN CNAME loop2
"""
)


CDN = ("cdn.example.org.",)


@pytest.fixture
def find(tmp_path):
    """Of a zone example.com., TTL and targets by the owner's first label."""

    def find(zone, steered):
        engine = Engine(tmp_path, {"example.com.": APEX + zone, "example.net.": APEX})
        zones = {zone.origin: zone for zone in engine.zones}
        aliases = {origin: zone.aliases() for origin, zone in zones.items()}
        found = external_aliases(aliases, zones, steered)
        return {alias.owner.partition(".")[0]: alias[1:] for alias in found.aliases}

    return find


def test_targets_in_no_zone_here_are_external_and_others_are_not(find):
    assert find(ZONE, {}) == {
        "out": (300, CDN, True),
        "through": (300, CDN, True),
        "c2": (200, CDN, True),
        "wild": (300, CDN, True),
        "cut": (300, ("www.sub.example.com.",), True),
        "dname": (300, ("www.away.example.com.",), True),
    }


STEERED = """
apex 60 IN ALIAS c
c IN CNAME www
nested IN ALIAS deep
addresses IN ALIAS web
web IN ALIAS last.example.org.
kept IN ALIAS spare
spare IN ALIAS spare.example.org.
any IN ALIAS any.shop
inside IN ALIAS local
loop IN ALIAS round
"""


def test_every_cname_that_steering_may_choose_is_followed(find):
    steered = {
        "www.example.com.": ("one.example.org.", "TWO.example.org.", "ns1.example.com."),
        "deep.example.com.": ("www.example.com.", "three.example.org."),
        "web.example.com.": (),
        "spare.example.com.": ("one.example.org.",),
        "*.shop.example.com.": ("shop.example.org.",),
        "local.example.com.": ("ns1.example.com.",),
        "round.example.com.": ("loop.example.com.", "round.example.com."),
    }
    assert find(STEERED, steered) == {
        "apex": (60, ("one.example.org.", "two.example.org."), True),
        "nested": (60, ("three.example.org.", "one.example.org.", "two.example.org."), True),
        "web": (60, ("last.example.org.",), True),
        "addresses": (60, ("last.example.org.",), True),
        # What the zone itself has of a steered name is its last resort, which follows an ALIAS.
        "kept": (60, ("one.example.org.", "spare.example.org."), True),
        "spare": (60, ("spare.example.org.",), True),
        "any": (60, ("shop.example.org.",), True),
    }


@pytest.mark.parametrize(("names", "is_whole"), [(MAXIMUM_NAMES - 2, True), (MAXIMUM_NAMES - 1, False)])
def test_names_followed_from_one_alias_are_bounded(find, names, is_whole):
    steered = {
        "www.example.com.": ("all.example.com.", "cdn.example.org."),
        "all.example.com.": [f"n{number}.example.org." for number in range(names - 1)],
    }
    _, targets, told = find("apex 60 IN ALIAS www\n", steered)["apex"]
    assert (len(targets), told) == (MAXIMUM_NAMES - 2, is_whole)
    assert targets[0] == "cdn.example.org."
