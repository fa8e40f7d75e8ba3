"""``undefined_datacenters_ok``: datacenters of a map that a resource leaves out.

The answers are those of gdnsd 3.8.1 to the same queries.
"""

from __future__ import annotations

import dns.edns
import dns.message
import pytest

from gslb._dataplane import DataPlane
from gslb.config.report import has_errors
from gslb.importers.gdnsd import policies
from gslb.steering.compile import compile_steering
from gslb.zones.compile import compile_zone
from gslb.zones.site import inspect_site
from tests.unit.importers.gdnsd.cases import Converted

MAP = """m => { datacenters => [a, b, c] nets => { 10.0.1.0/24 => [a, b, c], 10.0.2.0/24 => [b, a, c],
  10.0.3.0/24 => [a, b], 10.0.4.0/24 => [a], 10.0.5.0/24 => [b], 10.0.6.0/24 => [b, c],
  10.0.7.0/24 => [c, a, b], 10.0.8.0/24 => [] } }"""
NETS = [f"10.0.{number}.0" for number in range(1, 10)]
PART = "part => { map => m dcmap => { b => 192.0.2.2 c => 192.0.2.3 } }"
SKIP = "skip => { map => m skip_first => true dcmap => { b => 192.0.2.2 c => 192.0.2.3 } }"
ONE = "one => { map => m skip_first => true dcmap => { b => 192.0.2.2 } }"
WHOLE = "whole => { map => m dcmap => { a => 192.0.2.1 b => 192.0.2.2 c => 192.0.2.3 } }"
WIDE = """wide => { map => m skip_first => true dcmap => {
  b => { up_thresh => 1.0 x => 192.0.2.2 y => 192.0.2.22 } c => 192.0.2.3 } }"""


def convert(tmp_path, *resources, records=(), map_=MAP, more=""):
    zone = "".join(f"{record.partition('!')[2]} 300/60 DYNA {record}\n" for record in records)
    return Converted(
        tmp_path,
        "service_types => { soon => { plugin => tcp_connect port => 1 down_thresh => 1 ok_thresh => 1 }\n"
        " late => { plugin => tcp_connect port => 1 interval => 99 down_thresh => 1 ok_thresh => 1 } }\n"
        f"plugins => {{ geoip => {{ undefined_datacenters_ok => true maps => {{ {map_} }}\n"
        f" resources => {{\n{chr(10).join(resources)} }} }}\n{more} }}",
        zone,
    )


def last_octets(made, name):
    """By network of the client the last octets of the addresses that it gets."""
    inspected = inspect_site(made.site)
    assert inspected.site is not None
    assert not has_errors(inspected.findings)
    site = inspected.site
    zones = [compile_zone(text, site.steered.get(text.origin, ())) for text in site.zone_texts]
    dataplane = DataPlane(seed=1)
    endpoints = sum(len(pool.endpoints) for pool in site.steering.pools)
    dataplane.publish(zones, compile_steering(site.steering), bytes(endpoints))
    found = []
    for net in NETS:
        query = dns.message.make_query(
            f"{name}.example.com.", "A", use_edns=0, options=[dns.edns.ECSOption(net, 24)]
        )
        wire = dataplane.answer(query.to_wire(), "127.0.0.1", "udp")
        answer = dns.message.from_wire(wire)
        found.append(sorted(int(str(one).rpartition(".")[2]) for rrset in answer.answer for one in rrset))
    return found


@pytest.mark.parametrize(
    ("resource", "gets"),
    [
        (WHOLE, [[1], [2], [1], [1], [2], [2], [3], [], [1]]),
        (PART, [[2], [2], [2], [], [2], [2], [3], [], [2]]),
        (SKIP, [[3], [3], [2], [], [2], [3], [2], [], [3]]),
        (ONE, [[2], [2], [2], [], [2], [2], [2], [], [2]]),
        (WIDE, [[3], [3], [2, 22], [], [2, 22], [3], [2, 22], [], [3]]),
    ],
)
def test_clients_get_what_gdnsd_gives_them(tmp_path, resource, gets):
    name = resource.partition(" ")[0]
    made = convert(tmp_path, resource, records=[f"geoip!{name}"])
    assert last_octets(made, name) == gets


def test_resources_of_one_map_leave_out_each_its_own(tmp_path):
    made = convert(
        tmp_path, WHOLE, PART, SKIP, ONE, records=["geoip!whole", "geoip!part", "geoip!skip", "geoip!one"]
    )
    assert [last_octets(made, name)[3] for name in ("whole", "part", "skip", "one")] == [[1], [], [], []]
    assert [last_octets(made, name)[0] for name in ("whole", "part", "skip", "one")] == [[1], [2], [3], [2]]


def test_resources_that_leave_out_what_no_client_needs_share_a_policy(tmp_path):
    made = convert(
        tmp_path,
        WHOLE,
        PART,
        records=["geoip!whole", "geoip!part"],
        map_="m => { datacenters => [a, b, c] nets => { 10.0.2.0/24 => [b, a] } }",
    )
    assert set(made.yaml("policies")) == {"m"}
    assert last_octets(made, "part")[:2] == [[2], [2]]


def test_the_ttl_is_that_of_the_datacenter_after_the_first_that_is_there(tmp_path):
    made = convert(
        tmp_path,
        "r => { map => m skip_first => true dcmap => { b => { service_types => soon x => 192.0.2.2 }"
        " c => { service_types => late x => 192.0.2.3 } } }",
        records=["geoip!r"],
        map_="m => { datacenters => [a, b, c] }",
    )
    assert made.yaml("names")["r.example.com"]["ttl"] == {"max": 99, "min": 60}
    assert last_octets(made, "r")[0] == [3]


def test_a_first_datacenter_that_cannot_be_read_is_skipped_all_the_same(tmp_path):
    made = convert(
        tmp_path,
        'r => { map => m skip_first => true dcmap => { a => "bad name" b => 192.0.2.2 c => 192.0.2.3 } }',
        records=["geoip!r"],
        map_="m => { datacenters => [a, b, c] }",
    )
    assert last_octets(made, "r")[0] == [2]


def test_a_resource_within_another_that_leaves_clients_nothing_is_named(tmp_path):
    made = convert(
        tmp_path,
        PART,
        records=["metafo!outer"],
        map_="m => { datacenters => [a, b, c] nets => { 10.0.1.0/24 => [a] } }",
        more="metafo => { resources => { outer => { datacenters => [x, y]"
        " dcmap => { x => %geoip!part y => 192.0.2.9 } } } }",
    )
    assert "error config:6 import-location" in made.found
    assert "they get the next datacenter, where gdnsd answers no records" in made.messages


@pytest.mark.parametrize(("limit", "is_named"), [(1, True), (2, False)])
def test_automatic_lists_of_what_is_not_there_are_named(tmp_path, limit, is_named):
    made = convert(
        tmp_path,
        PART,
        records=["geoip!part"],
        map_="m => { datacenters => [a, b, c] auto_dc_coords => { a => [ 1, 2 ] b => [ 3, 4 ] c => [ 5, 6 ] }"
        f" auto_dc_limit => {limit} }}",
    )
    assert ("error config:5 import-location" in made.found) is is_named
    assert ("geoip!part leaves out a" in made.messages) is is_named


def test_too_many_nets_to_leave_nothing_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(policies, "MOST_RULES", 1)
    made = convert(
        tmp_path,
        PART,
        records=["geoip!part"],
        map_="m => { datacenters => [a, b, c] nets => { 10.0.1.0/24 => a, 10.0.2.0/24 => b } }",
    )
    assert "error config:3 import-location" in made.found
