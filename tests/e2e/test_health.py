"""Backends that stop and start again, seen by real probes."""

import time

import pytest

from tests.e2e.server import addresses_of
from tests.e2e.site import AMS, FRA, GERMANY, IAD, INTERVAL, LAST_RESORT, LEAVES_WITHIN, Site
from tests.e2e.waiting import eventually

MARGIN = 1.5
"""Seconds that a busy machine may be late."""


@pytest.fixture
def served(tmp_path, databases, backends, start):
    site = Site(tmp_path / "site", databases, {pop: backend.port for pop, backend in backends.items()})
    return start(site.path)


def wait_for_observed(server, **counts):
    def seen():
        observed = server.done("GET", "/v1/status")["observed"]
        return all(observed[word] == count for word, count in counts.items())

    eventually(seen, f"endpoints are observed {counts}", LEAVES_WITHIN + MARGIN)


def test_a_stopped_backend_leaves_in_time_and_returns(served, backends):
    wait_for_observed(served, up=6)
    generation = served.done("GET", "/v1/status")["generation"]
    assert served.address("www.example.com", GERMANY) == FRA

    backends["fra"].stop()
    stopped = time.monotonic()
    eventually(
        lambda: served.address("www.example.com", GERMANY) == AMS, "fra leaves", LEAVES_WITHIN + MARGIN
    )
    # One bad probe is not enough; only a machine that stands still could make the second one come early.
    assert time.monotonic() - stopped > INTERVAL * 0.5
    (down,) = [row for row in served.done("GET", "/v1/endpoints")["endpoints"] if row["address"] == FRA]
    assert (down["observed"], down["verdict"], down["intent"]) == ("down", "down", "serve")
    assert "refused" in down["reason"]
    # All that flipped at once is one publish: the zones were not compiled again.
    assert served.done("GET", "/v1/status")["generation"] == generation + 1

    backends["fra"].start()
    eventually(lambda: served.address("www.example.com", GERMANY) == FRA, "fra returns", INTERVAL + MARGIN)
    assert served.address("www.example.com", GERMANY, "tcp") == FRA


REFUSED_SITE = """\
pops: {fra: , ams: }
monitors:
  deep: {type: command, command: [/bin/true], interval: 1s, timeout: 500ms}
  states: {type: file, file: /nonexistent/states, interval: 1s, timeout: 500ms}
policies:
  first: [take: 1]
pools:
  web:
    monitor: deep
    unknown_counts: down
    when_all_down: servfail
    endpoints: [{pop: fra, address: 192.0.2.1}]
  other:
    monitor: states
    endpoints: [{pop: ams, address: 192.0.2.2}]
names:
  www.example.com: {pool: web, policy: first}
  other.example.com: {pool: other, policy: first}
"""
REFUSED_ZONE = """\
$TTL 300
@ SOA ns1 host 1 7200 1800 1209600 300
@ NS ns1
@ NS ns2
ns1 A 192.0.2.53
ns2 A 192.0.2.54
"""
NOT_ALLOWED = "this server runs no commands: start it with --allow-commands"
NO_FILE = "/nonexistent/states cannot be read: no such file or directory"


def test_why_nothing_is_known_of_endpoints_is_said_wherever_it_shows(tmp_path, start):
    site = tmp_path / "refused"
    site.mkdir()
    (site / "example.com.zone").write_text(REFUSED_ZONE)
    (site / "site.yaml").write_text(REFUSED_SITE)
    server = start(site)
    warnings = [line for line in server.log().splitlines() if "monitor never probed" in line]
    assert len(warnings) == 1
    assert f"{site}/site.yaml:3" in warnings[0]
    assert NOT_ALLOWED in warnings[0]

    def noted():
        notes = server.command("pops").stdout
        return f"no result by deep 1: {NOT_ALLOWED}" in notes and f"no result by states 1: {NO_FILE}" in notes

    eventually(noted, "both reasons are in the notes", INTERVAL + MARGIN)
    errors = [line for line in server.log().splitlines() if "probes without a result" in line]
    assert len(errors) == 2
    assert all(any(reason in line for line in errors) for reason in (NOT_ALLOWED, NO_FILE))
    explained = server.command("explain", "www.example.com", "--client", "192.0.2.99").stdout
    assert f"unknown: {NOT_ALLOWED}  removed: down, as what is unknown counts" in explained
    assert "(unknown_counts: down)" in explained


def test_all_down_serves_all_and_a_drain_of_the_last_falls_back(served, backends):
    wait_for_observed(served, up=6)
    for backend in backends.values():
        backend.stop()
    wait_for_observed(served, down=6)
    # The pool says serve_all: steering goes on as if all were up.
    assert served.address("www.example.com", GERMANY) == FRA
    assert served.address("www.example.com") == IAD
    # The other pool has no probes; when its only POP is drained, the zone's own records answer.
    answer = served.done("POST", "/v1/pops/fra/drain", {"reason": "last one"})
    assert any("api" in warning for warning in answer["warnings"])
    assert addresses_of(served.ask("api.example.com")) == [LAST_RESORT]


def test_an_undrain_restores_what_probes_saw_meanwhile(served, backends):
    wait_for_observed(served, up=6)
    served.done("POST", "/v1/pops/fra/drain", {"reason": "test"})
    backends["fra"].stop()
    wait_for_observed(served, down=2)
    served.done("POST", "/v1/pops/fra/undrain")
    assert served.address("www.example.com", GERMANY) == AMS
