"""RFC 7766 and RFC 9210: DNS over TCP, on a real socket."""

from __future__ import annotations

import socket
import struct

import dns.message
import pytest

from tests.engine import APEX


@pytest.fixture
def server(engine):
    many = "".join(f"many 60 IN TXT {'x' * 250}{i}\n" for i in range(230))
    zone = APEX + "".join(f"w{i} 300 IN A 192.0.2.{i}\n" for i in range(200)) + many
    server = engine({"example.com.": zone})
    (address,) = server.dataplane.listen(["127.0.0.1:0"], 1)
    server.dataplane.start()
    host, _, port = address.rpartition(":")
    server.address = (host, int(port))
    yield server
    server.dataplane.stop()


@pytest.fixture
def stream(server):
    with socket.create_connection(server.address, timeout=5) as stream:
        yield stream


def framed(*queries):
    wires = [query.to_wire() for query in queries]
    return b"".join(struct.pack("!H", len(wire)) + wire for wire in wires)


def receive(stream):
    """One message of a stream; ``None`` at its end."""
    octets = stream.recv(2, socket.MSG_WAITALL)
    if not octets:
        return None
    (length,) = struct.unpack("!H", octets)
    return dns.message.from_wire(stream.recv(length, socket.MSG_WAITALL))


def test_section_5_tcp_is_served_and_rfc9210_section_3_on_the_same_port(server, stream):
    query = dns.message.make_query("w7.example.com.", "A")
    stream.sendall(framed(query))
    assert query.is_response(receive(stream))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.settimeout(5)
        datagrams.sendto(query.to_wire(), server.address)
        assert query.is_response(dns.message.from_wire(datagrams.recv(2000)))


def test_section_6_2_1_a_connection_serves_many_queries(server, stream):
    for number in range(20):
        query = dns.message.make_query(f"w{number}.example.com.", "A")
        stream.sendall(framed(query))
        assert query.is_response(receive(stream))
    assert server.dataplane.counters()["queries_tcp"] == 20


def test_section_6_2_1_1_queries_are_pipelined(stream):
    queries = {
        query.id: query
        for query in (dns.message.make_query(f"w{i}.example.com.", "A", id=i) for i in range(200))
    }
    stream.sendall(framed(*queries.values()))
    # The answers may come in any order (section 7).
    for _ in range(len(queries)):
        answer = receive(stream)
        assert queries.pop(answer.id).is_response(answer)


def test_section_8_the_length_and_the_message_may_come_in_pieces(stream):
    query = dns.message.make_query("w1.example.com.", "A")
    for octet in framed(query):
        stream.send(bytes([octet]))
    assert query.is_response(receive(stream))


def test_section_8_messages_of_nearly_64_kib(stream):
    query = dns.message.make_query("many.example.com.", "TXT")
    stream.sendall(framed(query))
    answer = receive(stream)
    assert len(answer.answer[0]) == 230
    assert len(answer.to_wire()) > 60_000


def test_section_6_2_4_a_client_that_closes_its_side_still_gets_its_answers(stream):
    query = dns.message.make_query("w1.example.com.", "A")
    stream.sendall(framed(query))
    stream.shutdown(socket.SHUT_WR)
    assert query.is_response(receive(stream))
    assert receive(stream) is None


def test_section_6_2_3_what_is_no_message_ends_the_stream(stream):
    stream.sendall(struct.pack("!H", 3) + b"abc")
    assert receive(stream) is None
