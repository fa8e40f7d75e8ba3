"""Datacenters that lack an address family: gdnsd answers nothing there, and so must the site."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from gslb.config.loader import load_steering
from gslb.config.report import has_errors
from gslb.importers.gdnsd import stand_ins
from tests.unit.importers.gdnsd.cases import Converted

SERVICES = """
service_types => { web => { plugin => http_status port => 8080 ok_thresh => 1 }
  ssh => { plugin => tcp_connect port => 22 ok_thresh => 1 } }
"""
MAP = "m => { datacenters => [fra, iad] map => { EU => [fra, iad], NA => [iad, fra] } }"


def convert(tmp_path, dcmap, record="geoip!www", others=""):
    """``dcmap`` is that of www, and is one line of the configuration."""
    return Converted(
        tmp_path,
        SERVICES + f"plugins => {{ geoip => {{ maps => {{ {MAP} }} resources => {{\n"
        f"www => {{ map => m dcmap => {{ {dcmap} }} }} }} }}\n{others} }}",
        f"www 60 DYNA {record}\n",
    )


def test_a_pool_stands_in_for_the_family_that_a_datacenter_lacks(tmp_path):
    made = convert(tmp_path, "fra => 192.0.2.1 iad => { addrs_v4 => 192.0.2.4 addrs_v6 => 2001:db8::4 }")
    pools = made.yaml("pools")
    assert pools["www"] == {
        "policy": "www", "when_all_down": "serve_all", "pools": ["www.fra", "www.fra.no-v6", "www.iad"],
    }  # fmt: skip
    assert pools["www.fra.no-v6"] == {
        "endpoints": [{"pop": "fra", "address": "100::1", "probe": "192.0.2.1"}]
    }
    every = ["www.fra", "www.fra.no-v6", "www.iad"]
    assert made.yaml("policies")["www"] == [
        {
            "geo": {
                "continent": {"EU": every, "NA": ["www.iad", "www.fra", "www.fra.no-v6"]},
                "default": every,
            }
        },
        {"failover": every},
        {"take": 1},
        {"failover": {"mode": "fence", "tiers": ["www.fra", "www.iad"]}},
    ]
    assert made.found == ["info config:5 import-family"]
    assert "geoip!www has no IPv6 addresses in fra" in made.messages
    assert made.load_errors == []


def test_what_stands_in_is_up_while_its_datacenter_is(tmp_path):
    made = convert(
        tmp_path,
        "fra => { up_thresh => 0.6 service_types => [ web, ssh ] a => 2001:db8::1 b => 2001:db8::2 }"
        " iad => { service_types => down a => 192.0.2.4 }",
    )
    pools = made.yaml("pools")
    assert pools["www.fra.no-v4"] == {
        "monitor": ["web", "ssh"],
        "min_healthy": {"ipv4": 2},
        "endpoints": [
            {"pop": "fra", "address": "198.18.0.1", "probe": "2001:db8::1"},
            {"pop": "fra", "address": "198.18.0.2", "probe": "2001:db8::2"},
        ],
    }
    assert pools["www.iad.no-v6"]["unknown_counts"] == "down"
    steering, findings = load_steering(made.site)
    assert not has_errors(findings)
    by_name = {pool.name: pool for pool in steering.pools}
    assert by_name["www.fra.no-v4"].monitors == by_name["www.fra"].monitors


@pytest.mark.parametrize(
    ("inner", "needed"),
    [
        ("simplefo => { x => { service_types => web primary => 192.0.2.1 secondary => 192.0.2.2 } }", None),
        (
            "weighted => { x => { service_types => web up_thresh => 1.0"
            " a => [ 192.0.2.1, 5 ] b => [ 192.0.2.2, 5 ] } }",
            {"ipv6": 2},
        ),
        (
            "weighted => { x => { service_types => web"
            " g => { a => [ 192.0.2.1, 5 ] } h => { b => [ 192.0.2.2, 5 ] } } }",
            None,
        ),
    ],
)
def test_every_kind_of_resource_has_stand_ins(tmp_path, inner, needed):
    dcmap = f"fra => %{inner.split()[0]}!x iad => 2001:db8::4"
    made = convert(tmp_path, dcmap, others=inner)
    pool = made.yaml("pools")["x.no-v6"]
    assert [one["probe"] for one in pool["endpoints"]] == ["192.0.2.1", "192.0.2.2"]
    assert pool.get("min_healthy") == needed


def test_resources_within_resources_lack_what_their_datacenters_lack(tmp_path):
    made = convert(
        tmp_path,
        "fra => 192.0.2.1 iad => 2001:db8::4",
        "metafo!outer",
        "metafo => { resources => { outer => { datacenters => [a, b, c]"
        " dcmap => { a => %geoip!www b => 192.0.2.5 c => %metafo!four } }\n"
        " four => { datacenters => [d, e] dcmap => { d => 192.0.2.6 e => 192.0.2.7 } } } }",
    )
    pools = made.yaml("pools")
    assert pools["outer"]["pools"] == [
        "www", "www.iad.no-v4", "www.fra.no-v6", "outer.b", "outer.b.no-v6", "four", "four.no-v6",
    ]  # fmt: skip
    assert pools["four.no-v6"]["pools"] == ["four.d.no-v6", "four.e.no-v6"]
    assert made.yaml("policies")["outer"][-1] == {
        "failover": {"mode": "fence", "tiers": ["www", "outer.b", "four"]}
    }
    assert made.load_errors == []


def test_datacenters_that_all_lack_a_family_need_no_stand_ins(tmp_path):
    made = convert(tmp_path, "fra => 192.0.2.1 iad => 192.0.2.2")
    assert set(made.yaml("pools")) == {"www"}
    assert made.found == []


def test_too_many_datacenters_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(stand_ins, "MOST_MEMBERS", 3)
    made = convert(tmp_path, "fra => 192.0.2.1 iad => 2001:db8::4")
    assert made.yaml("pools")["www"]["pools"] == ["www.fra", "www.iad"]
    assert made.found == ["error config:5 import-family"]


def test_no_stand_in_has_the_address_of_another(tmp_path):
    made = convert(tmp_path, "fra => 192.0.2.1 iad => 2001:db8::4")
    found = [one["address"] for pool in made.yaml("pools").values() for one in pool.get("endpoints", ())]
    assert len(set(found)) == len(found) == 4
    assert not any(ip_address(text).is_global for text in found)
