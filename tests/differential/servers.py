"""The servers: the daemons on free loopback ports, and gslb in this process."""

from __future__ import annotations

import contextlib
import selectors
import shutil
import socket
import struct
import subprocess
import time
from typing import TYPE_CHECKING

from tests.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.differential.queries import Case
    from tests.differential.zones import ZoneData

START_SECONDS = 10.0
ANSWER_SECONDS = 0.5
BATCH = 24
"""Datagrams under way at once: far fewer than a socket's buffer holds."""
EXECUTABLES = {"nsd": "/usr/sbin/nsd", "knot": "/usr/sbin/knotd", "bind": "/usr/sbin/named"}
SOA_QUERY_TAIL = struct.pack("!HH", 6, 1)


def installed(server: str) -> bool:
    """Whether the daemon is here."""
    return shutil.which(EXECUTABLES[server]) is not None


class ServerFailedError(Exception):
    """A daemon did not start or did not load a zone; the message ends with its log."""


def _nsd(run: Path, port: int, zones: list[tuple[str, Path]], minimal: str) -> list[str]:
    text = f"""
server:
  ip-address: 127.0.0.1
  port: {port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "{run}"
  database: ""
  pidfile: "{run}/nsd.pid"
  xfrdfile: "{run}/xfrd.state"
  xfrdir: "{run}"
  zonelistfile: "{run}/zone.list"
  minimal-responses: {minimal}
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  hide-version: yes
remote-control:
  control-enable: no
"""
    text += "".join(f'zone:\n  name: "{name}"\n  zonefile: "{path}"\n' for name, path in zones)
    (run / "nsd.conf").write_text(text)
    return [EXECUTABLES["nsd"], "-d", "-c", str(run / "nsd.conf")]


def _knot(run: Path, port: int, zones: list[tuple[str, Path]], _: str) -> list[str]:
    text = f"""
server:
  rundir: "{run}"
  listen: 127.0.0.1@{port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: stderr
    any: warning
database:
  storage: "{run}/db"
template:
  - id: default
    storage: "{run}"
    journal-content: none
    zonefile-sync: -1
    semantic-checks: off
zone:
"""
    text += "".join(f'  - domain: "{name}"\n    file: "{path}"\n' for name, path in zones)
    (run / "knot.conf").write_text(text)
    return [EXECUTABLES["knot"], "-c", str(run / "knot.conf")]


def _bind(run: Path, port: int, zones: list[tuple[str, Path]], minimal: str) -> list[str]:
    text = f"""
options {{
  directory "{run}";
  listen-on port {port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  pid-file none;
  session-keyfile none;
  recursion no;
  minimal-responses {minimal};
  allow-query-cache {{ none; }};
  allow-transfer {{ none; }};
  notify no;
  answer-cookie no;
  dnssec-validation no;
  empty-zones-enable no;
  rrset-order {{ order none; }};
  max-udp-size 1232;
  edns-udp-size 1232;
  max-records-per-type 0;
  max-types-per-name 0;
  check-names primary ignore;
  check-integrity no;
  check-mx ignore;
  check-mx-cname ignore;
  check-srv-cname ignore;
  check-sibling no;
  check-wildcard no;
  check-dup-records ignore;
  check-spf ignore;
}};
controls {{ }};
"""
    text += "".join(f'zone "{name}" {{ type primary; file "{path}"; }};\n' for name, path in zones)
    (run / "named.conf").write_text(text)
    return [EXECUTABLES["bind"], "-g", "-n", "1", "-c", str(run / "named.conf")]


CONFIGURE = {"nsd": _nsd, "knot": _knot, "bind": _bind}


def free_port() -> int:
    """A port free for UDP and TCP on loopback."""
    while True:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind(("127.0.0.1", 0))
            port: int = tcp.getsockname()[1]
            with contextlib.suppress(OSError):
                udp.bind(("127.0.0.1", port))
                return port


class Daemon:
    """One running daemon; ``with`` ends it."""

    def __init__(self, server: str, directory: Path, zones: list[ZoneData], minimal: bool) -> None:
        self.server = server
        self.zones = zones
        self.run = directory / server
        self.run.mkdir()
        (self.run / "db").mkdir()
        files = []
        for index, zone in enumerate(zones):
            path = self.run / f"{index}.zone"
            path.write_text(zone.text)
            files.append((zone.origin.to_text(), path))
        self.port = free_port()
        self.log = (self.run / "log").open("wb")
        command = CONFIGURE[server](self.run, self.port, files, "yes" if minimal else "no")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, cwd=self.run)
        self.client = Client(self.port)

    def __enter__(self) -> Daemon:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def wait(self) -> None:
        """Wait until every zone is answered for. Raises ServerFailedError."""
        deadline = time.monotonic() + START_SECONDS
        waiting = [zone.origin for zone in self.zones]
        while waiting:
            query = b"\0" * 5 + b"\1" + b"\0" * 6 + waiting[-1].to_wire() + SOA_QUERY_TAIL
            answer = self.client.udp_once(query, 0.2)
            if answer is not None and answer[3] & 15 == 0 and answer[2] & 4 and answer[7]:
                waiting.pop()
                continue
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.log.flush()
                log = (self.run / "log").read_text(errors="replace")[-3000:]
                raise ServerFailedError(f"{self.server} does not serve {waiting[-1]}:\n{log}")
            time.sleep(0.05)


