"""The real server process, and the ways to talk to it: DNS, the API, the command line, signals."""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rdatatype

import gslb
from tests.e2e.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMAND = [sys.executable, "-c", "from gslb.cli.main import run; run()"]
READY_LINE = re.compile(
    r"gslb ready: dns (?P<dns>.+) \(udp\+tcp\), api http://(?P<api>\S+), .+, generation \d+\n"
)
QUERY_SECONDS = 5.0


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without what would redirect gslb; runs the gslb under test."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GSLB_")}
    # Dozens of processes start: compiling every module each time would take most of their time.
    for name in ("STATE_DIRECTORY", "NOTIFY_SOCKET", "PYTHONDONTWRITEBYTECODE"):
        kept.pop(name, None)
    kept["PYTHONPATH"] = str(Path(gslb.__file__).parent.parent)
    return kept | dict(extra or {})


def run_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``gslb`` to its end."""
    return subprocess.run(
        [*COMMAND, *arguments], env=environment(), capture_output=True, text=True, timeout=60, check=False
    )


@dataclass(frozen=True)
class Reply:
    """A response of the API; ``document`` is its JSON."""

    status: int
    headers: Mapping[str, str]
    text: str
    document: Any = field(repr=False)


class Server:
    """``gslb serve`` on free ports. Standard error goes to a file next to the state directory."""

    def __init__(
        self,
        site: Path,
        state: Path,
        *,
        listen: tuple[str, ...] = ("127.0.0.1:0",),
        variables: Mapping[str, str] | None = None,
        options: tuple[str, ...] = (),
    ) -> None:
        self.state = state
        self.log_file = state.with_name(f"{state.name}.log")
        self._arguments = [
            "serve",
            str(site),
            "--state",
            str(state),
            "--api",
            "127.0.0.1:0",
            "--workers",
            "2",
        ]
        for address in listen:
            self._arguments += ["--listen", address]
        self._arguments += options
        self._variables = variables
        self.process: subprocess.Popen[str]
        self.addresses: list[tuple[str, int]] = []
        self.api_address = ("", 0)
        self.start()

    # ── Life ─────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Start the process and wait for the line that says it is ready."""
        with self.log_file.open("a") as log:
            self.process = subprocess.Popen(
                [*COMMAND, *self._arguments],
                env=environment(self._variables),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        line = self.read_line()
        match = READY_LINE.fullmatch(line)
        assert match, f"no ready line but {line!r}; standard error:\n{self.log()}"
        self.addresses = [split_address(text) for text in match["dns"].split()]
        self.api_address = split_address(match["api"])

    def read_line(self) -> str:
        """The next line on standard output; empty when the process closed it."""
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        assert readable, f"nothing on standard output; standard error:\n{self.log()}"
        return self.process.stdout.readline()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        self._close()
        return status

    def kill(self) -> None:
        """SIGKILL, whatever it is doing."""
        self.process.kill()
        self.process.wait(PATIENCE)
        self._close()

    def end(self) -> None:
        """Kill what still runs. Nothing that a test did may have met an error that nobody expected."""
        self.kill()
        assert "Traceback" not in self.log()

    def _close(self) -> None:
        if self.process.stdout is not None:
            self.process.stdout.close()

    def log(self) -> str:
        return self.log_file.read_text()

    # ── DNS ──────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def port(self) -> int:
        return self.addresses[0][1]

    def ask(
        self,
        name: str,
        rtype: str = "A",
        *,
        subnet: str | None = None,
        transport: str = "udp",
        at: tuple[str, int] | None = None,
        edns: bool = True,
    ) -> dns.message.Message:
        """The answer to one query over a socket."""
        options = [dns.edns.ECSOption.from_text(subnet)] if subnet else []
        query = dns.message.make_query(
            name, rtype, use_edns=0 if edns else -1, payload=1232, options=options if edns else None
        )
        query.flags &= ~dns.flags.RD
        host, port = at or self.addresses[0]
        send = {"udp": dns.query.udp, "tcp": dns.query.tcp}[transport]
        return send(query, host, timeout=QUERY_SECONDS, port=port)

    def address(self, name: str, subnet: str | None = None, transport: str = "udp") -> str:
        """The one address that a client gets."""
        (found,) = addresses_of(self.ask(name, subnet=subnet, transport=transport))
        return found

    # ── The API and the command line ─────────────────────────────────────────────────────────────────────

    def token(self) -> str:
        return (self.state / "token").read_text().strip()

    def connect_api(self) -> http.client.HTTPConnection:
        """A connection of the caller's own, to be closed by the caller."""
        return http.client.HTTPConnection(*self.api_address, timeout=PATIENCE)

    def api(
        self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request; ``body`` is sent as JSON unless it is bytes, ``headers`` replace the usual ones."""
        connection = self.connect_api()
        try:
            return self.request(connection, method, path, body, headers=headers)
        finally:
            connection.close()

    def request(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request over an open connection."""
        octets = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if headers is None:
            headers = {"Authorization": f"Bearer {self.token()}", "Content-Type": "application/json"}
        connection.request(method, path, octets, dict(headers))
        response = connection.getresponse()
        text = response.read().decode()
        is_json = "json" in response.headers.get_content_type()
        return Reply(
            response.status, dict(response.headers.items()), text, json.loads(text) if is_json else None
        )

    def done(self, method: str, path: str, body: object = None) -> Any:
        """The document of a request that must succeed."""
        reply = self.api(method, path, body)
        assert reply.status == 200, reply
        return reply.document

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """``gslb`` with this server's state directory, as an operator at its machine runs it."""
        return run_command(*arguments, "--state", str(self.state))


def split_address(text: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT`` or ``[HOST]:PORT``."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def addresses_of(answer: dns.message.Message) -> list[str]:
    """The addresses in the answer section, sorted."""
    types = (dns.rdatatype.A, dns.rdatatype.AAAA)
    return sorted(rdata.address for rrset in answer.answer if rrset.rdtype in types for rdata in rrset)


def texts_of(answer: dns.message.Message) -> list[str]:
    """The strings of the TXT records in the answer section."""
    return [
        b"".join(rdata.strings).decode()
        for rrset in answer.answer
        if rrset.rdtype == dns.rdatatype.TXT
        for rdata in rrset
    ]


def scope_of(answer: dns.message.Message) -> int | None:
    """The scope of the client subnet option, if there is one (RFC 7871)."""
    found = [option for option in answer.options if isinstance(option, dns.edns.ECSOption)]
    return found[0].scopelen if found else None
