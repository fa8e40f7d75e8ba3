"""Asks both servers the same and names what differs."""

from __future__ import annotations

import struct
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import dns.edns
import dns.message
import dns.rcode
import dns.rdatatype

from tests.differential.gdnsd.configuration import PLAIN_NAMES, ZONE, Made, Maker, Steered
from tests.differential.gdnsd.known import GROUPS_KEEP_WEIGHT, name_of
from tests.differential.gdnsd.servers import Converted, Gdnsd
from tests.differential.servers import BATCH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gslb.model.site import SteeredName

PARTS = ("rcode", "answer", "ttl", "scope")
DRAWS = 120
"""Queries of a name whose answers are drawn: each answer that is possible comes up, nearly for certain."""
AROUND_6TO4 = ip_network("2000::/12")
NEIGHBOURS = 3
"""Other clients within each scope that must get the same."""
PLAIN_TYPES = ("A", "AAAA", "TXT", "MX", "SOA", "NS", "CNAME", "SRV")


@dataclass(frozen=True)
class Reply:
    """What is compared of an answer."""

    rcode: str
    answer: frozenset[tuple[str, str, str]]
    ttls: tuple[tuple[str, int], ...]
    scope: int | None


@dataclass(frozen=True)
class Seen:
    """A case, for the known differences."""

    record: str
    is_steered: bool
    is_limited: bool
    is_automatic: bool
    is_degraded: bool
    has_pairs: bool
    ttls_differ: bool
    client_has_coordinates: bool
    client_is_near_6to4: bool
    our_scope_is_true: bool
    declared: tuple[int, int]
    ours: Reply
    theirs: Reply

    @property
    def is_prefix_of_ours(self) -> bool:
        return self.theirs.answer < self.ours.answer and any(
            kind == "CNAME" for _, kind, _ in self.theirs.answer
        )

    @property
    def our_ttl_is_declared(self) -> bool:
        least, most = self.declared
        return all(least <= ttl <= most for _, ttl in self.ours.ttls)

    @property
    def our_ttl_is_shorter(self) -> bool:
        ours, theirs = ([ttl for _, ttl in reply.ttls] for reply in (self.ours, self.theirs))
        return max(ours, default=0) < min(theirs, default=0)

    @property
    def our_scope_is_longer(self) -> bool:
        return (self.ours.scope or 0) > (self.theirs.scope or 0)


@dataclass
class Report:
    """Counts over all rounds."""

    queries: int = 0
    agreed: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """For people."""
        lines = [f"{self.queries} queries"]
        lines += [f"  {part:7} same in {self.agreed[part]}" for part in PARTS]
        lines += [f"  known: {count:6} {name}" for name, count in self.known.most_common()]
        lines += [f"  UNKNOWN: {count:6} {name}" for name, count in self.unknown.most_common()]
        lines += self.examples.values()
        return "\n".join(lines) + "\n"

    def add(self, what: str, seen: Seen) -> None:
        """Compare the parts of one case."""
        self.queries += 1
        answers_differ = False
        for part, ours, theirs in (
            ("rcode", seen.ours.rcode, seen.theirs.rcode),
            ("answer", seen.ours.answer, seen.theirs.answer),
            ("ttl", seen.ours.ttls, seen.theirs.ttls),
            ("scope", seen.ours.scope, seen.theirs.scope),
        ):
            if ours == theirs or (part == "ttl" and answers_differ):
                self.agreed[part] += 1
                continue
            answers_differ = answers_differ or part == "answer"
            name = name_of(seen, part)
            if name is not None:
                self.known[f"{part}: {name}"] += 1
                continue
            key = f"{part} of {seen.record}"
            self.unknown[key] += 1
            self.examples.setdefault(key, f"--- {key}: {what}\n  gslb  {seen.ours}\n  gdnsd {seen.theirs}")


