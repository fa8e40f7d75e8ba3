"""Made-up steering documents and questions about them: small, and as difficult as they come."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from random import Random
from typing import TYPE_CHECKING, Any

from tests.scenarios.steering_geography import Geography, Location
from tests.scenarios.steering_query import AAAA, DOWN, DRAINED, LAST_GOOD, A

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.scenarios.steering_reference import Document

MX, TXT = 15, 16
UNKNOWN_LOAD = 65_535
LOADS = (0, 1, 499, 500, 501, 699, 700, 701, 702, 949, 950, 951, 9_999, 10_000, 65_534, UNKNOWN_LOAD)

PLACES = (
    Location("EU", "DE", "DE-BE", 64500, (52.5, 13.4)),
    Location("EU", "DE", "DE-BY", 64501, (48.1, 11.6)),
    Location("EU", "DE", None, 64500),
    Location("EU", "FR", None, 64502, (48.9, 2.4)),
    Location("EU"),
    Location("NA", "US", "US-CA", 64503, (37.8, -122.4)),
    Location("NA", "US", "US-VA", None, (39.0, -77.5)),
    Location("AS", "JP", None, 64504, (35.7, 139.7)),
    Location("SA", "BR", None, None, (-23.6, -46.6)),
    Location(None, None, None, 64501),
    Location(None, None, None, None, (0.5, 1.5)),
    Location(),
)
POP_PLACES = (
    (50.1, 8.7),
    (52.4, 4.9),
    (39.1, -77.4),
    (37.4, -122.1),
    (1.3, 103.8),
    (-33.9, 18.4),
    (None, None),
)
NETWORKS = {
    4: (
        "10.0.0.0/8",
        "10.0.0.0/9",
        "10.1.0.0/16",
        "10.1.128.0/17",
        "10.1.129.0/24",
        "10.1.129.128/25",
        "10.1.129.129/32",
        "10.2.0.0/15",
        "10.2.3.0/24",
        "10.255.255.255/32",
        "172.16.0.0/12",
        "192.0.2.0/24",
        "192.0.2.64/26",
        "0.0.0.0/1",
        "128.0.0.0/1",
        "255.255.255.255/32",
    ),
    6: (
        "2001:db8::/32",
        "2001:db8::/33",
        "2001:db8:1::/48",
        "2001:db8:1:2::/64",
        "2001:db8:1:2::1/128",
        "2001:db8:8000::/33",
        "2000::/3",
        "fc00::/7",
    ),
}
OUTSIDE = ("203.0.113.77", "0.0.0.0", "255.255.255.255", "3fff::1", "ffff::", "::2", "::ffff:10.1.129.130")
VALUES = {
    "subnet": (*NETWORKS[4], *NETWORKS[6], "0.0.0.0/0", "::/0", "10.1.129.0/25", "2001:db8:1:2::/65"),
    "asn": ("64500", "64501", "64502", "64503", "0", "4294967295"),
    "subdivision": ("DE-BE", "DE-BY", "US-CA", "US-VA"),
    "country": ("DE", "FR", "US", "JP", "BR"),
    "continent": ("EU", "NA", "AS", "SA", "OC"),
    "default": ("",),
}
PLACE = {"file": "steering.yaml", "line": 1}
MOST_SHEDS = 4
"""A policy of five steps that are all ``shed`` would be refused."""
DRAWS = ["sticky", "weighted", "weighted", "shed", "shed", "shuffle", "take", "take"]
TOLERANCES = (
    None,
    {"milliseconds": 0.0},
    {"milliseconds": 5.0},
    {"milliseconds": 10.0},
    {"percent": 10.0},
    {"percent": 50.0},
)
BIASES = (-20_000, -3_000, -500, 0, 200, 20_000)
CHANCES = (
    *((1, 0, 0), (8, 1, 1), (6, 1, 0), (4, 1, 1), (4, 2, 2), (2, 1, 1), (1, 1, 1)),
    *((0, 1, 0), (0, 0, 1), (0, 2, 1), (1, 5, 0)),
)
"""Of endpoints to be serving, down and drained."""
ALL_DOWN = ("serve_all", "last_good", "fallback", "nodata", "servfail")


def geography(random: Random) -> Geography:
    """Databases and overrides of some of the networks."""

    def rows(least: int, most: int) -> tuple[tuple[str, Location], ...]:
        networks = random.sample([*NETWORKS[4], *NETWORKS[6]], random.randint(least, most))
        return tuple((network, random.choice(PLACES)) for network in networks)

    databases = tuple(rows(2, 10) for _ in range(random.choice((0, 1, 1, 1, 2))))
    return Geography(databases, rows(1, 4) if random.random() < 0.4 else ())


def clients(random: Random, count: int) -> list[str]:
    """Addresses at the edges of networks, in them and outside all."""
    found = []
    for _ in range(count):
        if random.random() < 0.15:
            found.append(random.choice(OUTSIDE))
            continue
        version = random.choice((4, 4, 6))
        network = random.choice(NETWORKS[version])
        text, _, bits = network.partition("/")
        found.append(_within(random, text, int(bits), version))
    return found


def _within(random: Random, text: str, bits: int, version: int) -> str:
    kind = IPv4Address if version == 4 else IPv6Address
    size = 32 if version == 4 else 128
    start = int(kind(text))
    count = 2 ** (size - bits)
    host = random.choice((0, 1, count - 1, count, -1, random.randrange(count)))
    return str(kind((start + host) % 2**size))


class Maker:
    """Makes one document; without ``drawn``, one whose answers do not depend on draws."""

    def __init__(self, random: Random, *, drawn: bool = True) -> None:
        self.random = random
        self.drawn = drawn
        self.pops = [self._pop(number) for number in range(random.randint(2, 5))]
        self.addresses = iter(range(1, 250))
        self.pools: list[dict[str, Any]] = []
        self.policies: list[dict[str, Any]] = []

    def document(self, databases: list[str], overrides: list[dict[str, Any]]) -> Document:
        """All of it."""
        random = self.random
        leaves = random.randint(1, 4)
        parents = random.choice((0, 1, 1, 2, 3)) if leaves > 1 or random.random() < 0.3 else 0
        self.pool_count = leaves + parents
        flavours = {}
        flavour = "cname" if random.random() < 0.12 else "address"
        for number in range(leaves):
            flavours[number] = flavour
            self.pools.append(self._leaf_pool(number, flavour))
        for number in range(leaves, self.pool_count):
            self.pools.append(self._parent_pool(number))
        for number in range(self.pool_count):
            pool = self.pools[number]
            pool["policy"] = self._policy(pool) if random.random() < 0.7 else None
        names = [self._name(number) for number in range(random.randint(2, 4))]
        return {
            "databases": databases,
            "overrides": overrides,
            "pops": self.pops,
            "pools": self.pools,
            "policies": self.policies,
            "names": names,
            "latency": self._latency(),
        }

    def _pop(self, number: int) -> dict[str, Any]:
        latitude, longitude = self.random.choice(POP_PLACES)
        return {"name": f"pop{number}", "latitude": latitude, "longitude": longitude}

    def _weight(self) -> int:
        return self.random.choice((0, 1, 100, 100, 100, 300, 65_535))

    def _leaf_pool(self, number: int, flavour: str) -> dict[str, Any]:
        random = self.random
        endpoints = []
        six = random.choice((0.2, 0.5))
        # Of both families at each POP, as `same_pop` is for.
        paired = flavour == "address" and random.random() < 0.2
        for _ in range(random.choice((1, 2, 3, 4, 5, 6))):
            endpoint: dict[str, Any] = {"pop": random.randrange(len(self.pops)), "weight": self._weight()}
            host = next(self.addresses)
            if flavour == "cname":
                endpoint["cname"] = f"cdn{host}.example."
            else:
                with_records = random.random()
                if with_records < 0.3:
                    endpoint["records"] = [self._rrset(MX, host)]
                    if random.random() < 0.3:
                        endpoint["records"].append(self._rrset(TXT, host))
                if with_records > 0.1:
                    is_ipv6 = random.random() < six
                    endpoint["address"] = f"2001:db8:f::{host:x}" if is_ipv6 else f"192.0.2.{host}"
            endpoints.append(endpoint | PLACE)
            if paired and "address" in endpoint:
                other = f"192.0.2.{host}" if is_ipv6 else f"2001:db8:f::{host:x}"
                beside = {"pop": endpoint["pop"], "weight": self._weight(), "address": other}
                endpoints.append(beside | PLACE)
        return self._pool(number) | {"endpoints": endpoints, "members": []}

    def _rrset(self, rtype: int, host: int) -> dict[str, Any]:
        """One record that no other endpoint has: a mail exchanger or a text."""
        letter = f"{ord('a') + host % 26:02x}"
        rdata = f"{host:04x}01{letter}00" if rtype == MX else f"02{letter}{host:02x}"
        return {"type": rtype, "rdata": [rdata]}

    def _parent_pool(self, number: int) -> dict[str, Any]:
        random = self.random
        # Later ones may hold earlier ones: trees without cycles, some with a pool in two places.
        members = random.sample(range(number), random.randint(1, min(3, number)))
        rows = [{"pool": member, "weight": self._weight()} for member in members]
        return self._pool(number) | {"endpoints": [], "members": rows}

    def _pool(self, number: int) -> dict[str, Any]:
        random = self.random
        keys = [key for key in ("ipv4", "ipv6", "other") if random.random() < 0.3]
        return {
            "name": f"pool{number}",
            "when_all_down": random.choice((*ALL_DOWN, "serve_all", "last_good", "last_good")),
            "min_healthy": {key: self._need() for key in keys},
            **PLACE,
        }

    def _need(self) -> dict[str, Any]:
        random = self.random
        if random.random() < 0.5:
            return {"count": random.choice((0, 1, 1, 2, 3))}
        return {"fraction": random.choice((0.01, 0.25, 0.28, 0.34, 0.5, 0.67, 0.75, 1.0))}

    def _name(self, number: int) -> dict[str, Any]:
        random = self.random
        # The last pools are the deepest trees.
        pool = max(random.randrange(self.pool_count) for _ in range(2))
        own = self.pools[pool]["policy"] is not None and random.random() < 0.4
        ttl = random.choice((0, 1, 30, 60, 3600, 2**31 - 1))
        return {
            "name": f"n{number}.example.com.",
            "pool": pool,
            "policy": None if own else self._policy(self.pools[pool]),
            "ttl": ttl,
            "min_ttl": random.choice((ttl, ttl // 2, ttl // 7, 0)),
            "client_subnet": random.random() < 0.9,
            "owner": "",
            **PLACE,
        }

    def _policy(self, pool: dict[str, Any]) -> int:
        """A new policy, or one that another pool has too."""
        random = self.random
        leaf = bool(pool["endpoints"])
        if self.policies and random.random() < 0.2:
            number = random.randrange(len(self.policies))
            if leaf or self.policies[number]["steps"][:1] != [{"step": "same_pop"}]:
                return number
        same_pop = leaf and random.random() < 0.12
        steps = [{"step": "same_pop"}] if same_pop else []
        steps += [self._step(same_pop) for _ in range(random.choice((1, 1, 2, 2, 3, 4, 5)))]
        if self.drawn and not same_pop and random.random() < 0.08:
            # What is drawn may be kept from the client afterwards.
            behind = {"step": "failover", "mode": "fence", "tiers": [self._units()]}
            steps += [{"step": "weighted"}, {"step": "take", "count": random.choice((1, 1, 2))}, behind]
        if all(step["step"] == "shed" for step in steps):
            del steps[MOST_SHEDS:]
        self.policies.append({"name": f"policy{len(self.policies)}", "steps": steps} | PLACE)
        return len(self.policies) - 1

    def _step(self, same_pop: bool) -> dict[str, Any]:
        random = self.random
        kinds = ["geo", "geo", "asn", "subnet", "latency", "latency", "distance", "failover"]
        kinds += ["sticky", "take"] if same_pop or not self.drawn else DRAWS
        kind = random.choice(kinds)
        step: dict[str, Any] = {"step": kind}
        mode = random.choice(("prefer", "prefer", "prefer", "fence"))
        match kind:
            case "geo" | "asn" | "subnet":
                step |= {"mode": mode, "rules": self._rules(tuple(VALUES) if kind == "geo" else (kind,))}
            case "failover":
                units = self._units()
                cut = random.randint(0, len(units))
                step |= {"mode": mode, "tiers": [tier for tier in (units[:cut], units[cut:]) if tier]}
            case "latency":
                tolerance = random.choice(TOLERANCES)
                step |= {"tolerance": tolerance} if tolerance else {}
            case "distance":
                units = self._units() if random.random() < 0.4 else []
                step["bias"] = [[unit, random.choice(BIASES)] for unit in units]
            case "sticky":
                step |= {"ipv4": random.choice((0, 8, 24, 32)), "ipv6": random.choice((0, 33, 56, 128))}
            case "shed":
                low = random.choice((0.0, 0.5, 0.7))
                step |= {"low": low, "high": random.choice((0.95, 0.701, 10.0))}
            case "take":
                step["count"] = random.choice((1, 1, 2, 3, 32))
        return step

    def _units(self) -> list[int]:
        """Some units of all kinds, in any order."""
        units = range(len(self.pops) + self.pool_count)
        return self.random.sample(units, self.random.randint(1, min(5, len(units))))

    def _rules(self, kinds: tuple[str, ...]) -> list[dict[str, Any]]:
        random = self.random
        places = {(kind, random.choice(VALUES[kind])): None for kind in random.choices(kinds, k=3)}
        return [{"kind": kind, "value": value, "units": self._units(), **PLACE} for kind, value in places]

    def _latency(self) -> list[dict[str, Any]]:
        random = self.random
        rows = {}
        for _ in range(random.choice((0, 3, 6, 10))):
            kind = random.choice(tuple(VALUES))
            rows[kind, random.choice(VALUES[kind]), random.randrange(len(self.pops))] = random.choice(
                (0.0, 5.0, 10.0, 11.0, 12.5, 15.0, 20.0, 22.0, 30.0, 60_000.0)
            )
        return [
            {"kind": kind, "value": value, "pop": pop, "milliseconds": milliseconds}
            for (kind, value, pop), milliseconds in rows.items()
        ]


def verdicts(random: Random, document: Document) -> bytes:
    """Verdicts of every endpoint: most of the time some of each."""
    count = sum(len(pool["endpoints"]) for pool in document["pools"])
    chances = random.choice(CHANCES)
    marks = random.choice((0.0, 0.5, 0.5, 1.0))
    states = random.choices((0, DOWN, DRAINED), chances, k=count)
    return bytes(state | (LAST_GOOD if random.random() < marks else 0) for state in states)


def loads(random: Random, document: Document) -> bytes:
    """A load for each POP, or none at all."""
    if random.random() < 0.3:
        return b""
    return b"".join(random.choice(LOADS).to_bytes(2, "big") for _ in document["pops"])


def questions(random: Random, document: Document, count: int) -> Iterator[tuple[int, int, str, bytes, bytes]]:
    """(name, type, client, verdicts, loads), ``count`` of them: every client with every state."""
    states = [(verdicts(random, document), loads(random, document)) for _ in range(5)]
    asked = clients(random, max(1, count // (5 * 2 * len(document["names"]))))
    for client in asked:
        for name in range(len(document["names"])):
            for rtype in random.sample((A, A, A, AAAA, AAAA, MX, TXT), 2):
                for state in states:
                    yield name, rtype, client, *state
