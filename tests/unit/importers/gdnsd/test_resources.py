"""Resources become pools."""

from __future__ import annotations

import pytest

from gslb.config.loader import load_steering
from gslb.config.report import has_errors
from gslb.importers.gdnsd.pools import scaled, share
from tests.unit.importers.gdnsd.cases import Converted

SERVICES = "service_types => { web => { plugin => http_status, vhost => www.example.com, interval => 5 } }\n"


def endpoints(pool):
    return [one.get("address") or one["cname"] for one in pool["endpoints"]]


@pytest.mark.parametrize(
    ("total", "threshold", "needed"),
    [
        (3, 0.5, 2),
        (1, 0.01, 1),
        (40, 0.01, 1),
        (10, 0.7, 7),
        (10, 0.1, 1),
        (7, 0.9, 7),
        (5, 1.0, 5),
        (30, 0.1, 3),
    ],
)
def test_shares_are_rounded_up(total, threshold, needed):
    assert share(total, threshold) == needed


def test_weights_are_scaled_where_they_are_too_large():
    assert scaled([1, 2]) == [1, 2]
    assert scaled([1_048_575, 524_288, 1]) == [65_535, 32_768, 1]


def test_multifo_needs_so_many_of_each_family(tmp_path):
    made = Converted(
        tmp_path,
        SERVICES + "plugins => { multifo => { up_thresh => 0.7 r => { service_types => web\n"
        " addrs_v4 => [ 192.0.2.1, 192.0.2.2, 192.0.2.3 ] addrs_v6 => { up_thresh => 0.1, a => 2001:DB8::1 } "
        "} } }",
        "www 60 DYNA multifo!r\n",
    )
    pool = made.yaml("pools")["r"]
    assert pool["min_healthy"] == {"ipv4": 3}
    assert (pool["monitor"], pool["when_all_down"]) == ("web", "serve_all")
    assert endpoints(pool) == ["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1"]
    assert made.yaml("names")["www.example.com"]["policy"] == "everything"
    assert made.yaml("policies")["everything"] == ["shuffle"]
    assert made.yaml("monitors")["web"] == {
        "type": "http", "port": 80, "path": "/", "host": "www.example.com",
        "interval": "5s", "timeout": "2s", "rise": 20, "fall": 10,
    }  # fmt: skip


TWICE = "a => 192.0.2.1 b => 192.0.2.1 c => 192.0.2.2"
WEIGHTED_TWICE = "a => [ 192.0.2.1, 5 ] b => [ 192.0.2.1, 5 ] c => [ 192.0.2.2, 5 ]"


@pytest.mark.parametrize(
    ("plugin", "inside", "needed", "rules"),
    [
        # 192.0.2.1 alone is 2 of 3: gdnsd 3.8.1 asks for no more. 192.0.2.2 alone would be too few for it.
        ("multifo", f"up_thresh => 0.6 {TWICE}", {}, ["import-invalid", "import-weights"]),
        ("multifo", f"up_thresh => 0.3 {TWICE}", {}, ["import-invalid"]),
        ("multifo", f"up_thresh => 1.0 {TWICE}", {"ipv4": 2}, ["import-invalid"]),
        # 192.0.2.1 and another are 3 of 4, the two others are not.
        (
            "multifo",
            f"up_thresh => 0.7 {TWICE} d => 192.0.2.3",
            {"ipv4": 2},
            ["import-invalid", "import-weights"],
        ),
        ("weighted", f"up_thresh => 1.0 {WEIGHTED_TWICE}", {"ipv4": 2}, ["import-invalid"]),
        ("weighted", f"up_thresh => 0.6 {WEIGHTED_TWICE}", {}, ["import-invalid", "import-weights"]),
    ],
)
def test_an_address_listed_twice_is_one_that_counts_twice(tmp_path, plugin, inside, needed, rules):
    made = Converted(
        tmp_path,
        SERVICES.replace("interval", "ok_thresh => 1 interval")
        + f"plugins => {{ {plugin} => {{ r => {{ service_types => web {inside} }} }} }}",
        f"www 60 DYNA {plugin}!r\n",
    )
    pool = made.yaml("pools")["r"]
    assert len(endpoints(pool)) == len(set(endpoints(pool)))
    assert pool.get("min_healthy", {}) == needed
    assert sorted(line.split()[-1] for line in made.found) == rules
    assert made.load_errors == []


def test_an_address_listed_twice_stands_in_once(tmp_path):
    made = Converted(
        tmp_path,
        SERVICES
        + f"plugins => {{ multifo => {{ r => {{ service_types => web up_thresh => 1.0 {TWICE} }} }}\n"
        " metafo => { resources => { m => { datacenters => [x, y]"
        " dcmap => { x => %multifo!r y => 2001:db8::1 } } } } }",
        "www 60 DYNA metafo!m\n",
    )
    pools = made.yaml("pools")
    assert pools["r"]["min_healthy"] == {"ipv4": 2}
    assert pools["r.no-v6"]["min_healthy"] == {"ipv6": 2}
    assert made.load_errors == []


