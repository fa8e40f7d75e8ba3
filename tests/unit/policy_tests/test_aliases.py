"""Tests of names whose ALIAS leads through the site and out of it."""

from __future__ import annotations

import pytest

from tests.unit.policy_tests.sites import (
    CLIENT,
    GEO,
    problems,
    test_file,
)
from tests.unit.sites import write_site

OUTSIDE = """\
$TTL 300
@ SOA ns1 hostmaster 10 7200 1800 1209600 300
@ NS ns1
ns1 A 192.0.2.53
@ ALIAS cdn.example.net.
www ALIAS away
away CNAME cdn.example.org.
alias CNAME www
spare ALIAS cdn.example.net.
spare A 192.0.2.9
inside ALIAS ns1
*.wild ALIAS cdn.example.com.example.
"""


RESOLVER = "resolver: {nameservers: 192.0.2.53}\n"


def outside(tmp_path, *tests, site=RESOLVER):
    """Messages of the tests that fail, of a site whose ALIAS records lead out of it."""
    directory = write_site(tmp_path / "site", zone=OUTSIDE, site=site)
    asked = [{"client": CLIENT, **one} for one in tests]
    (directory / "tests.yaml").write_text(test_file(*asked))
    return problems(directory)


@pytest.mark.parametrize("rtype", ["A", "AAAA"])
@pytest.mark.parametrize(
    ("ask", "target"),
    [
        ("example.com", "cdn.example.net"),
        ("www.example.com", "cdn.example.org"),
        ("alias.example.com", "cdn.example.org."),
        ("spare.example.com", "cdn.example.net"),
        ("any.wild.example.com", "cdn.example.com.example"),
    ],
)
def test_an_alias_out_of_the_site_is_told_by_its_target(tmp_path, ask, target, rtype):
    right = {"ask": ask, "type": rtype, "expect": {"alias": target, "rcode": "NOERROR", "scope": 0}}
    wrong = {"ask": ask, "type": rtype, "expect": {"alias": "elsewhere.example."}}
    (problem,) = outside(tmp_path, right, wrong)
    end = f"gets the addresses of {target.removesuffix('.')}. by ALIAS, but must get the addresses of "
    assert end + "elsewhere.example. by an ALIAS that leads out of the site" in problem


@pytest.mark.parametrize(
    "expect",
    [{"records": ["192.0.2.9"]}, {"records": []}, {"ttl": 300}, {"alias": "cdn.example.net", "ttl": 1}],
)
def test_what_only_a_resolver_knows_cannot_be_expected(tmp_path, expect):
    (problem,) = outside(tmp_path, {"ask": "spare.example.com", "expect": expect})
    assert (
        "gets the addresses of cdn.example.net. by ALIAS, but what these are only the resolver knows"
        in problem
    )
    assert "expect alias: cdn.example.net." in problem


def test_an_alias_within_the_site_is_followed_to_its_addresses(tmp_path):
    inside = {"ask": "inside.example.com", "expect": {"records": ["192.0.2.53"], "ttl": 300}}
    (problem,) = outside(
        tmp_path, inside, {"ask": "inside.example.com", "expect": {"alias": "ns1.example.com"}}
    )
    assert "gets 192.0.2.53 (no POP), but must get the addresses of ns1.example.com. by" in problem


@pytest.mark.parametrize(("names", "expect"), [(15, {"alias": "example.net"}), (16, {"records": []})])
def test_an_alias_is_followed_out_of_the_site_as_far_as_within_it(tmp_path, names, expect):
    chain = "".join(f"n{number} CNAME n{number + 1}\n" for number in range(1, names))
    zone = f"{OUTSIDE}far ALIAS n1\n{chain}n{names} CNAME example.net.\n"
    directory = write_site(tmp_path / "site", zone=zone, site=RESOLVER)
    (directory / "tests.yaml").write_text(
        test_file({"ask": "far.example.com", "client": CLIENT, "expect": expect})
    )
    assert problems(directory) == []


def test_without_a_resolver_an_alias_out_of_the_site_answers_as_in_the_server(tmp_path):
    tests = (
        {"ask": "example.com", "expect": {"rcode": "SERVFAIL"}},
        {"ask": "spare.example.com", "expect": {"records": ["192.0.2.9"]}},
    )
    assert outside(tmp_path, *tests, site="") == []


MULTI_CDN = f"""\
pops: {{fra: , ams: }}
geo: {{databases: [{GEO}]}}
{RESOLVER}
pools:
  cdn:
    when_all_down: servfail
    endpoints: [{{pop: fra, cname: cdn1.example.net.}}, {{pop: ams, cname: cdn2.example.org.}}]
policies:
  near:
    - geo: {{country: {{DE: [fra, ams]}}, default: [ams]}}
    - take: 1
names:
  www.example.com: {{pool: cdn, policy: near, ttl: 20}}
"""


@pytest.mark.parametrize(
    ("settings", "alias"),
    [
        ({"client": {"country": "DE"}}, "cdn1.example.net"),
        ({"client": {"country": "DE"}, "down": ["fra"]}, "cdn2.example.org"),
        ({"client": {"country": "SG"}}, "cdn2.example.org"),
    ],
)
def test_an_alias_that_steering_leads_out_of_the_site_is_told_by_its_target(tmp_path, settings, alias):
    zone = OUTSIDE.replace("www ALIAS away\n", "").replace("@ ALIAS cdn.example.net.", "@ ALIAS www")
    directory = write_site(tmp_path / "site", zone=zone, site=MULTI_CDN)
    asked = {"ask": "example.com", **settings}
    right = {**asked, "expect": {"alias": alias, "rcode": "NOERROR"}}
    wrong = {**asked, "expect": {"alias": "cdn.example.net"}}
    (directory / "tests.yaml").write_text(test_file(right, wrong))
    (problem,) = problems(directory)
    assert f"gets the addresses of {alias}. by ALIAS, but must get the addresses of cdn." in problem