def query(name: str, rtype: str, client: str) -> bytes:
    """A query with a client subnet, or with none if it is empty."""
    address, _, length = client.partition("/")
    options = [dns.edns.ECSOption(address, int(length))] if client else []
    owner = ZONE if name == "@" else f"{name}.{ZONE}".replace("*", "any")
    message = dns.message.make_query(owner, rtype, use_edns=0, options=options, payload=1232)
    message.flags = 0
    return b"\0\0" + message.to_wire()[2:]


def read(wire: bytes | None) -> Reply:
    """What is compared of a message."""
    assert wire is not None
    message = dns.message.from_wire(wire)
    answer, ttls = set(), set()
    for rrset in message.answer:
        kind = dns.rdatatype.to_text(rrset.rdtype)
        ttls.add((kind, rrset.ttl))
        answer |= {(str(rrset.name).lower(), kind, str(rdata).lower()) for rdata in rrset}
    if not message.answer:
        ttls |= {("authority", rrset.ttl) for rrset in message.authority if rrset.rdtype == dns.rdatatype.SOA}
    scopes = [option.scopelen for option in message.options if isinstance(option, dns.edns.ECSOption)]
    return Reply(
        dns.rcode.to_text(message.rcode()),
        frozenset(answer),
        tuple(sorted(ttls)),
        scopes[0] if scopes else None,
    )


def ask(gdnsd: Gdnsd, wires: list[bytes]) -> list[bytes]:
    """The answers of gdnsd, many at a time."""
    found: list[bytes] = []
    for start in range(0, len(wires), BATCH):
        waiting = {}
        for index, wire in enumerate(wires[start : start + BATCH]):
            waiting[struct.pack("!H", index + 1)] = wire
            gdnsd.client.udp.send(struct.pack("!H", index + 1) + wire[2:])
        answers = {}
        while len(answers) < len(waiting):
            answer = gdnsd.client._receive(5.0)
            assert answer is not None, "gdnsd does not answer"
            if answer[:2] in waiting:
                answers[answer[:2]] = b"\0\0" + answer[2:]
        found += [answers[identifier] for identifier in waiting]
    return found


def states(random: Random, made: Made) -> Iterator[tuple[set[str], set[str]]]:
    """What is forced: addresses and CNAMEs that are down, datacenters that are drained."""
    yield set(), set()
    for share in (0.1, 0.3, 0.6):
        yield {target for target in made.targets if random.random() < share}, set()
    yield set(made.targets), set()
    yield set(), set(random.sample(made.datacenters, 1))


def run_round(seed: str, databases: Path, networks: Path, report: Report, *, clients: int) -> None:
    """One configuration in several states."""
    random = Random(seed)
    made = Maker(random, databases, networks).make()
    with tempfile.TemporaryDirectory(prefix="gdnsd-") as text:
        directory = Path(text)
        converted = Converted(made, directory)
        probe = query("@", "SOA", "192.0.2.0/24")
        for number, (down, drained) in enumerate(states(random, made)):
            forced = {f"{target}/*": "DOWN" for target in sorted(down)}
            forced |= {f"geoip/*/{datacenter}": "DOWN" for datacenter in sorted(drained)}
            chosen = random.sample(made.clients, min(clients, len(made.clients)))
            converted.force(down, drained)
            with Gdnsd(made, directory / f"gdnsd-{number}", forced, probe) as gdnsd:
                case = _Case(
                    f"seed {seed} state {number}",
                    random,
                    made,
                    converted,
                    gdnsd,
                    bool(down | drained),
                    report,
                )
                case.steered(chosen, skip_drained=bool(drained))
                if number == 0:
                    case.plain(chosen[0])
                    case.reflected(chosen)