def test_families_that_are_monitored_otherwise_have_pools_of_their_own(tmp_path):
    made = Converted(
        tmp_path,
        SERVICES + "plugins => { multifo => { r => {\n"
        " addrs_v4 => { service_types => web a => 192.0.2.1 } addrs_v6 => "
        "{ service_types => down a => 2001:DB8::1 }"
        " } } }",
        "www 60 DYNA multifo!r\n",
    )
    pools = made.yaml("pools")
    assert pools["r"]["pools"] == ["r.v4", "r.v6"]
    assert (pools["r.v4"]["monitor"], pools["r.v6"]["unknown_counts"]) == ("web", "down")


def test_several_service_types_are_several_monitors(tmp_path):
    made = Converted(
        tmp_path,
        "service_types => {\n"
        " web => { plugin => http_status ok_thresh => 1 interval => 8 }\n"
        " ssh => { plugin => tcp_connect port => 22 ok_thresh => 1 down_thresh => 3 } }\n"
        "plugins => { multifo => { r => { service_types => [ web, up, ssh, web ] a => 192.0.2.1 }\n"
        " s => { service_types => [ web, down ] a => 192.0.2.2 } } }",
        "a 600 DYNA multifo!r\nb 600 DYNA multifo!s\n",
    )
    pools = made.yaml("pools")
    assert pools["r"]["monitor"] == ["web", "ssh"]
    assert (pools["s"].get("monitor"), pools["s"]["unknown_counts"]) == (None, "down")
    assert set(made.yaml("monitors")) == {"web", "ssh"}
    # What goes down soonest bounds the TTL.
    assert made.yaml("names")["a.example.com"]["ttl"] == 300
    assert made.found == []
    steering, findings = load_steering(made.site)
    assert not has_errors(findings)
    assert [pool.monitors for pool in steering.pools] == [("web", "ssh"), ()]


def test_extmon_is_a_command(tmp_path):
    made = Converted(
        tmp_path,
        "service_types => { ext => { plugin => extmon interval => 30 timeout => 5 direct => true\n"
        ' cmd => [ "/bin/check", "-x", "%%ITEM%%" ] }\n'
        " web => { plugin => http_status ok_thresh => 1 down_thresh => 9 } }\n"
        "plugins => { multifo => { r => { service_types => [ ext, web ] a => 192.0.2.1 } }\n"
        " weighted => { w => { service_types => ext"
        " a => [ a.example.net., 1 ] b => [ b.example.net., 1 ] } } }",
        "a 600 DYNA multifo!r\nb 600 DYNC weighted!w\n",
    )
    assert made.yaml("monitors")["ext"] == {
        "type": "command", "command": ["/bin/check", "-x", "%%ITEM%%"],
        "interval": "30s", "timeout": "5s", "rise": 1, "fall": 1,
    }  # fmt: skip
    pools = made.yaml("pools")
    assert (pools["r"]["monitor"], pools["w"]["monitor"]) == (["ext", "web"], "ext")
    ttls = [name["ttl"] for name in made.yaml("names").values()]
    assert ttls == [300, {"max": 600, "min": 300}]
    assert made.found == ["info config:1 import-monitor"]
    assert "--allow-commands" in made.messages
    assert made.load_errors == []


def test_extfile_is_a_file(tmp_path):
    made = Converted(
        tmp_path,
        "options => { state_dir => /srv/gdnsd }\n"
        "service_types => { near => { plugin => extfile file => x/near ok_thresh => 1 def_down => true }\n"
        " far => { plugin => extfile file => /far direct => true def_ttl => 40 } }\n"
        "plugins => { multifo => { r => { service_types => [ near, far ] a => 192.0.2.1 }"
        " s => { service_types => far a => 192.0.2.1 } } }",
        "a 600/30 DYNA multifo!r\nb 600/30 DYNA multifo!s\n",
    )
    assert made.yaml("monitors") == {
        "near": {
            "type": "file", "file": "/srv/gdnsd/extfile/x/near", "missing": "down",
            "interval": "10s", "timeout": "5s", "rise": 20, "fall": 10,
        },
        "far": {
            "type": "file", "file": "/far", "missing": "up",
            "interval": "2s", "timeout": "1s", "rise": 1, "fall": 1,
        },
    }  # fmt: skip
    assert [name["ttl"] for name in made.yaml("names").values()] == [{"max": 40, "min": 30}] * 2
    assert made.found == ["info config:1 import-option", "info config:3 import-monitor"]
    assert made.load_errors == []


