"""Loading the site anew while it is served."""

import signal
import socket
import threading

import dns.exception
import dns.message
import dns.query
import dns.rcode
import pytest

from tests.e2e.server import texts_of
from tests.e2e.site import AMS, FRA, GERMANY, NAMES, ZONE
from tests.e2e.waiting import eventually


def version(server):
    return texts_of(server.ask("version.example.com", "TXT"))


@pytest.fixture
def unwatched(site, start):
    """A server, and a way to change the site that only a reload notices: hidden files are not watched."""

    def write(text):
        site.write(".version", f'version IN TXT "{text}"\n')

    write("first")
    site.write("example.com.zone", ZONE.replace('version       IN TXT  "1"', "$INCLUDE .version"))
    server = start(site.path)
    assert version(server) == ["first"]
    return server, write


def test_a_changed_file_takes_effect_by_itself(server, site):
    # A moment after the server said that it is ready: before it watches, perhaps, but after it read the file.
    site.write_version(2)
    eventually(lambda: version(server) == ["2"], "the changed zone is served", 10)
    site.write("names.yaml", NAMES.replace("ttl: 30", "ttl: 31"))
    eventually(lambda: server.ask("www.example.com").answer[0].ttl == 31, "the changed YAML is served", 5)
    site.write("example.org.zone", ZONE)
    eventually(lambda: texts_of(server.ask("version.example.org", "TXT")) == ["1"], "a new zone is served", 5)
    (site.path / "example.org.zone").unlink()
    eventually(
        lambda: server.ask("version.example.org").rcode() == dns.rcode.REFUSED, "the removed zone is gone", 5
    )


def test_the_command_reloads(unwatched):
    server, write = unwatched
    write("second")
    reloaded = server.command("reload")
    assert (reloaded.returncode, version(server)) == (0, ["second"]), reloaded.stderr
    assert "loaded 2 zones" in reloaded.stdout


def test_sighup_reloads(unwatched):
    server, write = unwatched
    write("second")
    server.signal(signal.SIGHUP)
    eventually(lambda: version(server) == ["second"], "the reload takes effect", 5)
    write("third")
    server.signal(signal.SIGHUP)
    eventually(lambda: version(server) == ["third"], "the next one too", 5)


def test_a_drain_and_changes_of_the_api_hold_over_a_reload(server):
    server.done("POST", "/v1/pops/fra/drain", {"reason": "test"})
    change = {"name": "version", "type": "TXT", "ttl": 5, "records": ['"from the API"']}
    server.done("PATCH", "/v1/zones/example.com/rrsets", {"rrsets": [change]})
    server.done("POST", "/v1/reload")
    assert server.address("www.example.com", GERMANY) == AMS
    assert version(server) == ["from the API"]


BROKEN = [
    ("example.com.zone", ZONE.replace("192.0.2.60", "192.0.2.256"), "example.com.zone:12"),
    ("names.yaml", NAMES.replace("pool: api", "pool: apu"), "names.yaml:3"),
]


@pytest.mark.parametrize(("name", "text", "place"), BROKEN)
def test_a_broken_site_leaves_the_old_one_serving_and_says_what_and_where(server, site, name, text, place):
    whole = (site.path / name).read_text()
    generation = server.done("GET", "/v1/status")["generation"]
    site.write(name, text)

    refused = server.command("reload")
    assert (refused.returncode, refused.stdout) == (1, ""), refused
    first, error = refused.stderr.splitlines()  # what is no error is left out
    assert first == "gslb: the site does not load; what was served goes on being served"
    assert place in error
    problem = server.api("POST", "/v1/reload")
    assert (problem.status, problem.document["type"]) == (422, "urn:gslb:problem:site-does-not-load")
    (error,) = problem.document["errors"]
    assert f"{error['file']}:{error['line']}".endswith(place)
    server.signal(signal.SIGHUP)
    eventually(lambda: place in server.log() and "reload refused" in server.log(), "the log says why")

    status = server.done("GET", "/v1/status")
    assert (status["generation"], status["last_reload"]["success"]) == (generation, False)
    assert place in status["last_reload"]["message"]
    assert place in server.command("status").stderr
    assert version(server) == ["1"]
    assert server.address("www.example.com", GERMANY) == FRA

    site.write(name, whole)
    server.done("POST", "/v1/reload")
    assert server.done("GET", "/v1/status")["last_reload"]["success"]


class Asker:
    """Asks without a pause until told to stop. ``wrong`` has what was lost or not as it should be."""

    def __init__(self, server, transport):
        self.server, self.transport = server, transport
        self.asked, self.versions, self.wrong = 0, [], []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        kind = socket.SOCK_DGRAM if self.transport == "udp" else socket.SOCK_STREAM
        with socket.socket(socket.AF_INET, kind) as connection:
            connection.connect(self.server.addresses[0])
            while not self.stopping.is_set():
                for name, rtype in (("version.example.com", "TXT"), ("www.example.com", "A")):
                    try:
                        self._ask(connection, name, rtype)
                    except (OSError, dns.exception.DNSException) as error:
                        self.wrong.append(repr(error))
                        return

    def _ask(self, connection, name, rtype):
        query = dns.message.make_query(name, rtype)
        self.asked += 1
        if self.transport == "udp":
            connection.settimeout(5)
            connection.send(query.to_wire())
            answer = dns.message.from_wire(connection.recv(65_535))
        else:
            connection.setblocking(False)
            answer = dns.query.tcp(query, "127.0.0.1", timeout=5, sock=connection)
        if not query.is_response(answer) or answer.rcode() != dns.rcode.NOERROR or not answer.answer:
            self.wrong.append(answer.to_text())
        if rtype == "TXT":
            self.versions += [text for text in texts_of(answer) if [text] != self.versions[-1:]]

    def stop(self):
        self.stopping.set()
        self.thread.join()


def test_no_query_is_lost_or_fails_while_the_site_is_reloaded(server, site):
    askers = [Asker(server, transport) for transport in ("udp", "udp", "tcp", "tcp")]
    try:
        for number in range(100, 120):
            site.write_version(number)
            if number % 5:
                server.done("POST", "/v1/reload")
            else:
                server.signal(signal.SIGHUP)
            eventually(lambda wanted=str(number): version(server) == [wanted], "the reload takes effect", 5)
        eventually(lambda: all(asker.versions[-1:] == ["119"] for asker in askers), "all see the last one", 5)
    finally:
        for asker in askers:
            asker.stop()
    for asker in askers:
        assert asker.wrong == []
        assert asker.asked > 100
        # A generation that was seen is never followed by an older one.
        assert asker.versions == sorted(asker.versions, key=int)
    assert server.done("GET", "/v1/status")["last_reload"]["success"]
