"""Sites with policy tests, and what `gslb check` says of these."""

from __future__ import annotations

import json
from pathlib import Path

from gslb.cli.check import check_site

GEO = str(Path(__file__).parents[3] / "geo_fixtures/build/city.mmdb")


EXAMPLE = Path(__file__).parents[3] / "zones"


BY_COUNTRY = f"""\
pops: {{fra: , ams: , sin: }}
geo: {{databases: [{GEO}]}}
pools:
  web:
    when_all_down: nodata
    unknown_counts: down
    endpoints:
      - {{pop: fra, address: 192.0.2.1}}
      - {{pop: ams, address: 192.0.2.2}}
      - {{pop: sin, address: 192.0.2.3}}
policies:
  near:
    - geo: {{country: {{DE: [fra, ams]}}, default: [sin]}}
    - take: 1
names:
  www.example.com: {{pool: web, policy: near, ttl: 20}}
"""


CLIENT = "198.51.100.7"


DE, SINGAPORE = {"country": "DE"}, {"country": "SG"}


def test_file(*tests):
    return "tests:\n" + "".join(f"  - {json.dumps(test)}\n" for test in tests)


test_file.__test__ = False


def test(**settings):
    return {"ask": "www.example.com", **settings}


test.__test__ = False


def problems(directory):
    return [
        finding.message for finding in check_site(directory).findings if finding.rule == "site-test-failed"
    ]