def test_simplefo_is_two_pools_in_order(tmp_path):
    made = Converted(
        tmp_path,
        "plugins => { simplefo => { r => { secondary => 192.0.2.2, primary => 192.0.2.1 } } }",
        "www 60 DYNA simplefo!r\n",
    )
    pools = made.yaml("pools")
    assert pools["r"]["pools"] == ["r.primary", "r.secondary"]
    assert endpoints(pools["r.primary"]) == ["192.0.2.1"]
    assert made.yaml("policies")["r"] == [{"failover": ["r.primary", "r.secondary"]}]


WEIGHTED = (
    SERVICES + "plugins => { weighted => { service_types => web\n"
    "one => { a => [ 192.0.2.1, 10 ], b => [ 192.0.2.2, 30 ] }\n"
    "many => { multi => true a => [ 192.0.2.1, 5 ], b => [ 192.0.2.2, 5 ] }\n"
    "some => { multi => true a => [ 192.0.2.1, 5 ], b => [ 192.0.2.2, 10 ], c => [ 192.0.2.3, 10 ] }\n"
    "grouped => { up_thresh => 0.01 g => { a => [ 192.0.2.1, 5 ], b => [ 192.0.2.2, 5 ] }"
    " h => { c => [ 192.0.2.3, 30 ] } }\n"
    "names => { service_types => up a => [ a.example.net., 2 ] b => [ b.example.net., 1 ] }\n"
    "} }"
)


def test_weighted_draws_one_by_weight(tmp_path):
    made = Converted(
        tmp_path, WEIGHTED, "a 60 DYNA weighted!one\nb 60 DYNA weighted!many\nc 60 DYNC weighted!names\n"
    )
    pools = made.yaml("pools")
    assert [one["weight"] for one in pools["one"]["endpoints"]] == [10, 30]
    assert pools["one"]["policy"] == pools["names"]["policy"] == "one-by-weight"
    assert made.yaml("policies")["one-by-weight"] == ["weighted", {"take": 1}]
    assert "policy" not in pools["many"]
    assert endpoints(pools["names"]) == ["a.example.net.", "b.example.net."]


def test_weighted_groups_are_pools(tmp_path):
    made = Converted(tmp_path, WEIGHTED, "a 60 DYNA weighted!grouped\n")
    pools = made.yaml("pools")
    assert pools["grouped"]["pools"] == [
        {"pool": "grouped.g", "weight": 10},
        {"pool": "grouped.h", "weight": 30},
    ]
    assert "policy" not in pools["grouped.g"]
    assert made.found == ["info config:1 import-monitor", "warning config:6 import-weights"]


def test_chances_of_their_own_are_named(tmp_path):
    made = Converted(tmp_path, WEIGHTED, "a 60 DYNA weighted!some\n")
    assert made.yaml("policies") == {"2-by-weight": ["weighted", {"take": 2}]}
    assert "error config:5 import-weights" in made.found


def test_a_share_of_weights_that_no_count_can_say_is_named(tmp_path):
    made = Converted(
        tmp_path,
        SERVICES + "plugins => { weighted => { r => { service_types => web"
        " a => [ 192.0.2.1, 1 ] b => [ 192.0.2.2, 9 ] } } }",
        "a 60 DYNA weighted!r\n",
    )
    assert "warning config:2 import-weights" in made.found


@pytest.mark.parametrize(
    ("service", "rule"),
    [
        ("plugin => extmon, cmd => [true]", "error config:1 import-monitor"),
        ("plugin => extmon", "error config:1 import-monitor"),
        ("plugin => extfile", "error config:1 import-monitor"),
        ("plugin => other", "error config:1 import-monitor"),
        (
            "plugin => tcp_connect, port => 25, down_thresh => 200, ok_thresh => 1",
            "warning config:1 import-monitor",
        ),
    ],
)
def test_monitors_that_cannot_be_carried_over_are_named(tmp_path, service, rule):
    made = Converted(
        tmp_path,
        f"service_types => {{ s => {{ {service} }} }}\n"
        "plugins => { multifo => { r => { service_types => s a => 192.0.2.1 } } }",
        "a 60 DYNA multifo!r\n",
    )
    assert made.found == [rule]


def test_the_ttl_is_what_gdnsd_says_while_all_is_up(tmp_path):
    made = Converted(
        tmp_path,
        SERVICES + "plugins => { multifo => { r => { service_types => web a => 192.0.2.1 } } }",
        "a 600/20 DYNA multifo!r\nb 600 DYNA multifo!r\nc 30 DYNA multifo!r\n",
    )
    ttls = [name["ttl"] for name in made.yaml("names").values()]
    assert ttls == [{"max": 50, "min": 20}, 300, {"max": 30, "min": 15}]


