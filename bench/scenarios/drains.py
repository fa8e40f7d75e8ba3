"""A POP drained and undrained through the API, under full load: how soon it is answered."""

from __future__ import annotations

import ipaddress
import time
from typing import Any

import mkdata

from . import machine
from .load import YIELDING, Load, full_load_report
from .machine import DATA, WORK, Cores
from .reaction import Asker, reaction_report
from .server import Server
from .sites import failover_addresses, failover_names, steered_site

DRAINS = 125
PAUSE = 0.01


def measure(cores: Cores, *, quick: bool = False) -> dict[str, Any]:
    """Milliseconds from the API's response, and from the request, to the first right answer."""
    query = mkdata.wire(f"f0.{mkdata.ZONE}", "A")
    first, second = (ipaddress.ip_address(address).packed for address in failover_addresses(0))
    reactions = []
    with (
        Server(steered_site("drain", failover_names(1)), WORK / "live" / "drain", cores) as server,
        Load(server, DATA / "geo.q", niceness=YIELDING) as load,
        Asker(server) as asker,
    ):
        time.sleep(1.0)
        cpu, begun = server.worker_cpu_seconds()[0], time.monotonic()
        with machine.urgent():
            for _ in range(DRAINS // 10 if quick else DRAINS):
                for verb, body, wanted in (
                    ("drain", b'{"reason": "measured"}', second),
                    ("undrain", b"{}", first),
                ):
                    time.sleep(PAUSE)
                    path = f"/v1/pops/p0/{verb}"
                    reactions.append(
                        asker.change(
                            "POST", path, body, query, lambda answer, wanted=wanted: wanted in answer
                        )
                    )
        busy = (server.worker_cpu_seconds()[0] - cpu) / (time.monotonic() - begun)
        _, total = load.finish()
    return reaction_report(reactions) | {"load": full_load_report(total, busy)}
