"""Octets that are no good queries, over UDP and TCP: answered as specified or not at all, and forgotten."""

import contextlib
import socket
import struct
from pathlib import Path
from random import Random

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest

from tests.e2e.server import addresses_of
from tests.e2e.site import FRA, GERMANY, IAD
from tests.e2e.waiting import eventually

GROWTH_KIB = 4096
IDLE_SECONDS = 10.0
"""A stream that completes no message for so long is closed (dataplane/core/src/serve/tcp.rs)."""

QUESTION = b"\3www\7example\3com\0\0\1\0\1"
OPT = b"\0\0\x29\4\xd0\0\0\0\0\0\0"


def packet(flags=0, counts=(1, 0, 0, 0), rest=QUESTION):
    return struct.pack("!HHHHHH", 0x1234, flags, *counts) + rest


SILENCE = {
    "nothing": b"",
    "one octet": b"\0",
    "a header cut short": packet()[:11],
    "a response": packet(flags=0x8000),
    "a response without records": packet(flags=0x8400, counts=(0, 0, 0, 0), rest=b""),
    "ones": b"\xff" * 512,
}
ANSWERED = {
    "a header alone": (packet(counts=(0, 0, 0, 0), rest=b""), dns.rcode.FORMERR),
    "no question though one is counted": (packet(rest=b""), dns.rcode.FORMERR),
    "two questions": (packet(counts=(2, 0, 0, 0), rest=QUESTION * 2), dns.rcode.FORMERR),
    "a name that points to itself": (packet(rest=b"\xc0\x0c\0\1\0\1"), dns.rcode.FORMERR),
    "a name without an end": (packet(rest=b"\x3f" + b"a" * 63), dns.rcode.FORMERR),
    "an answer in a query": (packet(counts=(1, 1, 0, 0)), dns.rcode.FORMERR),
    "two OPT records": (packet(counts=(1, 0, 0, 2), rest=QUESTION + OPT * 2), dns.rcode.FORMERR),
    "65535 additional records": (packet(counts=(1, 0, 0, 65535)), dns.rcode.FORMERR),
    "an option longer than its record": (
        packet(counts=(1, 0, 0, 1), rest=QUESTION + OPT[:-2] + b"\0\4\0\x08\xff\xff"),
        dns.rcode.FORMERR,
    ),
    "a status query": (packet(flags=2 << 11), dns.rcode.NOTIMP),
    "a notify": (packet(flags=4 << 11), dns.rcode.NOTAUTH),
    "an update of a zone": (packet(flags=5 << 11, rest=b"\7example\3com\0\0\6\0\1"), dns.rcode.REFUSED),
    "an update of no zone": (packet(flags=5 << 11, rest=QUESTION[:-4] + b"\0\6\0\1"), dns.rcode.NOTAUTH),
    "a reserved opcode": (packet(flags=15 << 11), dns.rcode.NOTIMP),
    "class CH": (packet(rest=QUESTION[:-1] + b"\3"), dns.rcode.REFUSED),
    "a zone transfer": (packet(rest=QUESTION[:-4] + b"\0\xfb\0\1"), dns.rcode.NOTAUTH),
    "somebody else's name": (packet(rest=b"\7example\3org\0\0\1\0\1"), dns.rcode.REFUSED),
    "EDNS version 1": (
        packet(counts=(1, 0, 0, 1), rest=QUESTION + OPT[:6] + b"\1" + OPT[7:]),
        dns.rcode.BADVERS,
    ),
}


def good_query():
    query = dns.message.make_query("ns1.example.com", "A")
    return query, query.to_wire()


def is_answered(server):
    return all(
        addresses_of(server.ask("www.example.com", transport=transport)) == [IAD]
        and server.address("www.example.com", GERMANY, transport) == FRA
        for transport in ("udp", "tcp")
    )


def is_answered_again(server):
    """False while the server has yet to see that streams of this client have ended: it takes a hundred."""
    try:
        return is_answered(server)
    except ConnectionError:
        return False


@contextlib.contextmanager
def datagrams(server):
    """A UDP socket connected to the server: one worker reads it, so answers come in order."""
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.connect(server.addresses[0])
        yield client


@contextlib.contextmanager
def stream(server, source="127.0.0.1"):
    with socket.create_connection(server.addresses[0], timeout=5, source_address=(source, 0)) as client:
        yield client


def receive_message(client):
    """One message of a stream; empty when the server closed it."""
    octets = b""
    while len(octets) < 2 or len(octets) < 2 + struct.unpack_from("!H", octets)[0]:
        more = client.recv(65_537)
        if not more:
            return b""
        octets += more
    return octets[2:]


def framed(message):
    return struct.pack("!H", len(message)) + message


PER_CLIENT = 100


@pytest.fixture(scope="module", autouse=True)
def dawdlers(shared):
    """Streams that never complete a message, open while the other tests run."""
    with contextlib.ExitStack() as stack:
        # Some from each of several addresses, since one client may not have so many.
        streams = [stack.enter_context(stream(shared, f"127.0.1.{1 + n % 4}")) for n in range(200)]
        for client in streams[100:]:
            client.sendall(b"\xff\xff" + b"x" * 100)
        yield streams


