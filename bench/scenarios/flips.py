"""Endpoints that fail and come back, under full load: how soon after a probe's answer clients are answered by it.

The endpoints are here: each of 40 answers its probes with 200 and 503 in turn, so that every probe is a flip. The time
runs from that answer to the first right answer over DNS; between them are the probe's end, the verdict and its
publishing.
"""

from __future__ import annotations

import ipaddress
import select
import socket
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import mkdata

from .figures import summary
from .load import YIELDING, Load, full_load_report
from .machine import DATA, WORK, Cores
from .server import Server
from .sites import failover_addresses, failover_names, steered_site

ENDPOINTS = 40
FLIPS = 250
SETTLE_SECONDS = 3.0
"""All endpoints are probed once in a second; before the first they may have been seen down."""
ASK_SECONDS = 0.001
"""A question about each open flip is asked so often, which is the error of a time."""
LIMIT_SECONDS = 120.0
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
BAD = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def measure(cores: Cores, *, quick: bool = False) -> dict[str, Any]:
    """Milliseconds from the answer to a probe to the first answer to a query that follows it."""
    wanted = FLIPS // 10 if quick else FLIPS
    with _Endpoints() as endpoints:
        site = steered_site("flip", failover_names(ENDPOINTS, endpoints.port))
        with (
            Server(site, WORK / "live" / "flip", cores) as server,
            Load(server, DATA / "geo.q", niceness=YIELDING) as load,
        ):
            endpoints.ask_at(server.port)
            endpoints.serve(SETTLE_SECONDS)
            cpu, begun = server.worker_cpu_seconds()[0], time.monotonic()
            endpoints.flip(wanted)
            busy = (server.worker_cpu_seconds()[0] - cpu) / (time.monotonic() - begun)
            _, total = load.finish()
    return {
        "probed_to_answered_ms": summary([seconds * 1e3 for seconds in endpoints.seconds]),
        "load": full_load_report(total, busy),
    }


@dataclass
class _Flip:
    """A flip under way: when the probe was answered, and what the name answers then."""

    since: float
    address: bytes
    asked: float = 0.0


class _Endpoints:
    """The endpoints, told apart by the address they are probed at; a context manager."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("0.0.0.0", 0), backlog=1024)
        self.port = self._listening.getsockname()[1]
        self.seconds: list[float] = []
        self._dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._poll = select.poll()
        self._poll.register(self._listening, select.POLLIN)
        self._poll.register(self._dns, select.POLLIN)
        self._probes: dict[int, socket.socket] = {}
        self._is_good = [True] * ENDPOINTS
        self._flips: dict[int, _Flip] = {}
        self._queries = [mkdata.wire(f"f{number}.{mkdata.ZONE}", "A") for number in range(ENDPOINTS)]

    def __enter__(self) -> _Endpoints:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in (self._listening, self._dns, *self._probes.values()):
            one.close()

    def ask_at(self, port: int) -> None:
        """Where the server answers."""
        self._dns.connect(("127.0.0.1", port))

    def serve(self, seconds: float) -> None:
        """Answer all probes with 200 for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._turn(flipping=False)

    def flip(self, count: int) -> None:
        """Flip at every probe until so many flips were answered."""
        end = time.monotonic() + LIMIT_SECONDS
        while len(self.seconds) < count:
            if time.monotonic() > end:
                raise TimeoutError(f"{len(self.seconds)} of {count} flips in {LIMIT_SECONDS:g} s")
            self._turn(flipping=True)

    def _turn(self, *, flipping: bool) -> None:
        for descriptor, _ in self._poll.poll(1):
            if descriptor == self._listening.fileno():
                probe, _ = self._listening.accept()
                self._probes[probe.fileno()] = probe
                self._poll.register(probe, select.POLLIN)
            elif descriptor == self._dns.fileno():
                self._read_answer()
            else:
                self._poll.unregister(descriptor)
                self._answer_probe(self._probes.pop(descriptor), flipping=flipping)
        now = time.perf_counter()
        for number, flip in self._flips.items():
            if now > flip.asked + ASK_SECONDS:
                self._ask(number)

    def _answer_probe(self, probe: socket.socket, *, flipping: bool) -> None:
        _, kind, _, number = ipaddress.ip_address(probe.getsockname()[0]).packed
        # 127.1.0.N is the first endpoint of name N; what is probed elsewhere always serves.
        flips = flipping and kind == 1 and number not in self._flips
        if flips:
            self._is_good[number] = not self._is_good[number]
        is_good = kind != 1 or self._is_good[number]
        since = time.perf_counter()
        with probe:
            probe.recv(4096)
            probe.sendall(GOOD if is_good else BAD)
        if flips:
            address = failover_addresses(number)[0 if is_good else 1]
            self._flips[number] = _Flip(since, ipaddress.ip_address(address).packed)
            self._ask(number)

    def _ask(self, number: int) -> None:
        self._flips[number].asked = time.perf_counter()
        self._dns.send(number.to_bytes(2, "big") + self._queries[number][2:])

    def _read_answer(self) -> None:
        answer = self._dns.recv(4096)
        number = int.from_bytes(answer[:2], "big")
        flip = self._flips.get(number)
        if flip is not None and flip.address in answer:
            self.seconds.append(time.perf_counter() - flip.since)
            del self._flips[number]