class Client:
    """Asks one address over UDP, many at a time, and over TCP."""

    def __init__(self, port: int) -> None:
        self.address = ("127.0.0.1", port)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.connect(self.address)
        self.udp.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.udp, selectors.EVENT_READ)
        self.identifier = 0

    def close(self) -> None:
        self.selector.close()
        self.udp.close()

    def ask(self, cases: list[Case]) -> list[bytes | None]:
        """The answers, with identifier zero; None where none came."""
        answers: list[bytes | None] = [None] * len(cases)
        datagrams = [index for index, case in enumerate(cases) if case.transport == "udp"]
        for start in range(0, len(datagrams), BATCH):
            self._batch(cases, datagrams[start : start + BATCH], answers)
        for index, case in enumerate(cases):
            if case.transport == "tcp":
                answers[index] = self.tcp_once(case.wire)
            elif answers[index] is None:
                answers[index] = self.udp_once(case.wire, ANSWER_SECONDS)
        return answers

    def _batch(self, cases: list[Case], indices: list[int], answers: list[bytes | None]) -> None:
        waiting: dict[bytes, int] = {}
        for index in indices:
            identifier = self._next()
            self.udp.send(identifier + cases[index].wire[2:])
            if len(cases[index].wire) >= 12:
                waiting[identifier] = index
        while waiting:
            answer = self._receive(0.2)
            if answer is None:
                return
            index = waiting.pop(answer[:2], -1)
            if index >= 0:
                answers[index] = b"\0\0" + answer[2:]

    def udp_once(self, wire: bytes, seconds: float) -> bytes | None:
        """One answer over UDP."""
        identifier = self._next()
        with contextlib.suppress(ConnectionRefusedError):
            self.udp.send(identifier + wire[2:])
            deadline = time.monotonic() + seconds
            while (left := deadline - time.monotonic()) > 0:
                answer = self._receive(left)
                if answer is not None and answer[:2] == identifier:
                    return b"\0\0" + answer[2:]
        return None

    def tcp_once(self, wire: bytes) -> bytes | None:
        """One answer over a connection of its own."""
        with (
            contextlib.suppress(OSError),
            socket.create_connection(self.address, ANSWER_SECONDS) as connection,
            connection.makefile("rb") as stream,
        ):
            connection.sendall(struct.pack("!H", len(wire)) + wire)
            prefix = stream.read(2)
            if len(prefix) == 2:
                return stream.read(struct.unpack("!H", prefix)[0])
        return None

    def _next(self) -> bytes:
        self.identifier = (self.identifier + 1) & 0xFFFF
        return struct.pack("!H", self.identifier)

    def _receive(self, seconds: float) -> bytes | None:
        if not self.selector.select(seconds):
            return None
        with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
            return self.udp.recv(65535)
        return None


class Gslb:
    """gslb in this process, and through its own sockets for a sample; ``with`` ends it."""

    def __init__(self, directory: Path, zones: list[ZoneData]) -> None:
        directory.mkdir()
        self.engine = Engine(directory, {str(zone.origin): zone.text for zone in zones})
        # The daemons give a name and a version unless told otherwise.
        self.engine.dataplane.identify(version="gslb", name="gslb")
        address = self.engine.dataplane.listen(["127.0.0.1:0"], 1)[0]
        self.engine.dataplane.start()
        self.client = Client(int(address.rpartition(":")[2]))

    def __enter__(self) -> Gslb:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.engine.dataplane.stop()

    def ask(self, cases: list[Case]) -> list[bytes | None]:
        """The answers of the engine, without sockets."""
        return [self.engine.raw(case.wire, case.transport) for case in cases]


@contextlib.contextmanager
def daemons(
    servers: list[str], directory: Path, zones: list[ZoneData], *, minimal: bool
) -> Iterator[dict[str, Daemon]]:
    """Run these daemons on these zones; all are ended whatever happens.

    ``minimal`` sets ``minimal-responses`` of NSD (its default is no) and BIND; Knot has no such setting.
    """
    with contextlib.ExitStack() as stack:
        running = {
            server: stack.enter_context(Daemon(server, directory, zones, minimal)) for server in servers
        }
        for daemon in running.values():
            daemon.wait()
        yield running