@pytest.mark.parametrize("what", SILENCE)
def test_what_is_no_query_gets_silence(shared, what):
    query, wire = good_query()
    with datagrams(shared) as client:
        client.send(SILENCE[what])
        client.send(wire)
        assert query.is_response(dns.message.from_wire(client.recv(4096)))  # and nothing before it


@pytest.mark.parametrize("what", SILENCE)
def test_what_is_no_query_ends_its_stream(shared, what):
    with stream(shared) as client:
        client.sendall(framed(SILENCE[what]))
        assert receive_message(client) == b""
    assert is_answered(shared)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("what", ANSWERED)
def test_a_bad_query_is_told_what_is_wrong(shared, what, transport):
    octets, rcode = ANSWERED[what]
    if transport == "udp":
        with datagrams(shared) as client:
            client.send(octets)
            wire = client.recv(4096)
    else:
        with stream(shared) as client:
            client.sendall(framed(octets))
            wire = receive_message(client)
    answer = dns.message.from_wire(wire)
    assert (answer.id, answer.rcode(), answer.answer) == (0x1234, rcode, [])
    assert answer.flags & dns.flags.QR
    assert answer.opcode() == (octets[2] >> 3) & 0xF
    assert len(wire) <= max(len(octets), 12) + len(OPT)  # nothing to amplify an attack with


def memory_kib(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1])


def descriptors(server):
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def garbage(random):
    """Random octets, or a good query with a few octets changed."""
    if random.random() < 0.3:
        return random.randbytes(random.randrange(1, 600))
    octets = bytearray(packet(counts=(1, 0, 0, 1), rest=QUESTION + OPT))
    for _ in range(random.randrange(1, 5)):
        octets[random.randrange(len(octets))] = random.randrange(256)
    return bytes(octets[: random.randrange(12, len(octets) + 1)])


def throw_garbage(server, random, count):
    with datagrams(server) as client:
        client.setblocking(False)
        for _ in range(count):
            with contextlib.suppress(BlockingIOError):
                client.send(garbage(random))
            with contextlib.suppress(BlockingIOError):
                client.recv(4096)
    for _ in range(count // 100):
        with stream(server) as client, contextlib.suppress(OSError):
            client.sendall(framed(garbage(random)) + random.randbytes(50))


def test_garbage_leaves_nothing_behind(shared):
    random = Random(1)
    throw_garbage(shared, random, 2_000)
    eventually(lambda: is_answered_again(shared), "queries are answered")
    before, open_before = memory_kib(shared), descriptors(shared)
    throw_garbage(shared, random, 20_000)
    eventually(lambda: is_answered_again(shared), "queries are answered")
    eventually(lambda: descriptors(shared) <= open_before, "all streams are closed")
    assert memory_kib(shared) - before < GROWTH_KIB
    assert "gslb_panics_total 0.0" in shared.api("GET", "/metrics", headers={}).text


def test_a_stream_that_stops_midway_is_forgotten_and_a_slow_one_answered(shared):
    query, wire = good_query()
    open_before = descriptors(shared)
    for start in (b"\xff\xff" + b"x" * 1000, framed(wire)[:-1], b"\0"):
        for _ in range(20):
            with stream(shared) as client:
                client.sendall(start)
    with stream(shared) as slow:
        slow.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in framed(wire):
            slow.send(bytes([octet]))
            assert addresses_of(shared.ask("www.example.com")) == [IAD]
        assert query.is_response(dns.message.from_wire(receive_message(slow)))
    assert is_answered(shared)
    eventually(lambda: descriptors(shared) <= open_before, "all streams are closed")


def test_one_client_cannot_take_all_streams(shared):
    query, wire = good_query()
    with contextlib.ExitStack() as stack:
        greedy = [stack.enter_context(stream(shared, "127.0.2.1")) for _ in range(PER_CLIENT + 1)]
        assert greedy[-1].recv(1) == b""
        with stream(shared, "127.0.2.2") as other:
            other.sendall(framed(wire))
            assert query.is_response(dns.message.from_wire(receive_message(other)))


def test_a_client_that_never_reads_costs_a_bounded_amount(shared):
    """Megabytes of answers wait for it in the kernel and not in the server, which stops reading instead."""
    _, wire = good_query()
    before = memory_kib(shared)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(shared.addresses[0])
        client.setblocking(False)
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while sent < 64 << 20:
                sent += client.send(framed(wire) * 1000)
        assert is_answered(shared)
        assert memory_kib(shared) - before < GROWTH_KIB


def test_streams_that_complete_no_message_are_closed_in_time(shared, dawdlers):
    """Octets that complete nothing win no time. The last test, as these streams are open since the first."""
    for client in dawdlers:
        client.settimeout(IDLE_SECONDS + 3)
        assert client.recv(100) == b""
    assert is_answered(shared)
