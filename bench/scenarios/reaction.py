"""How long after a change the first answer follows it: one thread that asks, and asks, while it changes things.

::

    requested ──► accepted (the API's response)
        └──► answered (the first right answer)

While one question is open no other is sent, so asking is no load to speak of.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from .figures import summary
from .server import Server

RESEND_SECONDS = 0.05
LIMIT_SECONDS = 30.0


@dataclass(frozen=True)
class Reaction:
    """Seconds from the request to the API's response, and to the first right answer."""

    accepted: float
    answered: float

    @property
    def after_acceptance_ms(self) -> float:
        """Milliseconds from the response to the first right answer; 0 when that came first."""
        return max(0.0, self.answered - self.accepted) * 1e3


def reaction_report(reactions: Sequence[Reaction]) -> dict[str, Any]:
    """Percentiles of milliseconds."""
    return {
        "accepted_to_answered_ms": summary([one.after_acceptance_ms for one in reactions]),
        "requested_to_answered_ms": summary([one.answered * 1e3 for one in reactions]),
        "requested_to_accepted_ms": summary([one.accepted * 1e3 for one in reactions]),
    }


def request_octets(server: Server, method: str, path: str, body: bytes) -> bytes:
    """An HTTP/1.1 request for a connection that stays open."""
    fields = {
        "Host": f"{server.api[0]}:{server.api[1]}",
        "Content-Length": str(len(body)),
        **server.headers(),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def response_status(octets: bytes) -> int | None:
    """The status of a whole HTTP response; ``None`` while it is not whole. Needs a Content-Length."""
    head, end, body = octets.partition(b"\r\n\r\n")
    if not end:
        return None
    first, *lines = head.split(b"\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in lines)
    return int(first.split()[1]) if len(body) >= int(fields[b"content-length"]) else None


class Asker:
    """A connection to the API and a socket to ask from, for one server; a context manager."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._api = socket.create_connection(server.api)
        self._api.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._dns.connect(("127.0.0.1", server.port))
        self._id = 0

    def __enter__(self) -> Asker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._api.close()
        self._dns.close()

    def change(
        self, method: str, path: str, body: bytes, query: bytes, is_right: Callable[[bytes], bool]
    ) -> Reaction:
        """Send the request, ask ``query`` until the answer is right and the response is there.

        Raises RuntimeError for a response that is not 200, TimeoutError after 30 seconds.
        """
        request = request_octets(self._server, method, path, body)
        waiting = select.poll()
        waiting.register(self._api, select.POLLIN)
        waiting.register(self._dns, select.POLLIN)
        accepted = answered = None
        response = b""
        begun = time.perf_counter()
        self._api.sendall(request)
        self._ask(query)
        while accepted is None or answered is None:
            ready = waiting.poll(RESEND_SECONDS * 1e3)
            now = time.perf_counter() - begun
            if now > LIMIT_SECONDS:
                raise TimeoutError(f"{method} {path}: accepted {accepted}, answered {answered}")
            if not ready and answered is None:
                self._ask(query)
            for descriptor, _ in ready:
                if descriptor == self._dns.fileno():
                    answer = self._dns.recv(4096)
                    if answer[:2] != self._id.to_bytes(2, "big") or answered is not None:
                        continue
                    if is_right(answer):
                        answered = now
                    else:
                        self._ask(query)
                else:
                    response += self._api.recv(65536)
                    status = response_status(response)
                    if status is not None and status != 200:
                        raise RuntimeError(f"{method} {path}: {response[:800]!r}")
                    accepted = None if status is None else now
        return Reaction(accepted, answered)

    def _ask(self, query: bytes) -> None:
        self._id = self._id % 65535 + 1
        self._dns.send(self._id.to_bytes(2, "big") + query[2:])
