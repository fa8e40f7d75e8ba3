"""Maps, and resources of geoip and metafo."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from gslb.importers.gdnsd import policies
from gslb.importers.gdnsd.policies import _parts
from gslb.model.finding import NOWHERE
from tests.unit.importers.gdnsd.cases import Converted

MAP = """
m => { datacenters => [us, de, sg]
  map => { default => [sg, us, de],
    NA => { default => [us, de, sg], US => { CA => [sg, us, de] }, MX => [us, sg, de] }
    EU => { DE => [de, us, sg] }, AF => [de, us, sg] }
  nets => { 10.0.0.0/8 => [ de, us, sg ], 10.1.0.0/16 => [ de, us, sg ], ::198.51.100.0/120 => sg } }
a => { datacenters => [us, de, sg] auto_dc_coords => { us => [ 38.9, -77 ], de => [ 50.1, 8.7 ] }
  auto_dc_limit => 2 map => { OC => [us, sg], EU => { default => [de, us, sg], GB => auto }, AS => auto } }
h => { datacenters => [us, de, sg] map => { AS => [] } }
e => { datacenters => [us, de, sg] nets => extnets ignore_ecs => true }
"""
RESOURCES = """
www => { map => m dcmap => { us => 192.0.2.1, de => [ 192.0.2.2, 192.0.2.3 ], sg => 192.0.2.4 } }
skip => { map => m skip_first => true dcmap => { us => 192.0.2.1, de => 192.0.2.2, sg => 192.0.2.4 } }
wide => { map => m dcmap => { us => [ 192.0.2.11, 192.0.2.12, 192.0.2.13 ]
  de => %multifo!x sg => 192.0.2.14 } }
auto => { map => a dcmap => { us => 192.0.2.1, de => 192.0.2.2, sg => 192.0.2.4 } }
holes => { map => h dcmap => { us => 192.0.2.1, de => 192.0.2.2, sg => 192.0.2.4 } }
nets => { map => e dcmap => { us => 192.0.2.1, de => 192.0.2.2, sg => 192.0.2.4 } }
names => { map => m dcmap => { us => us.example.net., de => de.example.net., sg => sg.example.net. } }
"""
META = """
flat => { datacenters => [d1, d2] dcmap => { d1 => 192.0.2.1, d2 => 192.0.2.2 } }
skip => { skip_first => true datacenters => [d1, d2] dcmap => { d1 => 192.0.2.1, d2 => 192.0.2.2 } }
same => { datacenters => [d1, d2] dcmap => { d1 => 192.0.2.1, d2 => [ 192.0.2.1, 192.0.2.2 ] } }
deep => { datacenters => [d1, d2] dcmap => { d1 => %geoip!www, d2 => { plugin => simplefo primary => 192.0.2.1
  secondary => 192.0.2.2 } } }
