"""Where the server listens, and how it tells that it does."""

import contextlib
import signal
import socket

import dns.message
import pytest

from tests.e2e.server import Server, addresses_of
from tests.e2e.site import IAD, Site
from tests.e2e.waiting import PATIENCE, eventually


def has_ipv6():
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


LISTEN = ("127.0.0.1:0", "0.0.0.0:0", *(("[::1]:0",) if has_ipv6() else ()))


@pytest.fixture(scope="module")
def several(tmp_path_factory, databases, healthy_ports):
    directory = tmp_path_factory.mktemp("several")
    site = Site(directory / "site", databases, healthy_ports)
    server = Server(site.path, directory / "state", listen=LISTEN)
    yield server
    server.end()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_several_listeners_each_with_one_port_for_udp_and_tcp(several, transport):
    assert len(set(several.addresses)) == len(several.addresses) == len(LISTEN)
    for host, port in several.addresses:
        at = ("127.0.0.1" if host == "0.0.0.0" else host, port)
        assert addresses_of(several.ask("www.example.com", transport=transport, at=at)) == [IAD], at


def test_on_a_wildcard_address_the_reply_comes_from_the_address_that_was_asked(several):
    _, port = next(address for address in several.addresses if address[0] == "0.0.0.0")
    query = dns.message.make_query("www.example.com", "A")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        for asked in ("127.0.0.2", "127.0.0.1", "127.0.0.3"):
            client.sendto(query.to_wire(), (asked, port))
            wire, sender = client.recvfrom(4096)
            assert sender == (asked, port)
            assert query.is_response(dns.message.from_wire(wire))


def test_ready_means_that_everything_answers(several):
    assert several.api("GET", "/v1/ready", headers={}).document == {"ready": True}
    assert addresses_of(several.ask("www.example.com")) == [IAD]
    assert addresses_of(several.ask("www.example.com", transport="tcp")) == [IAD]


def test_sigterm_ends_it_well_and_with_nothing_more_to_say(site, start):
    server = start(site.path)
    assert (server.state / "api.json").exists()
    server.signal(signal.SIGTERM)
    assert server.read_line() == ""
    assert server.process.wait(PATIENCE) == 0
    assert not (server.state / "api.json").exists()


class ServiceManager:
    """The receiving end of sd_notify(3)."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE)
        self.socket.bind("")  # the kernel picks an abstract address
        self.address = "@" + self.socket.getsockname()[1:].decode()

    def next(self):
        """The assignments of the next message."""
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())


@pytest.fixture
def manager():
    manager = ServiceManager()
    yield manager
    manager.socket.close()


def test_systemd_is_told_when_it_is_ready_reloads_and_stops(site, start, manager):
    server = start(site.path, variables={"NOTIFY_SOCKET": manager.address})
    assert manager.next()["READY"] == "1"
    assert server.api("GET", "/v1/ready", headers={}).status == 200
    server.signal(signal.SIGHUP)
    reloading = manager.next()
    assert (reloading["RELOADING"], reloading["MONOTONIC_USEC"].isdigit()) == ("1", True)
    assert manager.next()["READY"] == "1"
    server.signal(signal.SIGTERM)
    assert manager.next() == {"STOPPING": "1"}
    assert server.process.wait(PATIENCE) == 0


def test_a_service_manager_that_went_away_is_no_reason_to_stop(site, start, manager):
    server = start(site.path, variables={"NOTIFY_SOCKET": manager.address})
    manager.socket.close()
    for number in (2, 3):
        site.write_version(number)
        server.signal(signal.SIGHUP)
        wanted = f'"{number}"'
        eventually(
            lambda wanted=wanted: wanted in server.ask("version.example.com", "TXT").to_text(),
            "it reloads",
            10,
        )
    server.signal(signal.SIGINT)
    assert server.process.wait(PATIENCE) == 0
