"""Runs the policy tests of a site on the engine that serves, without sockets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING

import dns.edns
import dns.message
import dns.rcode
import dns.rdatatype

from gslb.aliases.external import external_aliases
from gslb.config import alias_rdata as alias_rdata  # noqa: PLC0414 - makes ALIAS data known to dnspython
from gslb.model.finding import Finding, Severity
from gslb.model.health import Observed
from gslb.model.site import AAAA, A
from gslb.steering.verdict import VerdictTable
from gslb.steering.what_if import WhatIf
from gslb.zones.answering_pops import AnsweringPops
from gslb.zones.reach import Reach, steered_targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gslb._dataplane import DataPlane, Steering, Zone
    from gslb.model.policy_test import Client, Conditions, Expectation, PolicyTest
    from gslb.model.site import SteeringConfig
    from gslb.zones.answering_pops import Matches

MAXIMUM_EXAMPLES = 64
"""Clients that stand for everyone at a location: one of each place that the databases tell apart."""

DRAWS = 8
"""Times that each client asks, since a policy may choose at random."""

MAXIMUM_ANSWERS = 4_096
"""Answers that are kept once read, for other clients and tests that get the same."""

_OPTIONS = {4: bytes.fromhex("00080008000120"), 16: bytes.fromhex("00080014000280")}
"""How the client subnet option of one address begins, up to the scope, by the octets of the address."""

SEED = 20_240_601
"""Of the engine's choices: the same test gets the same answers."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a test went. ``problem`` is empty when it passed."""

    test: PolicyTest
    clients: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one client got."""

    rcode: str
    records: frozenset[str]
    ttl: int | None
    scope: int | None
    alias: str = ""
    """The name outside the site to which an ALIAS led; what has to be resolved for it is not known then."""
    pops: frozenset[str] = frozenset()

    def __str__(self) -> str:
        if self.alias:
            return f"the addresses of {self.alias} by ALIAS"
        if not self.records:
            return self.rcode if self.rcode != "NOERROR" else "no records"
        return f"{', '.join(sorted(self.records))} ({', '.join(sorted(self.pops)) or 'no POP'})"


def run_policy_tests(
    tests: Sequence[PolicyTest], config: SteeringConfig, zones: Iterable[Zone], steering: Steering
) -> list[Outcome]:
    """Each test on an engine of its own that holds these zones and this compiled ``config``."""
    if not tests:
        return []
    runner = _Runner(tests, config, list(zones), steering)
    return [runner.run(test) for test in tests]


def failures(outcomes: Iterable[Outcome]) -> list[Finding]:
    """An error for each test that failed."""
    return [
        Finding(
            "site-test-failed",
            Severity.ERROR,
            outcome.test.place,
            f"test {outcome.test.title}: {outcome.problem}",
        )
        for outcome in outcomes
        if outcome.problem
    ]


class _Runner:
    """Asks an engine under the conditions of each of ``tests``."""

    def __init__(
        self, tests: Sequence[PolicyTest], config: SteeringConfig, zones: list[Zone], steering: Steering
    ) -> None:
        from gslb._dataplane import DataPlane  # noqa: PLC0415 - only a site with tests needs an engine here

        self._what_if = WhatIf(config)
        self._all_up = VerdictTable(config, [Observed.UP] * steering.endpoint_count)
        self._conditions: Conditions | None = None
        self._engine: DataPlane = DataPlane(seed=SEED)
        self._engine.publish(zones, steering, bytes(steering.endpoint_count))
        self._outside = _stand_in_for_addresses(self._engine, {test.ask for test in tests}, config, zones)
        self._pops = AnsweringPops(config, zones, steering)
        self._verdicts = bytes(steering.endpoint_count)
        self._loads = b""
        self._examples = _examples((test.client for test in tests), steering)
        self._answers: dict[bytes, tuple[_Answer, Matches]] = {}

    def run(self, test: PolicyTest) -> Outcome:
        if test.conditions != self._conditions:
            self._conditions = test.conditions
            self._verdicts = self._what_if.verdicts(test.conditions, self._all_up).to_bytes()
            self._loads = self._what_if.loads(test.conditions, {})
            self._engine.publish_verdicts(self._verdicts, self._loads)
        clients = self._clients(test.client)
        if not clients:
            return Outcome(test, 0, f"no geo database of the site knows {test.client}")
        passed: set[tuple[bytes, frozenset[str]]] = set()
        for client, address in clients:
            wire = _query(test.ask, test.type, len(address)) + address
            last: bytes | None = None
            for _ in range(DRAWS):
                reply = self._engine.answer(wire, client, "tcp")
                if reply is None or reply == last:
                    continue
                last = reply
                told = _without_client(reply, address)
                answer, matches = self._read(told, reply, test.type)
                pops = self._pops.of(matches, client, self._verdicts, self._loads)
                if (told, pops) in passed:
                    continue
                answer = replace(answer, pops=pops)
                problem = _problem(test.expect, answer)
                if problem:
                    who = client if test.client.kind is None else f"{test.client} ({client})"
                    when = f" with {test.conditions}" if str(test.conditions) else ""
                    return Outcome(
                        test, len(clients), f"a client at {who}{when} gets {answer}, but {problem}"
                    )
                passed.add((told, pops))
        return Outcome(test, len(clients))

    def _clients(self, client: Client) -> list[tuple[str, bytes]]:
        """Addresses, and their octets."""
        if client.kind is None:
            return [(client.address, ip_address(client.address).packed)]
        return self._examples[client.kind.value, client.value]

    def _read(self, told: bytes, reply: bytes, rtype: str) -> tuple[_Answer, Matches]:
        """The answer of a reply, but for its POPs, and what it may have these by.

        Of replies that tell the same, one is read.
        """
        found = self._answers.get(told)
        if found is None:
            if len(self._answers) >= MAXIMUM_ANSWERS:
                self._answers.clear()
            message = dns.message.from_wire(reply)
            answer = self._answer(message, dns.rdatatype.from_text(rtype))
            found = self._answers[told] = answer, self._pops.matches(message)
        return found

    def _answer(self, message: dns.message.Message, rtype: dns.rdatatype.RdataType) -> _Answer:
        given = [(int(rrset.rdtype), rdata.to_text()) for rrset in message.answer for rdata in rrset]
        scopes = [option.scopelen for option in message.options if isinstance(option, dns.edns.ECSOption)]
        records = frozenset(text for number, text in given if number == rtype)
        alias = ""
        if any(
            isinstance(option, dns.edns.EDEOption) and option.code == dns.edns.EDECode.STALE_ANSWER
            for option in message.options
        ):
            alias = self._outside[int(ip_address(next(iter(records))))]
        return _Answer(
            alias=alias,
            rcode=dns.rcode.to_text(message.rcode()),
            records=records,
            ttl=min((rrset.ttl for rrset in message.answer), default=None),
            scope=scopes[0] if scopes else None,
        )


def _examples(
    clients: Iterable[Client], steering: Steering
) -> dict[tuple[str, str], list[tuple[str, bytes]]]:
    """Clients, and their octets, of each location that some of ``clients`` are: all found on one way.

    A look for examples goes through every network of the databases.
    """
    locations = list(
        dict.fromkeys((client.kind.value, client.value) for client in clients if client.kind is not None)
    )
    if not locations:
        return {}
    found = steering.examples(locations, MAXIMUM_EXAMPLES)
    return {
        location: [(address, ip_address(address).packed) for address in addresses]
        for location, addresses in zip(locations, found, strict=True)
    }


def _stand_in_for_addresses(
    engine: DataPlane, asked: Iterable[str], config: SteeringConfig, zones: Iterable[Zone]
) -> list[str]:
    """The names outside the site whose addresses an ALIAS may answer to a question for one of ``asked``.

    Published for each is its number in the list, as an address that is stale: nothing else in an engine of
    policy tests is, so the reply tells where an answer comes from. Without a resolver nothing is known of
    these names, as in the server.
    """
    if config.resolver is None:
        return []
    by_origin = {zone.origin: zone for zone in zones}
    steered = steered_targets(config)
    reach = Reach(by_origin, steered)
    rows = dict.fromkeys(row for name in asked for row in reach.of(name).aliases)
    found = external_aliases({"": rows}, by_origin, steered)
    targets = list(dict.fromkeys(target for alias in found.aliases for target in alias.targets))
    engine.publish_flattened(
        [
            (target, rtype, 0, [number.to_bytes(octets, "big")], True)
            for number, target in enumerate(targets)
            for rtype, octets in ((A, 4), (AAAA, 16))
        ]
    )
    return targets


@lru_cache(maxsize=1024)
def _query(name: str, rtype: str, octets: int) -> bytes:
    """A query up to the address in its client subnet option (RFC 7871 section 6), of so many octets."""
    option = dns.edns.ECSOption(str(ip_address(bytes(octets))), srclen=octets * 8)
    return dns.message.make_query(name, rtype, use_edns=0, options=[option], id=0).to_wire()[:-octets]


def _without_client(reply: bytes, address: bytes) -> bytes:
    """A reply without the address in its client subnet option: alike for all clients that get the same."""
    start = len(reply) - len(address)
    if reply.endswith(address) and reply[start - 8 : start - 1] == _OPTIONS[len(address)]:
        return reply[:start]
    return reply


def _problem(expect: Expectation, answer: _Answer) -> str:
    """The first thing that is not as expected; empty when all is."""
    if answer.alias and _needs_addresses(expect):
        return (
            "what these are only the resolver knows, no test: "
            f"expect alias: {answer.alias}, and with it no more than rcode or scope"
        )
    checks = (
        (
            not expect.alias or answer.alias == expect.alias,
            f"must get the addresses of {expect.alias} by an ALIAS that leads out of the site",
        ),
        (
            not expect.rcode or answer.rcode == expect.rcode,
            f"the response code must be {expect.rcode}, not {answer.rcode}",
        ),
        (
            expect.records is None or answer.records == expect.records,
            f"must get {', '.join(sorted(expect.records or ())) or 'no records'}",
        ),
        (not expect.pops or answer.pops == expect.pops, f"must get {_all_of(expect.pops)}"),
        (
            not expect.among or (bool(answer.pops) and answer.pops <= expect.among),
            f"must get nothing but {_all_of(expect.among)}",
        ),
        (not answer.pops & expect.never, f"must never get {_all_of(answer.pops & expect.never)}"),
        (
            expect.ttl is None or answer.ttl == expect.ttl,
            f"the TTL must be {expect.ttl}, not {answer.ttl}",
        ),
        (
            expect.scope is None or answer.scope == expect.scope,
            f"the scope must be /{expect.scope}, not /{answer.scope}",
        ),
    )
    return next((problem for holds, problem in checks if not holds), "")


def _needs_addresses(expect: Expectation) -> bool:
    """Whether addresses and their TTL have to be known to say whether all is as expected."""
    has_pops = bool(expect.pops or expect.among or expect.never)
    return has_pops or expect.records is not None or expect.ttl is not None


def _all_of(pops: Iterable[str]) -> str:
    return " and ".join(sorted(pops))