mixed => { datacenters => [d1, d2] dcmap => { d1 => 192.0.2.1, d2 => last.example.net. } }
asker => { datacenters => [d1, d2] dcmap => { d1 => 192.0.2.1, d2 => %reflect!dns } }
loop => { datacenters => [d1] dcmap => { d1 => %metafo!loop } }
"""
CONFIG = (
    f"plugins => {{ multifo => {{ x => [ 192.0.2.91, 192.0.2.92 ] }} geoip => {{ maps => {{ {MAP} }}"
    f" resources => {{ {RESOURCES} }} }} metafo => {{ resources => {{ {META} }} }} }}"
)
EXTNETS = "192.0.2.0/24 => us\n2001:db8::/32 => [ de, us ]\n"


def convert(tmp_path, *records):
    zone = "".join(f"n{index} 60/60 {record}\n" for index, record in enumerate(records))
    return Converted(tmp_path, CONFIG, zone, geoip__extnets=EXTNETS)


def test_a_map_is_one_policy_for_pools_by_datacenter(tmp_path):
    made = convert(tmp_path, "DYNA geoip!www", "DYNC geoip!names")
    assert made.yaml("policies") == {
        "m": [
            {
                "geo": {
                    "subnet": {"10.0.0.0/8": ["de", "us", "sg"], "198.51.100.0/24": ["sg"]},
                    "continent": {"NA": ["us", "de", "sg"], "AF": ["de", "us", "sg"]},
                    "country": {"MX": ["us", "sg", "de"], "DE": ["de", "us", "sg"]},
                    "subdivision": {"US-CA": ["sg", "us", "de"]},
                    "default": ["sg", "us", "de"],
                }
            },
            {"failover": ["us", "de", "sg"]},
        ]
    }
    pool = made.yaml("pools")["www"]
    assert [one["pop"] for one in pool["endpoints"]] == ["us", "de", "de", "sg"]
    assert made.yaml("pools")["names"]["endpoints"][0] == {"pop": "us", "cname": "us.example.net."}
    assert made.yaml("names")["n0.example.com"] == {"pool": "www", "ttl": 60}


def test_datacenters_that_need_more_than_one_address_are_pools(tmp_path):
    made = convert(tmp_path, "DYNA geoip!wide")
    pools = made.yaml("pools")
    assert pools["wide"] == {
        "policy": "wide", "when_all_down": "serve_all", "pools": ["wide.us", "x", "wide.sg"]
    }  # fmt: skip
    assert pools["wide.us"]["min_healthy"] == {"ipv4": 2}
    assert pools["x"]["endpoints"][0]["pop"] == "de"
    steps = made.yaml("policies")["wide"]
    assert steps[0]["geo"]["continent"]["AF"] == ["x", "wide.us", "wide.sg"]


def test_automatic_maps_order_by_distance(tmp_path):
    made = convert(tmp_path, "DYNA geoip!auto")
    assert made.yaml("policies")["a"] == [
        {
            "geo": {
                "continent": {"OC": ["us", "sg"], "EU": ["de", "us", "sg"]},
                "country": {"GB": ["nowhere"]},
            }
        },
        "distance",
        {"failover": ["us", "de", "sg"]},
    ]
    assert made.yaml("pops")["us"] == {"latitude": 38.9, "longitude": -77}
    assert made.yaml("pops")["sg"] is None
    assert made.found == ["info config:7 import-limit"]


def test_places_without_datacenters_fence(tmp_path):
    made = convert(tmp_path, "DYNA geoip!holes")
    every = ["us", "de", "sg"]
    assert made.yaml("policies")["h"] == [
        {"geo": {"continent": {"AS": ["nowhere"]}, "default": every}},
        {"failover": every},
        {"geo": {"mode": "fence", "continent": {"AS": ["nowhere"]}, "default": every}},
    ]
    assert made.found == []


HOLES = """
plugins => { geoip => { maps => { m => { datacenters => [fra, iad]
  auto_dc_coords => { fra => [ 50.1, 8.6 ], iad => [ 39, -77 ] }
  map => { EU => { FR => [] }, NA => { default => [], US => { CA => [iad, fra] }, MX => auto } }
  nets => { 10.0.0.0/8 => [], 10.1.0.0/16 => iad } } }
  resources => { www => { map => m dcmap => { fra => 192.0.2.1 iad => 192.0.2.2 } } } }
  metafo => { resources => { outer => { datacenters => [one, two]
    dcmap => { one => %geoip!www, two => 192.0.2.3 } } } } }
