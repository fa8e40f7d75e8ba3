"""kill -9: what was acknowledged holds after the next start."""

import http.client
import threading
import time
from random import Random

import pytest

from tests.e2e.server import texts_of
from tests.e2e.site import AMS, FRA, GERMANY

RRSETS = "/v1/zones/example.com/rrsets"


def txt(name, text):
    return {"name": name, "type": "TXT", "ttl": 5, "records": [f'"{text}"']}


def serial(server):
    answer = server.ask("example.com", "SOA")
    return answer.answer[0][0].serial


def test_what_was_acknowledged_right_before_kill_9_holds(server):
    last_serial = serial(server)
    for number in range(3):
        drained = number % 2 == 0
        verb, body = ("drain", {"reason": f"round {number}"}) if drained else ("undrain", {})
        changed = server.done(
            "PATCH", RRSETS, {"rrsets": [txt("state", number), txt(f"only{number}", number)]}
        )
        server.done("POST", f"/v1/pops/fra/{verb}", body)
        server.kill()
        server.start()
        assert server.address("www.example.com", GERMANY) == (AMS if drained else FRA)
        drains = server.done("GET", "/v1/status")["drains"]
        assert [drain["reason"] for drain in drains] == ([f"round {number}"] if drained else [])
        assert texts_of(server.ask("state.example.com", "TXT")) == [str(number)]
        assert texts_of(server.ask("only0.example.com", "TXT")) == ["0"]
        assert serial(server) == changed["serial"] > last_serial
        last_serial = changed["serial"]


def test_a_removed_rrset_stays_removed(server):
    server.done("PATCH", RRSETS, {"rrsets": [{"name": "version", "type": "TXT", "records": []}]})
    server.kill()
    server.start()
    assert texts_of(server.ask("version.example.com", "TXT")) == []


class Stream:
    """Sends changes one after the other until the server is gone; each sets two RRsets to one number."""

    def __init__(self, server, label):
        self.server, self.label = server, label
        self.acknowledged = -1
        self.unexpected = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        connection = self.server.connect_api()
        try:
            for number in range(100_000):
                rrsets = [txt(f"a{self.label}n{number}", number), txt(f"b{self.label}n{number}", number)]
                reply = self.server.request(connection, "PATCH", RRSETS, {"rrsets": rrsets})
                if reply.status != 200:
                    self.unexpected = reply
                    return
                self.acknowledged = number
        except (OSError, http.client.HTTPException):
            pass  # killed, as the test wants
        finally:
            connection.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_kill_9_amid_changes_loses_none_that_was_acknowledged_and_keeps_none_by_half(server, seed):
    streams = [Stream(server, label) for label in "xyz"]
    deadline = time.monotonic() + 10
    enough = Random(seed).randrange(20, 60)
    while sum(stream.acknowledged for stream in streams) < enough and time.monotonic() < deadline:
        time.sleep(0.001)
    server.kill()
    for stream in streams:
        stream.thread.join()
        assert stream.unexpected is None
        assert stream.acknowledged >= 0
    server.start()
    for stream in streams:
        for number in range(stream.acknowledged + 2):
            texts = [
                texts_of(server.ask(f"{side}{stream.label}n{number}.example.com", "TXT")) for side in "ab"
            ]
            whole = [[str(number)], [str(number)]]
            # The one that was under way may have been made durable or not, but never one RRset of it.
            assert texts == whole or (number > stream.acknowledged and texts == [[], []]), (number, texts)
