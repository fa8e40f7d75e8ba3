"""A slow, obvious evaluator of steering documents, to disagree with the data plane's.

Written from the specification alone. It answers with every sequence of endpoints that may be given: for
deterministic policies exactly one, else all that the draws can come to. Words: a *unit* is what policies
speak of, a POP or a member pool. POP i has the number i, pool j the number of POPs + j. A *count* says of an
endpoint's number whether it may be handed out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from math import ceil
from typing import TYPE_CHECKING, Any

from tests.scenarios.steering_geography import Address, Geography, client_address, network
from tests.scenarios.steering_query import (
    AAAA,
    CNAME,
    DOWN,
    DRAINED,
    SERVING,
    A,
    Answer,
    Candidate,
    Query,
    stand_in,
)
from tests.scenarios.steering_ranks import Ranks, static_ranks

if TYPE_CHECKING:
    from collections.abc import Iterator

UNKNOWN_LOAD = 65_535

Document = dict[str, Any]
Reached = tuple[int, int | None, Ranks]


@dataclass(frozen=True)
class Expected:
    """What may be answered.

    ``without`` is the outcome when nothing is left, which may depend on draws: a fence after a ``take``.
    ``scopes`` are the shortest prefix needed, and the longest that is allowed.
    """

    without: str
    answers: frozenset[Answer]
    ttl: int
    scopes: tuple[int, int]

    @property
    def outcome(self) -> str:
        """``answer``, unless nothing is ever left."""
        return "answer" if any(self.answers) else self.without

    def allows(self, outcome: str, answer: Answer) -> bool:
        """Whether this may be answered."""
        return answer in self.answers and outcome == ("answer" if answer else self.without)


class Reference:
    """One steering document and its geography."""

    def __init__(self, document: Document, geography: Geography) -> None:
        self.document = document
        self.geography = geography
        self.pops = document["pops"]
        self.pools = document["pools"]
        self.endpoints = [endpoint for pool in self.pools for endpoint in pool.get("endpoints", ())]
        self.addresses = [
            ip_address(endpoint["address"]) if endpoint.get("address") else None
            for endpoint in self.endpoints
        ]
        numbers = iter(range(len(self.endpoints)))
        self.numbers = [[next(numbers) for _ in pool.get("endpoints", ())] for pool in self.pools]
        # The document does not change, so these are found once.
        self.leaves = cache(self.leaves)
        self.candidates = cache(self.candidates)
        self.ranks = cache(self.ranks)
        self.points = cache(self.points)
        self.decision_tree = cache(self.decision_tree)
        self.scopes = cache(self.scopes)

    # What a pool holds.

    def members(self, pool: int) -> list[int]:
        """The member pools of a pool."""
        return [member["pool"] for member in self.pools[pool].get("members", ())]

    def tree(self, pool: int) -> list[int]:
        """The pool and those below it, a pool in two places twice."""
        return [pool] + [inner for member in self.members(pool) for inner in self.tree(member)]

    def kind(self, pool: int, rtype: int) -> int:
        """What is asked of the tree: the type, or CNAME where its endpoints have that."""
        numbers = [number for inner in self.tree(pool) for number in self.numbers[inner]]
        return CNAME if any(self.endpoints[number].get("cname") for number in numbers) else rtype

    def has(self, number: int, kind: int) -> bool:
        """Whether an endpoint has something of the kind to answer with."""
        endpoint, address = self.endpoints[number], self.addresses[number]
        if kind == CNAME:
            return bool(endpoint.get("cname"))
        if kind in (A, AAAA):
            return address is not None and address.version == (4 if kind == A else 6)
        return any(rrset["type"] == kind for rrset in endpoint.get("records") or ())

    def leaves(self, pool: int, kind: int) -> list[int]:
        """The endpoints of the kind in the tree, those of a pool in two places twice."""
        numbers = [number for inner in self.tree(pool) for number in self.numbers[inner]]
        return [number for number in numbers if self.has(number, kind)]

    def candidates(self, pool: int, kind: int) -> list[Candidate]:
        """Units in the order of their first mention, whatever the family; within a unit as declared."""
        found = []
        for member in self.pools[pool].get("members", ()):
            identity = b"pool:" + self.pools[member["pool"]]["name"].encode()
            unit = len(self.pops) + member["pool"]
            if self.leaves(member["pool"], kind):
                found.append(Candidate(unit, member["weight"], identity, pool=member["pool"]))
        mentioned = list(dict.fromkeys(self.endpoints[number]["pop"] for number in self.numbers[pool]))
        for pop in mentioned:
            for number in self.numbers[pool]:
                endpoint = self.endpoints[number]
                if endpoint["pop"] == pop and self.has(number, kind):
                    text = endpoint.get("cname") if kind == CNAME else str(self.addresses[number] or "")
                    identity = self.pops[pop]["name"].encode() + b"\0" + (text or "").encode()
                    found.append(Candidate(pop, endpoint["weight"], identity, endpoint=number))
        return found

    def steps(self, pool: int, policy: int | None) -> list[dict[str, Any]]:
        """The steps of a policy; without one, of the pool's own; without that, none."""
        number = self.pools[pool].get("policy") if policy is None else policy
        return [] if number is None else self.document["policies"][number]["steps"]

    # What serves.

    def need(self, pool: int, kind: int, verdicts: bytes) -> int:
        """How many of its leaves (members) must serve (be available) for the pool to be available."""
        key = {A: "ipv4", AAAA: "ipv6"}.get(kind, "other")
        need = (self.pools[pool].get("min_healthy") or {}).get(key, {"count": 1})
        if "count" in need:
            return max(1, need["count"])
        if self.members(pool):
            of = sum(
                any(verdicts[leaf] & 3 != DRAINED for leaf in self.leaves(member, kind))
                for member in self.members(pool)
            )
        else:
            of = sum(verdicts[leaf] & 3 != DRAINED for leaf in self.leaves(pool, kind))
        return max(1, ceil(Fraction(str(need["fraction"])) * of))

    def available(self, pool: int, kind: int, verdicts: bytes) -> bool:
        """Whether enough of it serves."""
        if self.members(pool):
            good = sum(self.available(member, kind, verdicts) for member in self.members(pool))
        else:
            good = sum(verdicts[leaf] & 3 == SERVING for leaf in self.leaves(pool, kind))
        return good >= self.need(pool, kind, verdicts)

    def load(self, unit: int, kind: int, verdicts: bytes, loads: bytes) -> Fraction:
        """A POP's load; a member pool's: the lowest of its POPs with a serving leaf. Unknown is 0."""
        if unit < len(self.pops):
            thousandths = int.from_bytes(loads[2 * unit : 2 * unit + 2], "big") if loads else UNKNOWN_LOAD
            return Fraction(0 if thousandths == UNKNOWN_LOAD else thousandths, 1000)
        leaves = self.leaves(unit - len(self.pops), kind)
        pops = [self.endpoints[leaf]["pop"] for leaf in leaves if verdicts[leaf] & 3 == SERVING]
        return min((self.load(pop, kind, verdicts, loads) for pop in pops), default=Fraction(0))

    # The decision.

    def decide(self, name: int, rtype: int, client: str, verdicts: bytes, loads: bytes = b"") -> Expected:
        """What a name may be answered with.

        Raises TooManyError, and TooCloseError where rounding would decide.
        """
        entry = self.document["names"][name]
        root, address = entry["pool"], client_address(client)
        kind = self.kind(root, rtype)
        leaves = self.leaves(root, kind)
        if not leaves:
            return Expected("not_offered", frozenset([()]), entry["ttl"], (0, 0))
        query = Query(self, kind, address, verdicts, loads)
        scopes = self.scopes(name, rtype, address)
        all_down = self.pools[root]["when_all_down"]
        ttl = self.ttl(entry, leaves, verdicts)
        if self.available(root, kind, verdicts):
            answers = query.answers(root, entry["policy"], lambda leaf: verdicts[leaf] & 3 == SERVING, True)
        elif all_down in ("serve_all", "last_good"):
            ttl = entry["min_ttl"]
            answers = query.answers(root, entry["policy"], stand_in(all_down, leaves, verdicts), False)
        else:
            ttl = entry["min_ttl"]
            answers = frozenset([()])
        without = all_down if all_down in ("nodata", "servfail") else "last_resort"
        return Expected(without, answers, ttl, scopes)

    def ttl(self, entry: dict[str, Any], leaves: list[int], verdicts: bytes) -> int:
        """Shrinks with the share of endpoints that are down; drained ones are not counted."""
        serving = sum(verdicts[leaf] & 3 == SERVING for leaf in set(leaves))
        down = sum(verdicts[leaf] & 3 == DOWN for leaf in set(leaves))
        if not down:
            return entry["ttl"]
        return entry["min_ttl"] + (entry["ttl"] - entry["min_ttl"]) * serving // (serving + down)

    # What location has to do with it.

    def ranks(self, pool: int, policy: int | None, kind: int, client: Address) -> Ranks:
        """For each step of the policy, what it makes of the pool's units for this client."""
        units = Counter(candidate.unit for candidate in self.candidates(pool, kind))
        return static_ranks(self, self.steps(pool, policy), units, kind, client)

    def policies(self, name: int, kind: int, client: Address, reachable: bool) -> Iterator[Reached]:
        """The pools of a name's tree with what their policies make of the client.

        ``reachable`` leaves out pools that a fence keeps from this client.
        """

        def below(pool: int, policy: int | None) -> Iterator[Reached]:
            ranks = self.ranks(pool, policy, kind, client)
            yield pool, policy, ranks
            for member in self.members(pool):
                left = ranks.left_by_all(len(self.pops) + member)
                if self.leaves(member, kind) and (left or not reachable):
                    yield from below(member, None)

        entry = self.document["names"][name]
        return below(entry["pool"], entry["policy"])

    def decision_tree(self, name: int, rtype: int, client: Address, reachable: bool) -> Any:
        """Equal for clients that every policy of the tree orders alike, whatever serves and is drawn."""
        kind = self.kind(self.document["names"][name]["pool"], rtype)
        return tuple((pool, ranks.orders) for pool, _, ranks in self.policies(name, kind, client, reachable))

    def scopes(self, name: int, rtype: int, client: Address) -> tuple[int, int]:
        """The lengths of the shortest prefix around the client with one decision tree.

        The first looks only at pools that this client can come to and sticky steps that have an effect, the
        second at all of the name.
        """
        entry = self.document["names"][name]
        if not entry["client_subnet"]:
            return 0, 0
        points = self.points(client.version)
        sticky, every_sticky = self.sticky_bits(name, rtype, client)
        reachable, whole = (self._uniform(name, rtype, client, points, part) for part in (True, False))
        return max(reachable, sticky), max(whole, every_sticky)

    def _uniform(self, name: int, rtype: int, client: Address, points: list[Address], part: bool) -> int:
        tree = self.decision_tree(name, rtype, client, part)
        bits = client.max_prefixlen
        differing = [
            bits - (int(point) ^ int(client)).bit_length() + 1
            for point in points
            if self.decision_tree(name, rtype, point, part) != tree
        ]
        # The tree is the same all over a stretch, and of a stretch its first or last address is the nearest.
        return max(differing, default=0)

    def points(self, version: int) -> list[Address]:
        """The first and last address of every stretch in which no network begins or ends."""
        networks = [one for one in self.geography.networks() if one.version == version]
        for policy in self.document["policies"]:
            for step in policy["steps"]:
                rules = step.get("rules", ())
                networks += [network(rule["value"]) for rule in rules if rule["kind"] == "subnet"]
        networks += [network(row["value"]) for row in self.document["latency"] if row["kind"] == "subnet"]
        kind = IPv4Address if version == 4 else IPv6Address
        points = {kind(0)}
        for one in networks:
            if one.version == version:
                ends = (int(one.network_address), int(one.broadcast_address) + 1)
                edges = [beside for end in ends for beside in (end - 1, end)]
                points |= {kind(edge) for edge in edges if 0 <= edge < 2**one.max_prefixlen}
        return sorted(points)

    def sticky_bits(self, name: int, rtype: int, client: Address) -> tuple[int, int]:
        """The longest sticky prefix of steps that have an effect on the client, and of all; 0 without one."""
        kind = self.kind(self.document["names"][name]["pool"], rtype)
        key = "ipv4" if client.version == 4 else "ipv6"
        some = [step for *_, ranks in self.policies(name, kind, client, True) for step in ranks.sticky]
        pools = self.policies(name, kind, client, False)
        every = [step for pool, policy, _ in pools for step in self.steps(pool, policy)]
        lengths = [[step[key] for step in steps if step["step"] == "sticky"] for steps in (some, every)]
        return max(lengths[0], default=0), max(lengths[1], default=0)