@dataclass
class _Case:
    """One state of one configuration."""

    what: str
    random: Random
    made: Made
    converted: Converted
    gdnsd: Gdnsd
    is_degraded: bool
    report: Report

    def plain(self, client: str) -> None:
        """Names that steering does not answer."""
        for name in PLAIN_NAMES:
            for rtype in PLAIN_TYPES:
                wire = query(name, rtype, client)
                theirs = read(ask(self.gdnsd, [wire])[0])
                self._add(Steered(name, name), rtype, client, read(self.converted.answer(wire)), theirs)

    def reflected(self, clients: list[str]) -> None:
        """Names that answer with who asks, also without a client subnet and with that of the resolver."""
        names = [one for one in self.made.names if is_reflecting(one)]
        self._ask(names, [*clients, "", "0.0.0.0/0", "::/0", "127.0.0.1/32", "127.0.0.0/8"])

    def steered(self, clients: list[str], *, skip_drained: bool) -> None:
        """Names of DYNA and DYNC, for each client."""
        names = [one for one in self.made.names if "geoip!" in one.record or not skip_drained]
        self._ask([one for one in names if not is_reflecting(one)], clients)

    def _ask(self, names: list[Steered], clients: list[str]) -> None:
        for one in names:
            for rtype in ("A", "AAAA"):
                if one.draws:
                    self._drawn(one, rtype, clients[0])
                    continue
                wires = [query(one.name, rtype, client) for client in clients]
                for client, wire, theirs in zip(clients, wires, ask(self.gdnsd, wires), strict=True):
                    self._add(one, rtype, client, read(self.converted.answer(wire)), read(theirs))

    def _drawn(self, one: Steered, rtype: str, client: str) -> None:
        """The set of all answers that come up."""
        wires = [query(one.name, rtype, client)] * DRAWS
        ours = Counter(read(self.converted.answer(wire)).answer for wire in wires)
        theirs = Counter(read(wire).answer for wire in ask(self.gdnsd, wires))
        self.report.queries += 1
        if set(ours) == set(theirs):
            self.report.agreed["answer"] += 1
        elif self.is_degraded and one.record.endswith("weighted!groups") and set(ours) < set(theirs):
            self.report.known[f"draws: {GROUPS_KEEP_WEIGHT.name}"] += 1
        else:
            key = f"draws of {one.record}"
            self.report.unknown[key] += 1
            self.report.examples.setdefault(key, f"--- {key}: {self.what}\n  gslb {ours}\n  gdnsd {theirs}")

    def _add(self, one: Steered, rtype: str, client: str, ours: Reply, theirs: Reply) -> None:
        is_steered = "DYN" in one.record
        declared = self._declared(one.name) if is_steered else None
        address = ip_address(client.partition("/")[0] or "127.0.0.1")
        self.report.add(
            f"{self.what} {one.name} {rtype} {client} {one.record}",
            Seen(
                record=one.record.partition(" ")[2] or one.record,
                is_steered=is_steered,
                is_limited=one.limited,
                is_automatic=one.is_automatic,
                is_degraded=self.is_degraded,
                has_pairs=one.has_pairs,
                ttls_differ=one.ttls_differ,
                client_has_coordinates=self.made.has_coordinates(address),
                client_is_near_6to4=address in AROUND_6TO4,
                our_scope_is_true=self._is_true(one, rtype, client, ours),
                declared=(0, 0) if declared is None else _bounds(declared),
                ours=ours,
                theirs=theirs,
            ),
        )

    def _is_true(self, one: Steered, rtype: str, client: str, ours: Reply) -> bool:
        """Whether some others within our scope get the same."""
        if not client:
            return True
        subnet = ip_network(client, strict=False)
        around = ip_network(f"{subnet.network_address}/{ours.scope or 0}", strict=False)
        others = [
            around.network_address + self.random.getrandbits(around.max_prefixlen - around.prefixlen)
            for _ in range(NEIGHBOURS if ours.scope else 0)
        ]
        return all(
            read(self.converted.answer(query(one.name, rtype, f"{other}/{around.max_prefixlen}"))).answer
            == ours.answer
            for other in others
        )

    def _declared(self, name: str) -> SteeredName | None:
        return next((one for one in self.converted.steering.names if one.name == f"{name}.{ZONE}"), None)


def _bounds(name: SteeredName) -> tuple[int, int]:
    return (name.ttl if name.least_ttl is None else name.least_ttl, name.ttl)


def is_reflecting(one: Steered) -> bool:
    """Whether a name answers with who asks; nothing of it can be down."""
    return " reflect" in one.record
