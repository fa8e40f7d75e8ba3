"""Resources within resources: as deep as pools may be, and no walk takes longer for what is shared."""

from __future__ import annotations

import pytest

from tests.unit.importers.gdnsd.cases import Converted


def levels(number, bottom="192.0.2.1"):
    """Resources of metafo, each with two datacenters that both lead to the next; ``number`` in all."""
    inner = "".join(
        f"l{level} => {{ datacenters => [a, b] dcmap => {{"
        f" a => %metafo!l{level + 1} b => %metafo!l{level + 1} }} }}\n"
        for level in range(1, number)
    )
    return inner + f"l{number} => {{ datacenters => [a] dcmap => {{ a => {bottom} }} }}\n"


def convert(tmp_path, resources, *records, more=""):
    zone = "".join(f"n{index} 60/60 {record}\n" for index, record in enumerate(records))
    return Converted(
        tmp_path, f"plugins => {{ {more} metafo => {{ resources => {{\n{resources} }} }} }}", zone
    )


@pytest.mark.parametrize("number", [40, 2000])
def test_what_leads_too_deep_is_refused_at_once(tmp_path, number):
    made = convert(tmp_path, levels(number), "DYNA metafo!l1", f"DYNA metafo!l{number}")
    assert made.found == ["error zones/example.com:4 import-limit"]
    assert made.messages == (
        f"{' leads to '.join(f'metafo!l{level}' for level in range(1, 10))}, too deep for pools within "
        "pools, of which 8 are possible: no record is left. Let fewer resources lead to one another"
    )
    assert set(made.yaml("names")) == {"n1.example.com"}
    assert made.load_errors == []


def test_what_is_as_deep_as_can_be_is_carried_over(tmp_path):
    made = convert(tmp_path, levels(7), "DYNA metafo!l1")
    assert made.found == []
    assert made.load_errors == []


def test_what_is_known_already_counts_as_deep_as_it_is(tmp_path):
    records = [f"DYNA metafo!l{level}" for level in (5, 1)]
    made = convert(tmp_path, levels(10), *records)
    assert made.found == ["error zones/example.com:5 import-limit"]
    assert made.load_errors == []


@pytest.mark.parametrize(
    "resource",
    [
        "simplefo => { r => { primary => 192.0.2.1 secondary => 192.0.2.2 } }",
        "weighted => { r => { g => { a => [ 192.0.2.1, 1 ] } h => { b => [ 192.0.2.2, 1 ] } } }",
        "multifo => { r => { addrs_v4 => 192.0.2.1"
        " addrs_v6 => { service_types => down a => 2001:db8::1 } } }",
        "simplefo => { r => { addrs_v4 => { primary => 192.0.2.1 secondary => 192.0.2.2 }"
        " addrs_v6 => { service_types => down primary => 2001:db8::1 secondary => 2001:db8::2 } } }",
    ],
)
@pytest.mark.parametrize("number", [5, 6, 7, 8])
def test_pools_within_a_resource_count_as_well(tmp_path, resource, number):
    made = convert(tmp_path, levels(number, f"%{resource.split()[0]}!r"), "DYNA metafo!l1", more=resource)
    assert made.load_errors == []
    assert bool(made.yaml("names")) is (number + (3 if "simplefo => { r => { addrs" in resource else 2) <= 8)


def test_what_is_shared_is_looked_at_once(tmp_path):
    """Seven levels of twelve datacenters are 36 million ways down."""
    names = [f"d{number}" for number in range(12)]
    resources = "".join(
        f"l{level} => {{ datacenters => [{', '.join(names)}] dcmap => {{ "
        + " ".join(f"{name} => %metafo!l{level + 1}" for name in names)
        + " } }\n"
        for level in range(1, 7)
    )
    resources += "l7 => { datacenters => [a, b] dcmap => { a => 192.0.2.1 b => 2001:db8::1 } }"
    made = convert(tmp_path, resources, "DYNA metafo!l1")
    assert made.yaml("names")["n0.example.com"]["pool"] == "l1"
    assert made.load_errors == []


def test_a_loop_further_down_is_named(tmp_path):
    made = convert(
        tmp_path,
        "x => { datacenters => [a, b] dcmap => { a => 192.0.2.1 b => %metafo!y } }\n"
        "y => { datacenters => [a, b] dcmap => { a => %metafo!z/b b => 192.0.2.2 } }\n"
        "z => { datacenters => [a, b] dcmap => { a => 192.0.2.3 b => %metafo!y } }",
        "DYNA metafo!x",
        "DYNA metafo!z/a",
    )
    assert made.found == ["error zones/example.com:4 import-invalid"]
    assert made.messages == ("metafo!y leads to metafo!z/b leads to metafo!y, without end: no record is left")
