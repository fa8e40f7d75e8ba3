"""One RRset changed in a zone of a million names through the API, under load: how soon it is answered."""

from __future__ import annotations

import ipaddress
import json
import random
import time
from typing import Any

import mkdata

from . import machine
from .load import YIELDING, Load, full_load_report
from .machine import DATA, WORK, Cores
from .reaction import Asker, Reaction, reaction_report
from .server import Server
from .sites import big_site

CHANGES = 250
PAUSE = 0.01


def measure(cores: Cores, *, quick: bool = False) -> dict[str, Any]:
    """Milliseconds from the API's response, and from the request, to the first right answer."""
    rnd = random.Random(1)
    with (
        Server(big_site(), WORK / "live" / "change", cores) as server,
        Load(server, DATA / "big.q", niceness=YIELDING) as load,
        Asker(server) as asker,
    ):
        time.sleep(1.0)
        cpu, begun = server.worker_cpu_seconds()[0], time.monotonic()
        with machine.urgent():
            reactions = [_change(asker, rnd, number) for number in range(CHANGES // 10 if quick else CHANGES)]
        busy = (server.worker_cpu_seconds()[0] - cpu) / (time.monotonic() - begun)
        _, total = load.finish()
    return reaction_report(reactions) | {"load": full_load_report(total, busy)}


def _change(asker: Asker, rnd: random.Random, number: int) -> Reaction:
    """Give some name an address that no other record has."""
    time.sleep(PAUSE)
    name = f"n{rnd.randrange(1_000_000):07d}"
    address = ipaddress.ip_address(int(ipaddress.ip_address("198.18.0.0")) + number)
    body = {"rrsets": [{"name": name, "type": "A", "ttl": 60, "records": [str(address)]}]}
    return asker.change(
        "PATCH",
        f"/v1/zones/{mkdata.BIG}/rrsets",
        json.dumps(body).encode(),
        mkdata.wire(f"{name}.{mkdata.BIG}", "A"),
        lambda answer: address.packed in answer,
    )
