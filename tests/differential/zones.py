"""Adversarial zones: valid for every server, and full of what lookups get wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import dns.name
import dns.zone

from tests.differential import rdatas
from tests.differential.names import (
    STAR,
    Name,
    below,
    label,
    long_name,
    present,
    random_name,
    recase,
)

if TYPE_CHECKING:
    from random import Random

TTLS = (0, 1, 60, 300, 300, 300, 3600, 86400, 2**31 - 1)
OUTSIDE = (dns.name.from_text("ns.outside.invalid."), dns.name.from_text("nowhere.invalid."))


@dataclass(frozen=True)
class Record:
    """One record, RDATA as master-file text."""

    owner: Name
    ttl: int
    rtype: str
    rdata: str

    def __str__(self) -> str:
        return f"{present(self.owner)} {self.ttl} IN {self.rtype} {self.rdata}"


@dataclass
class ZoneData:
    """One zone: its records in file order, and the same as the text of a master file."""

    origin: Name
    records: list[Record]
    text: str = ""

    @cached_property
    def parsed(self) -> dns.zone.Zone:
        """As dnspython reads it."""
        return dns.zone.from_text(self.text, self.origin, relativize=False)

    @property
    def file_name(self) -> str:
        return f"{self.origin.to_text(omit_final_dot=True) if len(self.origin) > 1 else 'root'}.zone"


@dataclass
class _Node:
    sets: dict[str, tuple[int, list[str]]] = field(default_factory=dict)


class _Maker:
    """Adds RRsets that keep a zone valid, and leaves out those that would not."""

    def __init__(self, random: Random, origin: Name, elsewhere: list[Name]) -> None:
        self.random = random
        self.origin = origin
        self.elsewhere = elsewhere
        self.nodes: dict[Name, _Node] = {}
        self.dnames: set[Name] = set()
        self.cuts: list[Name] = []

    def add(self, owner: Name | None, rtype: str, rdata: list[str], ttl: int | None = None) -> bool:
        """Add an RRset; False where the rules of a zone forbid it."""
        if owner is None or not owner.is_subdomain(self.origin) or not self._allowed(owner, rtype):
            return False
        chosen = self.random.choice(TTLS) if ttl is None else ttl
        self.nodes.setdefault(owner, _Node()).sets[rtype] = (chosen, list(dict.fromkeys(rdata)))
        if rtype == "DNAME":
            self.dnames.add(owner)
        if rtype == "NS" and owner != self.origin:
            self.cuts.append(owner)
        return True

    def _allowed(self, owner: Name, rtype: str) -> bool:
        sets = self.nodes.get(owner, _Node()).sets
        if rtype in sets or "CNAME" in sets or (rtype == "CNAME" and sets):
            return False
        if any(owner != dname and owner.is_subdomain(dname) for dname in self.dnames):
            return False
        if rtype == "DNAME":
            # RFC 6672 sections 2.3 to 2.4: nothing below, no cut here; a wildcard owner is undefined.
            # NSD counts the apex of another served zone as something below.
            names = [*self.nodes, *self.elsewhere]
            below_it = any(name != owner and name.is_subdomain(owner) for name in names)
            cut_here = "NS" in sets and owner != self.origin
            return not (below_it or cut_here or owner.labels[0] == STAR)
        if rtype == "NS" and owner != self.origin:
            # RFC 4592 section 4.2: a wildcard NS is undefined.
            return "DNAME" not in sets and owner.labels[0] != STAR
        return True

    def target(self) -> Name:
        """A name to point to: here or elsewhere, there or not."""
        draw = self.random.random()
        if draw < 0.5 and self.nodes:
            name = self.random.choice(list(self.nodes))
            return (below(name, label(self.random)) or name) if self.random.random() < 0.2 else name
        if draw < 0.7:
            return random_name(self.random, self.origin)
        if draw < 0.9 and self.elsewhere:
            base = self.random.choice(self.elsewhere)
            return base if self.random.random() < 0.2 else random_name(self.random, base)
        return self.random.choice(OUTSIDE)

    def apex(self) -> None:
        random, origin = self.random, self.origin
        first = below(origin, b"ns1") or origin
        minimum = random.choice((0, 60, 300, 86400))
        mailbox = below(origin, b"host.master") or origin
        self.add(
            origin,
            "SOA",
            [f"{present(first)} {present(mailbox)} {random.randrange(1, 2**32)} 7200 1800 1209600 {minimum}"],
        )
        servers = [OUTSIDE[0]]
        if random.random() < 0.85:
            servers.append(first)
            self.add(first, "A", ["192.0.2.53"])
            if random.random() < 0.5:
                self.add(first, "AAAA", ["2001:db8::53"])
        if random.random() < 0.3:
            servers.append(below(random.choice(self.elsewhere or [OUTSIDE[1]]), b"ns1") or OUTSIDE[1])
        for server in servers:
            # BIND wants an address for a server of the apex that is inside the zone, as all are in the root.
            self.add(server, "A", ["192.0.2.53"])
        servers = servers[random.randrange(2) if len(servers) > 1 else 0 :]
        self.add(origin, "NS", [present(server) for server in servers])

    def data(self, owner: Name, count: int) -> None:
        """``count`` RRsets of any types at ``owner``."""
        for rtype in self.random.sample(list(rdatas.MAKERS), count):
            many = self.random.choice((1, 1, 1, 2, 3, 8))
            make = rdatas.MAKERS[rtype]
            self.add(owner, rtype, [make(self.random, present(self.target())) for _ in range(many)])

    def delegation(self, owner: Name) -> None:
        """A cut with glue of every kind, and data that the cut hides."""
        random = self.random
        servers: list[Name] = []
        for index in range(random.choice((1, 1, 2, 3, 14))):
            inside = below(owner, b"ns%d" % index) or owner
            kind = random.randrange(6)
            if kind <= 1:
                servers.append(inside)
                self.add(inside, "A", [f"192.0.2.{index}"])
                if random.random() < 0.4:
                    self.add(inside, "AAAA", [f"2001:db8::{index:x}"])
            elif kind == 2:
                servers.append(inside)
            elif kind == 3 and self.cuts:
                sibling = below(random.choice(self.cuts), b"ns0") or inside
                servers.append(sibling)
            elif kind == 4:
                servers.append(random.choice(OUTSIDE))
            else:
                servers.append(self.target())
        if not self.add(owner, "NS", [present(server) for server in servers]):
            return
        if random.random() < 0.5:
            self.add(owner, "DS", [rdatas.ds(random) for _ in range(random.choice((1, 2)))])
        if random.random() < 0.3:
            self.data(owner, 1)
        if random.random() < 0.4:
            self.data(below(owner, label(random)) or owner, 1)
        if random.random() < 0.2:
            self.add(below(owner, label(random)), "CNAME", [present(self.target())])
        if random.random() < 0.2:
            self.add(below(owner, label(random), label(random)), "NS", [present(self.target())])

    def large(self, owner: Name) -> None:
        """RRsets near and over what a datagram carries."""
        random = self.random
        count = random.choice((25, 28, 29, 30, 70, 75, 80, 250))
        kind = random.randrange(4)
        if kind == 0:
            self.add(owner, "A", [f"192.0.{index >> 8}.{index & 255}" for index in range(count)])
        elif kind == 1:
            self.add(owner, "TXT", [f'"{index:03d}{"t" * random.choice((5, 40))}"' for index in range(count)])
        elif kind == 2:
            hosts = [below(owner, b"mx%d" % index) for index in range(min(count, 30))]
            for host in hosts:
                self.add(host, "A", ["192.0.2.25"])
                self.add(host, "AAAA", ["2001:db8::25"])
            self.add(owner, "MX", [f"10 {present(host)}" for host in hosts if host is not None])
        else:
            self.add(owner, "AAAA", [f"2001:db8::{index:x}" for index in range(count)])

    def fill(self, size: int) -> None:
        """About ``size`` owners of every kind."""
        random = self.random
        self.apex()
        if random.random() < 0.05:
            self.add(self.origin, "DNAME", [present(self.target())])
            return
        if random.random() < 0.5:
            self.data(self.origin, 2)
        for _ in range(size):
            owner = random_name(random, self.origin)
            if random.random() < 0.2 and self.nodes:
                owner = below(random.choice(list(self.nodes)), label(random)) or owner
            self._one(owner)

    def _one(self, owner: Name) -> None:
        random = self.random
        draw = random.random()
        if draw < 0.42:
            self.data(owner, random.choice((1, 1, 2, 4)))
        elif draw < 0.60:
            target = owner if random.random() < 0.05 else self.target()
            self.add(owner, "CNAME", [present(target)])
        elif draw < 0.72:
            self.delegation(owner)
        elif draw < 0.82:
            target = long_name(random, self.target(), 240) if random.random() < 0.15 else self.target()
            self.add(owner, "DNAME", [present(target)])
        elif draw < 0.92:
            wild = below(owner, STAR)
            if wild is not None and random.random() < 0.35:
                self.add(wild, "CNAME", [present(self.target())])
            elif wild is not None:
                self.data(wild, 2)
        elif draw < 0.96:
            self.large(owner)
        else:
            self.data(long_name(random, owner, random.choice((250, 253, 254, 255))), 1)

    def chain(self) -> None:
        """CNAMEs one after the other, ending anywhere; some longer than any server follows."""
        random = self.random
        links = [below(self.origin, b"l%d" % index, b"chain") for index in range(random.choice((3, 8, 20)))]
        for here, there in pairwise(links):
            if there is not None:
                self.add(here, "CNAME", [present(there)])
        end = random.choice((links[0], self.target()))
        self.add(links[-1], "CNAME", [present(end)])

    def zone(self) -> ZoneData:
        records = [
            Record(owner, ttl, rtype, rdata)
            for owner, node in self.nodes.items()
            for rtype, (ttl, values) in node.sets.items()
            for rdata in values
        ]
        lines = []
        for record in records:
            owner = present(record.owner)
            rdata = record.rdata
            if self.random.random() < 0.3:
                owner = recase(self.random, owner.encode()).decode()
            if record.rtype in ("NS", "CNAME", "DNAME", "MX", "PTR") and self.random.random() < 0.2:
                rdata = recase(self.random, rdata.encode()).decode()
            lines.append(f"{owner} {record.ttl} IN {record.rtype} {rdata}")
        return ZoneData(self.origin, records, "\n".join(lines) + "\n")


def make_zones(random: Random, size: int = 40) -> list[ZoneData]:
    """One to six zones to be served together: siblings, parents and children, at times the root."""
    base = dns.name.from_text(f"z{random.randrange(10)}.test.")
    origins = [base]
    if random.random() < 0.7:
        origins.append(dns.name.from_text("other.example."))
    for above in list(origins):
        if random.random() < 0.5:
            child = below(above, random.choice((b"a", b"b", b"child")))
            origins.extend([child] if child else [])
    if random.random() < 0.3:
        deeper = below(origins[-1], b"a", b"c")
        origins.extend([deeper] if deeper else [])
    if random.random() < 0.25:
        origins.append(dns.name.root)
    if random.random() < 0.2:
        origins.append(dns.name.from_text("test."))
    makers = []
    for origin in origins:
        maker = _Maker(random, origin, [other for other in origins if other != origin])
        maker.fill(random.choice((2, size, size, size * 2)))
        for child in origins:
            if child != origin and child.is_subdomain(origin) and random.random() < 0.7:
                maker.delegation(child)
        if random.random() < 0.4:
            maker.chain()
        makers.append(maker)
    for maker in makers:
        _drop_covered_dnames(maker, makers)
    return [maker.zone() for maker in makers]


def _drop_covered_dnames(maker: _Maker, makers: list[_Maker]) -> None:
    """Remove the DNAMEs below which another zone has names: NSD has one tree for all zones."""
    names = {name for other in makers if other is not maker for name in other.nodes}
    for dname in maker.dnames:
        if any(name != dname and name.is_subdomain(dname) for name in names):
            node = maker.nodes[dname]
            del node.sets["DNAME"]
