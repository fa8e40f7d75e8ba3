"""What is sent is what was decided: endpoints in their order, TTL and scope, for made-up documents."""

from __future__ import annotations

import json
from ipaddress import ip_address
from pathlib import Path
from random import Random

import dns.edns
import dns.message
import dns.rdatatype
import pytest

from gslb._dataplane import Steering
from tests.engine import APEX, Engine
from tests.scenarios.examples import WANTED
from tests.scenarios.steering_cases import Maker, clients, geography, loads, verdicts
from tests.scenarios.steering_geography import override_rows, write_databases
from tests.scenarios.steering_query import AAAA, CNAME, A
from tests.scenarios.steering_reference import Reference

MX = 15
DOCUMENTS = WANTED // 10 or 25


@pytest.mark.parametrize("seed", range(DOCUMENTS))
def test_the_wire_says_what_was_decided(tmp_path: Path, seed: int):
    random = Random(f"wire {seed}")
    place = geography(random)
    paths = write_databases(place, tmp_path / "geo")
    made = Maker(random, drawn=False).document(paths, override_rows(place))
    steering = Steering.compile(json.dumps(made))
    engine = Engine(tmp_path, {"example.com.": APEX}, made)
    reference = Reference(made, place)
    for _ in range(3):
        state = verdicts(random, made), loads(random, made)
        engine.dataplane.publish_verdicts(*state)
        for client in clients(random, 6):
            for number, entry in enumerate(made["names"]):
                for rtype in (A, AAAA, MX):
                    outcome, numbers, ttl, scope = steering.decide(number, rtype, client, *state)
                    if "." in client and ":" in client:
                        continue  # a client subnet is never an IPv4-mapped address
                    subnet = f"{client}/{128 if ':' in client else 32}"
                    resolver = client if not entry["client_subnet"] else "192.0.2.53"
                    answer = engine.ask(
                        entry["name"],
                        dns.rdatatype.to_text(rtype),
                        client=resolver,
                        subnet=subnet,
                        transport="tcp",
                    )
                    if outcome == "answer":
                        kind = reference.kind(entry["pool"], rtype)
                        [rrset] = answer.answer[:1]
                        assert (rrset.rdtype, rrset.ttl) == (kind, ttl)
                        assert _rdata(answer, kind) == _declared(reference, numbers, kind)
                    elif outcome != "not_offered":
                        assert answer.answer == []
                        assert (answer.rcode() == dns.rcode.SERVFAIL) == (outcome == "servfail")
                    [option] = [one for one in answer.options if isinstance(one, dns.edns.ECSOption)]
                    assert option.scopelen in {scope, max(scope, _clear_of_ipv4(client))}


def _clear_of_ipv4(client: str) -> int:
    """The length of the shortest prefix around an IPv6 client without ``::ffff:0:0/96``, which is IPv4."""
    address, mapped = int(ip_address(client)), 0xFFFF_0000_0000
    return 0 if "." in client else 129 - (address ^ mapped).bit_length()


def _rdata(answer: dns.message.Message, kind: int) -> list[str]:
    return [rdata.to_text() for rdata in answer.answer[0]]


def _declared(reference: Reference, numbers: list[int], kind: int) -> list[str]:
    if kind in (A, AAAA):
        return [str(reference.addresses[number]) for number in numbers]
    if kind == CNAME:
        return [reference.endpoints[numbers[0]]["cname"]]
    found = []
    for number in numbers:
        for rrset in reference.endpoints[number]["records"]:
            if rrset["type"] == kind:
                octets = [bytes.fromhex(text) for text in rrset["rdata"]]
                found += [dns.rdata.from_wire(1, kind, one, 0, len(one)).to_text() for one in octets]
    return found
