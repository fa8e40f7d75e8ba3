"""A scope is true: every client within it gets the same answer, for any policy, database and verdicts."""

from __future__ import annotations

import json
import tempfile
from ipaddress import ip_network
from pathlib import Path
from random import Random

from hypothesis import event, given
from hypothesis import strategies as st

from gslb._dataplane import Steering
from tests.scenarios.examples import examples
from tests.scenarios.steering_cases import Maker, clients, geography, verdicts
from tests.scenarios.steering_geography import (
    Address,
    Geography,
    client_address,
    override_rows,
    write_databases,
)
from tests.scenarios.steering_query import AAAA, A
from tests.scenarios.steering_reference import Reference

FEW = 60
BY_LOCATION = {"geo", "asn", "subnet", "latency", "distance", "sticky"}


def inside(random: Random, reference: Reference, client: Address, scope: int) -> list[Address]:
    """Clients within the prefix: its ends, the ends of all networks in it, and some between."""
    prefix = ip_network(f"{client}/{scope}", strict=False)
    kind = type(client)
    ends = [prefix.network_address, prefix.broadcast_address]
    ends += [point for point in reference.points(client.version) if point in prefix]
    ends += [kind(random.randint(int(ends[0]), int(ends[1]))) for _ in range(5)]
    return ends


@examples(FEW)
@given(st.randoms(use_true_random=False))
def test_every_client_within_a_scope_gets_the_same_answer(random: Random) -> None:
    place: Geography = geography(random)
    with tempfile.TemporaryDirectory() as directory:
        paths = write_databases(place, Path(directory))
        made = Maker(random, drawn=False).document(paths, override_rows(place))
        steering = Steering.compile(json.dumps(made))
    reference = Reference(made, place)
    states = [verdicts(random, made) for _ in range(3)]
    for text in clients(random, 8):
        client = client_address(text)
        for name, entry in enumerate(made["names"]):
            for rtype in (A, AAAA):
                answers = [steering.decide(name, rtype, text, octets) for octets in states]
                [scope] = {answer[3] for answer in answers}
                if not entry["client_subnet"]:
                    assert scope == 0
                    continue
                event(f"scope of {scope // 8 * 8} bits and more")
                for other in inside(random, reference, client, scope):
                    theirs = [steering.decide(name, rtype, str(other), octets) for octets in states]
                    assert theirs == answers, f"{made}\n{name} {rtype} {text}/{scope} and {other}"


@examples(FEW)
@given(st.randoms(use_true_random=False))
def test_a_name_that_no_location_steers_says_zero(random: Random) -> None:
    place: Geography = geography(random)
    with tempfile.TemporaryDirectory() as directory:
        made = Maker(random).document(write_databases(place, Path(directory)), override_rows(place))
        for policy in made["policies"]:
            policy["steps"] = [step for step in policy["steps"] if step["step"] not in BY_LOCATION]
            policy["steps"] = policy["steps"] or [{"step": "take", "count": 32}]
        steering = Steering.compile(json.dumps(made))
    octets = verdicts(random, made)
    for client in clients(random, 5):
        for name in range(len(made["names"])):
            assert steering.decide(name, A, client, octets)[3] == 0
