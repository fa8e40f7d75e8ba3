"""ALIAS records and cnames of pools that lead back to where they started, so that nothing is found.

CNAMEs of one zone that do so by themselves are a native check. Here names are followed through all zones of
the site, over CNAME and ALIAS records, steered names whose pools have cnames, and wildcards. A delegation, a
DNAME and an address end the way.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import dns.rdatatype

from gslb.config.names import parent_names
from gslb.config.wording import count, quote
from gslb.model.alias import ALIAS
from gslb.model.finding import Finding, Place
from gslb.model.rules import RULES
from gslb.model.site import AAAA, CNAME, A
from gslb.zones.checks.records import NS, name_at, records_of
from gslb.zones.checks.sieve import MAXIMUM_FINDINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gslb._dataplane import ZoneText
    from gslb.zones.checks.owners import Rows
    from gslb.zones.checks.pool_cnames import PoolCname

MAXIMUM_NAMES = 1_000_000
"""Names that are followed in a site."""
MAXIMUM_STEPS = 32
"""How far each of them is followed; an answer goes half as far."""
MAXIMUM_ON_LOOPS = 2_000_000
"""Names on all the loops that are told of, each as often as it is on one."""
NAMES_SHOWN = 5

DNAME = int(dns.rdatatype.DNAME)
_REACHABLE = 2


class Edge(NamedTuple):
    """Where a name leads: by a record of ``owner``, or by an endpoint of ``pool``, which answers ``owner``.

    ``owner`` is the name itself or the wildcard that answers for it.
    """

    owner: str
    target: str
    rtype: int
    place: Place
    origin: str
    pool: str = ""


Graph = dict[str, list[Edge]]


def check_loops(
    starts: Iterable[str],
    zones: Mapping[str, ZoneText],
    cnames: Mapping[str, Sequence[PoolCname]],
    steered: Mapping[str, Sequence[str]],
) -> Iterator[tuple[str, Finding]]:
    """A finding for each loop, with the origin of the zone whose record it is at; of a pool, with none.

    ``starts`` are the targets of ALIAS records and the cnames of pools. ``cnames`` has for every steered name
    what its pool may answer as CNAME in ``zones`` (by origin), ``steered`` the steered names of each zone.
    """
    told: set[Place] = set()
    left, of_pools = MAXIMUM_ON_LOOPS, 0
    for names, edges in _loops(_follow(starts, zones, cnames, steered)):
        left -= len(names)
        if left < 0:
            break
        first = _first(edges)
        if first is None or first.place in told:
            continue
        told.add(first.place)
        of_pools += bool(first.pool)
        if first.pool and of_pools > MAXIMUM_FINDINGS:
            continue
        at = edges.index(first)
        message = _message(first, [*names[at:], *names[:at]], any(edge.pool for edge in edges))
        rule = "zone-alias-loop" if first.rtype == ALIAS else "site-cname-loop"
        yield "" if first.pool else first.origin, Finding(rule, RULES[rule], first.place, message)


def _first(edges: Sequence[Edge]) -> Edge | None:
    """What a finding is about: the first ALIAS, or else endpoint, if no other rule is about the loop."""
    if len(edges) == 1 and edges[0].pool and edges[0].owner == edges[0].target:
        return None  # site-cname-to-itself
    aliases = [edge for edge in edges if edge.rtype == ALIAS]
    return min(aliases or [edge for edge in edges if edge.pool], key=lambda edge: edge.place, default=None)


def _message(edge: Edge, names: Sequence[str], is_choice: bool) -> str:
    """``names`` are those on the loop, from the one that ``edge`` leads on."""
    via = [name for name in (*names[1:], names[0]) if name != edge.owner]
    shown = ", ".join(via[:NAMES_SHOWN])
    if len(via) > NAMES_SHOWN:
        shown += f" and {count(len(via) - NAMES_SHOWN, 'more', 'more')}"
    way = f"back to itself by way of {shown}" if via else "to itself"
    if edge.pool:
        return (
            f"the cname {edge.target} of pool {quote(edge.pool)} leads name {quote(edge.owner)} {way}: a "
            "client that gets it finds nothing; name another target"
        )
    who = "a client that is led this way finds nothing" if is_choice else "nothing is ever found there"
    return f"the ALIAS of {edge.owner} leads {way}: {who}; correct the target"


def _follow(
    starts: Iterable[str],
    zones: Mapping[str, ZoneText],
    cnames: Mapping[str, Sequence[PoolCname]],
    steered: Mapping[str, Sequence[str]],
) -> Graph:
    """Where each of ``starts`` leads, and what that leads to."""
    graph: Graph = {}
    pending = list(dict.fromkeys(starts))
    for _ in range(MAXIMUM_STEPS):
        by_zone: dict[str, list[str]] = {}
        for name in pending[: MAXIMUM_NAMES - len(graph)]:
            origin = next((parent for parent in parent_names(name) if parent in zones), None)
            if origin is not None:
                by_zone.setdefault(origin, []).append(name)
        if not by_zone:
            break
        fresh: Graph = {}
        for origin, names in by_zone.items():
            fresh.update(_look_up(names, zones[origin], cnames, steered.get(origin, ())))
        graph.update(fresh)
        targets = (edge.target for edges in fresh.values() for edge in edges)
        pending = [name for name in dict.fromkeys(targets) if name not in graph]
    return graph


def _look_up(
    names: Sequence[str],
    zone: ZoneText,
    cnames: Mapping[str, Sequence[PoolCname]],
    steered: Sequence[str],
) -> Graph:
    """Where names of one zone lead at once; ``steered`` are the steered names of it."""
    above = {name: _up_to(zone.origin, name) for name in names}
    wildcards = {name: [_wildcard(parent) for parent in way[1:]] for name, way in above.items()}
    listed = list(dict.fromkeys(chain.from_iterable((*above.values(), *wildcards.values()))))
    rows = dict(zip(listed, zone.owners(listed), strict=True))
    owners: dict[str, str] = {}
    by_wildcard: dict[str, str] = {}
    for name, way in above.items():
        if _is_cut(way, rows):
            continue
        if name in cnames or rows[name]:
            owners[name] = name
        else:
            found = next((one for one in wildcards[name] if one in cnames or rows[one]), None)
            if found is not None:
                by_wildcard[name] = found
    if by_wildcard:
        # Only the wildcard at the closest encloser counts (RFC 4592 section 3.3.1).
        present = zone.presence(list(by_wildcard), list(steered))
        owners.update(
            pair for pair, one in zip(by_wildcard.items(), present, strict=True) if one == _REACHABLE
        )
    leading = {
        owner: [
            Edge(owner, one.target, CNAME, one.place, zone.origin, one.pool) for one in cnames.get(owner, ())
        ]
        for owner in owners.values()
    }
    plain = [owner for owner in leading if owner not in cnames and not _has(rows[owner], A, AAAA)]
    for record in records_of(zone, (CNAME, ALIAS), 2 * len(plain), plain):
        try:
            target, _ = name_at(record.rdata)
        except ValueError:
            continue
        leading[record.owner].append(Edge(record.owner, target, record.rtype, record.place, zone.origin))
    return {name: leading[owners[name]] if name in owners else [] for name in names}


def _up_to(origin: str, name: str) -> list[str]:
    """``name`` and the names above it, up to ``origin``."""
    names = parent_names(name)
    return names[: names.index(origin) + 1]


def _wildcard(above: str) -> str:
    return "*." if above == "." else f"*.{above}"


def _is_cut(way: Sequence[str], rows: Mapping[str, Rows]) -> bool:
    """Whether another server answers for the first of ``way``, or a DNAME above it does."""
    return any(_has(rows[name], NS) for name in way[:-1]) or any(_has(rows[name], DNAME) for name in way[1:])


def _has(rows: Rows, *types: int) -> bool:
    return any(rtype in types for rtype, _, _ in rows)


def _loops(graph: Graph) -> Iterator[tuple[list[str], list[Edge]]]:
    """Loops: names, and the edge from each to the next, from the last to the first. Every knot has one."""
    done: set[str] = set()
    for start in graph:
        if start in done:
            continue
        path, at = [start], {start: 0}
        edges: list[Edge] = []
        pending = [iter(graph[start])]
        while pending:
            edge = next(pending[-1], None)
            if edge is None:
                pending.pop()
                name = path.pop()
                del at[name]
                done.add(name)
                if edges:
                    edges.pop()
            elif edge.target in at:
                closed = at[edge.target]
                yield path[closed:], [*edges[closed:], edge]
            elif edge.target in graph and edge.target not in done:
                edges.append(edge)
                at[edge.target] = len(path)
                path.append(edge.target)
                pending.append(iter(graph[edge.target]))
