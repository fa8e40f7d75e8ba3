"""A recursive resolver for tests: a thread that answers UDP from a table, on a free port of loopback."""

from __future__ import annotations

import asyncio
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


class TableProtocol(asyncio.DatagramProtocol):
    """Answers from the resolver's table."""

    def __init__(self, resolver: TableResolver) -> None:
        self.resolver = resolver

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, client: tuple[str, int]) -> None:
        answer = self.resolver.answer(data)
        if answer is not None:
            self.transport.sendto(answer, client)


class TableResolver:
    """``table`` has records as text by (name, type); a name it does not have at all is NXDOMAIN.

    While ``is_dead`` it is silent. ``asked`` has every question. Call ``stop`` at the end.
    """

    def __init__(self, table: dict[tuple[str, str], list[str]]) -> None:
        self.table = table
        self.asked: list[tuple[str, str]] = []
        self.is_dead = False
        self.port = 0
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        assert started.wait(10)

    def _run(self, started: threading.Event) -> None:
        transport, _ = self._loop.run_until_complete(
            self._loop.create_datagram_endpoint(lambda: TableProtocol(self), local_addr=("127.0.0.1", 0))
        )
        self.port = transport.get_extra_info("sockname")[1]
        self._loop.call_soon(started.set)
        self._loop.run_forever()
        transport.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def answer(self, wire: bytes) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        asked = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(asked)
        if self.is_dead:
            return None
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if asked in self.table:
            answer.answer = [dns.rrset.from_text(*line.split(" ", 4)) for line in self.table[asked]]
        elif not any(name == asked[0] for name, _ in self.table):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer.to_wire()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
