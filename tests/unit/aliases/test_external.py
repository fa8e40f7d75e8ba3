"""Which ALIAS records lead outside, on zones of the data plane."""

from __future__ import annotations

import pytest

from gslb.aliases.external import external_aliases
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


@pytest.fixture
def found(tmp_path):
    engine = Engine(tmp_path, {"example.com.": ZONE, "example.net.": APEX})
    zones = {zone.origin: zone for zone in engine.zones}
    aliases = {origin: zone.aliases() for origin, zone in zones.items()}
    return {alias.owner.partition(".")[0]: alias[1:] for alias in external_aliases(aliases, zones)}


def test_targets_in_no_zone_here_are_external_and_others_are_not(found):
    assert found == {
        "out": ("cdn.example.org.", 300),
        "through": ("cdn.example.org.", 20),
        "c2": ("cdn.example.org.", 200),
        "wild": ("cdn.example.org.", 10),
        "cut": ("www.sub.example.com.", 300),
        "dname": ("www.away.example.com.", 300),
    }
