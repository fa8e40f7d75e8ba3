"""Pools as members of each other."""

from __future__ import annotations

from gslb.model.pool_graph import PoolGraph, pools_that_answer
from gslb.model.site import DeclaredRRset, Endpoint, Member, Pool, SteeredName


def pool(name, *members, endpoints=()):
    return Pool(name=name, members=tuple(Member(pool=member) for member in members), endpoints=endpoints)


A = Endpoint(pop="fra", address="192.0.2.1")
AAAA = Endpoint(pop="fra", address="2001:db8::1", records=(DeclaredRRset(rtype=16, rdata=(b"\0",)),))


def test_members_come_before_the_pools_they_are_in():
    graph = PoolGraph(
        [
            pool("top", "mid", "leaf"),
            pool("mid", "leaf"),
            pool("leaf", endpoints=(A,)),
            pool("x", endpoints=(AAAA,)),
        ]
    )
    order = [one.name for one in graph.order]
    assert order.index("leaf") < order.index("mid") < order.index("top")
    assert graph.depth == {"leaf": 1, "mid": 2, "top": 3, "x": 1}
    assert graph.kinds == {"leaf": {1}, "mid": {1}, "top": {1}, "x": {28, 16}}
    assert [one.name for one in graph.below("top")] == ["top", "mid", "leaf"]
    assert graph.cycles() == []


def test_unknown_members_are_left_out():
    graph = PoolGraph([pool("top", "gone", "leaf"), pool("leaf", endpoints=(A,))])
    assert graph.members["top"] == ["leaf"]
    assert graph.depth["top"] == 2


def test_each_cycle_is_found_once():
    graph = PoolGraph(
        [
            pool("above", "a", "leaf"),
            pool("a", "leaf", "b"),
            pool("b", "a"),
            pool("self", "self"),
            pool("leaf", endpoints=(A,)),
        ]
    )
    assert graph.cycles() == [["a", "b", "a"], ["self", "self"]]
    assert [one.name for one in graph.order] == ["leaf"]


def test_a_long_row_of_pools_takes_no_recursion():
    pools = [pool(f"p{number}", f"p{number + 1}") for number in range(20_000)]
    graph = PoolGraph([*pools, pool("p20000", endpoints=(A,))])
    assert graph.depth["p0"] == 20_001
    assert len(graph.below("p0")) == 20_001
    ring = PoolGraph([*pools, pool("p20000", "p0")])
    assert [len(way) for way in ring.cycles()] == [20_002]


def test_pools_that_answer_are_those_of_names_and_those_in_no_other():
    pools = [pool("top", "mid"), pool("mid", "leaf"), pool("leaf"), pool("alone")]
    names = [SteeredName(name="a.", pool="mid")]
    assert [one.name for one in pools_that_answer(pools, names)] == ["top", "mid", "alone"]