MIXED = """
service_types => { web => { plugin => http_status interval => 10 ok_thresh => 1 }
  slow => { plugin => http_status interval => 18 ok_thresh => 1 } }
plugins => { multifo => { mu => { service_types => web a => 192.0.2.31 } }
metafo => { resources => {
  up => { datacenters => [fra, ams] dcmap => { fra => 192.0.2.21, ams => %multifo!mu } }
  web => { datacenters => [fra, ams] dcmap => { fra => %multifo!mu, ams => 192.0.2.21 } }
  down => { datacenters => [fra, ams] dcmap => { fra => { service_types => down a => 192.0.2.1 }
    ams => { service_types => slow a => 192.0.2.2 } } }
  deep => { datacenters => [fra, ams] dcmap => { fra => %metafo!down, ams => %multifo!mu } } } }
geoip => { maps => {
    m => { datacenters => [fra, ams, sin] map => { EU => [ams], AS => [] } nets => { 10.0.0.0/8 => sin } }
    a => { datacenters => [fra, ams] auto_dc_coords => { fra => [ 50, 8 ], ams => [ 52, 4 ] } } }
  resources => {
    www => { map => m dcmap => { fra => 192.0.2.41, ams => { service_types => web a => 192.0.2.42 }
      sin => { service_types => slow a => 192.0.2.43 } } }
    auto => { map => a dcmap => { fra => 192.0.2.51, ams => { service_types => web a => 192.0.2.52 } } } } } }
"""


@pytest.mark.parametrize(
    ("record", "ttl", "found"),
    [
        ("metafo!up", 300, []),
        ("metafo!web", 100, []),
        ("metafo!down", 180, []),
        ("metafo!deep", 180, []),
        ("metafo!up/ams", 100, []),
        ("geoip!www", 100, ["warning zones/example.com:4 import-ttl"]),
        ("geoip!www/fra", 300, []),
        ("geoip!auto", 100, ["warning zones/example.com:4 import-ttl"]),
    ],
)
def test_the_ttl_is_that_of_the_datacenters_that_gdnsd_looks_at(tmp_path, record, ttl, found):
    made = Converted(tmp_path, MIXED, f"www 300/60 DYNA {record}\n")
    assert made.yaml("names")["www.example.com"]["ttl"] == {"max": ttl, "min": 60}
    assert [line for line in made.found if "ttl" in line] == found
    if found:
        assert "TTLs from 100 to 300" in made.messages


@pytest.mark.parametrize(
    "settings",
    [
        "url_path => x",
        "vhost => a/b",
        "ok_codes => [ 200, 999 ]",
        "port => 0",
        "interval => 5 timeout => 5",
    ],
)
def test_monitors_that_cannot_be_are_named_and_the_site_loads(tmp_path, settings):
    made = Converted(
        tmp_path,
        f"service_types => {{ s => {{ plugin => http_status ok_thresh => 1 {settings} }} }}\n"
        "plugins => { multifo => { r => { service_types => s a => 192.0.2.1 } } }",
        "a 60 DYNA multifo!r\n",
    )
    assert made.found == ["error config:1 import-invalid"]
    assert made.load_errors == []


def test_addresses_that_nobody_can_be_sent_to_are_left_out(tmp_path):
    made = Converted(
        tmp_path,
        "plugins => { multifo => { r => [ 0.0.0.0, 192.0.2.1, 224.0.0.1 ] } }",
        "a 60 DYNA multifo!r\n",
    )
    assert endpoints(made.yaml("pools")["r"]) == ["192.0.2.1"]
    assert made.found == ["error config:1 import-invalid"] * 2


@pytest.mark.parametrize(
    ("of_plugin", "of_meta", "monitor"),
    [
        ("service_types => web", "", "web"),
        ("", "service_types => web", "web"),
        ("service_types => web", "service_types => up", None),
    ],
)
def test_datacenters_inherit_from_their_plugin_after_their_own_resource(
    tmp_path, of_plugin, of_meta, monitor
):
    made = Converted(
        tmp_path,
        SERVICES + f"plugins => {{ multifo => {{ {of_plugin} }} weighted => {{ {of_plugin} }}\n"
        f" metafo => {{ {of_meta} resources => {{ m => {{ datacenters => [x, y, z] dcmap => {{\n"
        " x => 192.0.2.1 y => { up_thresh => 1.0 a => 192.0.2.2 b => 192.0.2.3 }\n"
        " z => { plugin => weighted a => [ 192.0.2.4, 1 ] b => [ 192.0.2.5, 1 ] } } } } } }",
        "www 60 DYNA metafo!m\n",
    )
    pools = made.yaml("pools")
    assert [pools[name].get("monitor") for name in ("m.x", "m.y", "m.z")] == [monitor] * 3
