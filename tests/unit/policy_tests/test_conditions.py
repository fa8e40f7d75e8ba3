"""What tests suppose to be down, drained or loaded, and whose POPs the records are."""

from __future__ import annotations

import pytest

from gslb.cli.check import check_site
from tests.unit.policy_tests.sites import (
    CLIENT,
    problems,
    test_file,
)
from tests.unit.sites import write_site

BY_LOAD = """\
pops: {fra: , ams: }
pools:
  web:
    when_all_down: last_good
    endpoints:
      - {pop: fra, address: 192.0.2.1}
      - {pop: ams, address: 192.0.2.2}
  cdn:
    endpoints:
      - {pop: fra, cname: customer.cdn-one.example.}
      - {pop: ams, cname: Customer.cdn-two.example.}
  mail:
    endpoints:
      - {pop: fra, records: {MX: ["10 mx1.example.net."], TXT: ["v=spf1 -all"]}}
      - {pop: ams, records: {MX: ["10 mx2.example.net."], TXT: ["v=spf1 -all"]}}
policies:
  ordered: [failover: [fra, ams], shed: {low: 0.5, high: 0.8}]
names:
  www.example.com: {pool: web, policy: ordered}
  cdn.example.com: {pool: cdn, policy: ordered}
  mail.example.com: {pool: mail, policy: ordered}
"""


def test_supposed_loads_shed(site):
    directory = site(
        {"ask": "www.example.com", "client": CLIENT, "expect": {"pops": "fra"}},
        {"ask": "www.example.com", "client": CLIENT, "load": {"fra": 0.9}, "expect": {"pops": "ams"}},
        {"ask": "www.example.com", "client": CLIENT, "load": {"fra": 0.4}, "expect": {"pops": "fra"}},
        {"ask": "www.example.com", "client": CLIENT, "load": {"fra": 0.9}, "expect": {"pops": "fra"}},
        site=BY_LOAD,
    )
    (problem,) = problems(directory)
    assert problem.endswith("with fra at load 0.9 gets 192.0.2.2 (ams), but must get fra")


def test_before_the_conditions_everything_served(site):
    directory = site(
        {"ask": "www.example.com", "client": CLIENT, "down": ["fra", "ams"], "expect": {"pops": "fra"}},
        {
            "ask": "www.example.com",
            "client": CLIENT,
            "down": ["fra", "ams"],
            "drain": ["fra"],
            "expect": {"pops": "ams"},
        },
        site=BY_LOAD,
    )
    assert check_site(directory).is_usable, check_site(directory).findings


def test_pops_of_cnames_and_declared_records(site):
    directory = site(
        {"ask": "cdn.example.com", "client": CLIENT, "expect": {"pops": "fra"}},
        {
            "ask": "cdn.example.com",
            "client": CLIENT,
            "down": ["fra"],
            "expect": {"pops": "ams", "never": "fra"},
        },
        {
            "ask": "cdn.example.com",
            "type": "CNAME",
            "client": CLIENT,
            "expect": {"records": ["customer.cdn-one.example."], "pops": "fra"},
        },
        {"ask": "mail.example.com", "type": "MX", "client": CLIENT, "expect": {"pops": "fra"}},
        {
            "ask": "mail.example.com",
            "type": "MX",
            "client": CLIENT,
            "drain": ["fra"],
            "expect": {"pops": "ams"},
        },
        {"ask": "mail.example.com", "type": "TXT", "client": CLIENT, "expect": {"pops": ["fra", "ams"]}},
        site=BY_LOAD,
    )
    assert check_site(directory).is_usable, check_site(directory).findings


CHOSEN = """\
pops: {fra: , ams: , iad: }
pools:
  geo:
    when_all_down: fallback
    endpoints: [{pop: ams, address: 192.0.2.2}, {pop: ams, address: "2001:db8::2"}]
  other:
    when_all_down: nodata
    endpoints: [{pop: iad, address: 192.0.2.2}]
  away:
    when_all_down: nodata
    endpoints: [{pop: iad, cname: geo.example.com.}]
policies: {ordered: [failover: [fra, ams, iad]]}
names:
  geo.example.com: {pool: geo, policy: ordered}
  other.example.com: {pool: other, policy: ordered}
  cdn.example.com: {pool: away, policy: ordered}
  "*.any.example.com": {pool: geo, policy: ordered}
"""


CHOSEN_ZONE = """\
$TTL 300
@ SOA ns1 hostmaster 10 7200 1800 1209600 300
@ NS ns1
ns1 A 192.0.2.2
@ ALIAS geo
@ HTTPS 1 geo ipv4hint=192.0.2.2
*.w CNAME geo
geo A 192.0.2.2
geo HTTPS 1 . alpn=h2 ipv4hint=192.0.2.77 ipv6hint=2001:db8::77
*.any A 192.0.2.9
"""


@pytest.mark.parametrize(
    ("ask", "asked", "pops"),
    [
        ("geo", {}, "ams"),
        ("other", {}, "iad"),
        ("x.w", {}, "ams"),
        ("x.w", {"type": "CNAME"}, ""),
        ("cdn", {}, "ams iad"),
        ("cdn", {"type": "CNAME"}, "iad"),
        ("x.any", {}, "ams"),
        ("", {}, "ams"),
        ("ns1", {}, ""),
        ("geo", {"down": ["ams"]}, ""),
        ("x.any", {"down": ["ams"]}, ""),
        ("geo", {"type": "HTTPS"}, "ams"),
        ("x.w", {"type": "HTTPS"}, "ams"),
        ("geo", {"type": "HTTPS", "down": ["ams"]}, ""),
        ("", {"type": "HTTPS"}, ""),
    ],
)
def test_records_are_of_the_pops_that_steering_chose(tmp_path, monkeypatch, ask, asked, pops):
    monkeypatch.chdir(tmp_path)
    directory = write_site(tmp_path / "site", zone=CHOSEN_ZONE, site=CHOSEN)
    expect = {"pops": pops.split()} if pops else {"rcode": "NOERROR", "never": ["fra", "ams", "iad"]}
    one = {"ask": f"{ask}.example.com".lstrip("."), "client": CLIENT, **asked, "expect": expect}
    (directory / "tests.yaml").write_text(test_file(one))
    assert check_site(directory).is_usable, check_site(directory).findings