"""


def test_places_without_datacenters_fence_beside_auto(tmp_path):
    made = Converted(tmp_path, HOLES, "www 60 DYNA geoip!www\n")
    every = ["fra", "iad"]
    assert made.yaml("policies")["m"] == [
        {
            "geo": {
                "subnet": {"10.0.0.0/8": ["nowhere"], "10.1.0.0/16": ["iad"]},
                "continent": {"NA": ["nowhere"]},
                "country": {"FR": ["nowhere"], "MX": ["nowhere"]},
                "subdivision": {"US-CA": ["iad", "fra"]},
            }
        },
        "distance",
        {"failover": every},
        {
            "geo": {
                "mode": "fence",
                "country": {"FR": ["nowhere"], "MX": every},
                "continent": {"NA": ["nowhere"]},
                "subdivision": {"US-CA": every},
                "subnet": {"10.0.0.0/8": ["nowhere"], "10.1.0.0/16": every},
                "default": every,
            }
        },
    ]
    assert made.found == ["info config:2 import-limit", "info config:2 import-location"]
    assert made.load_errors == []


def test_a_map_with_too_many_nets_to_fence_is_named_beside_every_other_finding(tmp_path, monkeypatch):
    monkeypatch.setattr(policies, "MOST_RULES", 1)
    nets = "nets => { 10.0.0.0/8 => iad, 11.0.0.0/8 => fra } } }"
    made = Converted(
        tmp_path,
        HOLES.replace("nets => { 10.0.0.0/8 => [], 10.1.0.0/16 => iad } } }", nets),
        "www 60 DYNA geoip!www\n",
    )
    # Of one rule and one map: neither swallows the other.
    assert made.found == [
        "error config:2 import-location",
        "info config:2 import-limit",
        "info config:2 import-location",
    ]


def test_a_map_with_places_without_datacenters_within_another_resource_is_named(tmp_path):
    made = Converted(tmp_path, HOLES, "www 60 DYNA metafo!outer\n")
    assert "error config:8 import-location" in made.found
    assert "they get the next datacenter, where gdnsd answers no records" in made.messages


def test_nets_of_a_file_and_the_resolvers_address(tmp_path):
    made = convert(tmp_path, "DYNA geoip!nets")
    assert made.yaml("policies")["e"][0]["geo"]["subnet"] == {
        "192.0.2.0/24": ["us"],
        "2001:db8::/32": ["de", "us"],
    }
    assert made.yaml("names")["n0.example.com"]["client_subnet"] is False


def test_skip_first_leaves_out_the_first(tmp_path):
    made = convert(tmp_path, "DYNA geoip!skip", "DYNA metafo!skip")
    assert made.yaml("policies")["m.skip-first"][0]["geo"]["continent"]["AF"] == ["us", "sg"]
    assert [one["address"] for one in made.yaml("pools")["skip.2"]["endpoints"]] == ["192.0.2.2"]
    assert "only some of its datacenters for some clients (skip_first)" in made.messages


def metafo(tmp_path, resource, *records):
    """A configuration of the resource ``r`` of metafo, at line 2."""
    zone = "".join(f"n{index} 60/60 {record}\n" for index, record in enumerate(records))
    return Converted(
        tmp_path, f"plugins => {{ metafo => {{ resources => {{\n r => {{ {resource} }} }} }} }}", zone
    )


def test_skip_first_of_metafo_is_about_the_first_listed_not_the_first_left(tmp_path):
    made = metafo(
        tmp_path,
        "skip_first => true datacenters => [a, b, c]"
        ' dcmap => { a => "bad name" b => 192.0.2.2 c => 192.0.2.3 }',
        "DYNA metafo!r",
    )
    assert [one["address"] for one in made.yaml("pools")["r"]["endpoints"]] == ["192.0.2.2", "192.0.2.3"]
    assert made.found == ["error config:2 import-invalid"]
    assert made.load_errors == []


@pytest.mark.parametrize(
    ("dcmap", "told"),
    [
        ("", "metafo!r lacks dcmap"),
        ("dcmap => 192.0.2.1", "dcmap must be a hash: dcmap => { ... }"),
        ("dcmap => { a => 192.0.2.1 }", "metafo!r: dcmap lacks b, c"),
    ],
)
def test_a_dcmap_that_is_wrong_is_told_once(tmp_path, dcmap, told):
    made = metafo(tmp_path, f"datacenters => [a, b, c] {dcmap}")
    assert made.found == ["error config:2 import-invalid"]
    assert made.messages == told


def test_skip_first_of_metafo_has_no_effect_on_the_only_one(tmp_path):
    made = metafo(
        tmp_path, "skip_first => true datacenters => a dcmap => { a => 192.0.2.1 }", "DYNA metafo!r"
    )
    assert [one["address"] for one in made.yaml("pools")["r"]["endpoints"]] == ["192.0.2.1"]


def test_what_skip_first_leaves_out_still_has_its_own_resource(tmp_path):
    made = metafo(
        tmp_path,
        "skip_first => true datacenters => [a, b] dcmap => { a => 192.0.2.1 b => 192.0.2.2 }",
        "DYNA metafo!r/a",
        "DYNA metafo!r",
    )
    pools, names = made.yaml("pools"), made.yaml("names")
    (one,) = pools[names["n0.example.com"]["pool"]]["endpoints"]
    assert one == {"pop": "a", "address": "192.0.2.1"}
    (other,) = pools[names["n1.example.com"]["pool"]]["endpoints"]
    assert other == {"pop": "b", "address": "192.0.2.2"}
    assert made.found == []
    assert made.load_errors == []


def test_metafo_is_an_order(tmp_path):
    made = convert(
        tmp_path, "DYNA metafo!flat", "DYNA metafo!same", "DYNA metafo!deep", "DYNA metafo!deep/d2"
    )
    pools, made_policies = made.yaml("pools"), made.yaml("policies")
    assert made_policies["flat"] == [{"failover": ["d1", "d2"]}]
    assert pools["same"]["pools"] == ["same.d1", "same.d2"]
    assert pools["deep"]["pools"] == ["www", "deep.d2"]
    assert made.yaml("names")["n3.example.com"]["pool"] == "deep.d2"


def test_addresses_beside_cnames_are_named(tmp_path):
    made = convert(tmp_path, "DYNC metafo!mixed")
    assert made.yaml("pools")["mixed"]["pools"] == ["mixed.d1"]
    assert made.found == ["error zones/example.com:4 import-cname"]
    assert "give the addresses names of their own, and let an endpoint lead to each" in made.messages


def test_a_datacenter_that_reflects_is_named(tmp_path):
    made = convert(tmp_path, "DYNA metafo!asker")
    assert made.yaml("pools")["asker"]["pools"] == ["asker.d1"]
    assert made.found == ["error config:27 import-plugin"]
    assert "declare another name with reflect: dns in names.yaml" in made.messages


@pytest.mark.parametrize("target", ["ams", "ams.example.com", "a..b.", '"-.example.com."'])
def test_a_datacenter_that_leads_nowhere_is_named(tmp_path, target):
    made = Converted(
        tmp_path,
        "plugins => { metafo => { resources => { r => { datacenters => [fra, ams]\n"
        f" dcmap => {{ fra => fra.example.net.\n ams => {target} }} }} }} }} }}",
        "www 60 DYNC metafo!r\n",
    )
    assert made.found == ["error config:3 import-invalid"]
    assert "neither an address nor a domain name with a final dot" in made.messages
    assert [one["cname"] for one in made.yaml("pools")["r"]["endpoints"]] == ["fra.example.net."]
    assert made.load_errors == []


def test_what_cannot_be_answered_is_named(tmp_path):
    made = convert(tmp_path, "DYNA metafo!loop", "DYNA metafo!mixed", "DYNA geoip!www/none")
    assert made.found == [
        "error zones/example.com:4 import-invalid",
        "error zones/example.com:5 import-cname",
        "error zones/example.com:6 import-invalid",
    ]
    assert "metafo!loop leads to metafo!loop" in made.messages


@pytest.mark.parametrize(
    ("inside", "rule"),
    [
        ("map => { NA => { US => { Dallas => [a] } } }", "import-location"),
        ("map => { EU => { CZ => { 10 => { 101 => [a] } } } }", "import-location"),
        ("map => { XX => [a] }", "import-invalid"),
        ("map => { EU => { USA => [a] } }", "import-invalid"),
        ("map => { EU => [b] }", "import-invalid"),
        ("map => { EU => { CY => [a] }, AS => { CY => [a] } }", "import-location"),
        ("nets => { 192.0.2.1/24 => [a] }", "import-invalid"),
        ("nets => none", "import-unreadable"),
        ("auto_dc_coords => { a => [ 91, 0 ] }", "import-invalid"),
        ("geoip2_db => none.mmdb", "import-database"),
        ("city_no_region => true", "import-location"),
        ("geoip_db => x", "import-invalid"),
    ],
)
def test_what_a_map_loses_is_named(tmp_path, inside, rule):
    made = Converted(
        tmp_path,
        f"plugins => {{ geoip => {{ maps => {{ m => {{ datacenters => [a]\n{inside} }} }}\n"
        " resources => { r => { map => m dcmap => { a => 192.0.2.1 } } } } }",
        "www 60 DYNA geoip!r\n",
    )
    assert [line.split()[-1] for line in made.found if "import-limit" not in line] == [rule]


def test_the_same_name_at_two_places_is_two_pops(tmp_path):
    made = Converted(
        tmp_path,
        "plugins => { geoip => { maps => {"
        " m => { datacenters => [a] auto_dc_coords => { a => [ 1, 2 ] } }"
        " n => { datacenters => [a] auto_dc_coords => { a => [ 3, 4 ] } } } resources => {"
        " r => { map => m dcmap => { a => 192.0.2.1 } } s => { map => n dcmap => { a => 192.0.2.2 } } } } }",
        "r 60 DYNA geoip!r\ns 60 DYNA geoip!s\n",
    )
    assert made.yaml("pops") == {"a": {"latitude": 1, "longitude": 2}, "a.n": {"latitude": 3, "longitude": 4}}


def test_nets_keep_together_what_lies_within_one_another(monkeypatch):
    monkeypatch.setattr(policies, "MOST_RULES", 2)
    nets = {
        ip_network(text): (names, NOWHERE)
        for text, names in {
            "10.0.0.0/8": ("a",),
            "10.1.0.0/16": ("b",),
            "10.1.1.0/24": ("a",),
            "10.1.2.0/24": ("b",),
            "11.0.0.0/8": ("a",),
            "::/0": ("a",),
        }.items()
    }
    assert _parts(nets) == [
        [("10.0.0.0/8", ("a",)), ("10.1.0.0/16", ("b",)), ("10.1.1.0/24", ("a",))],
        [("11.0.0.0/8", ("a",)), ("::/0", ("a",))],
    ]
