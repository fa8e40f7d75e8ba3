"""Drains by the command line: the very next answer is another one."""

import json

import pytest

from tests.e2e.site import AMS, FRA, GERMANY
from tests.e2e.waiting import eventually


@pytest.fixture
def server(shared):
    yield shared
    for drain in shared.done("GET", "/v1/status")["drains"]:
        shared.done("POST", f"/v1/pops/{drain['pop']}/undrain")


def pop(server, name):
    listed = server.command("pops", "--json")
    assert listed.returncode == 0, listed.stderr
    return next(pop for pop in json.loads(listed.stdout)["pops"] if pop["name"] == name)


def test_the_very_next_answer_after_a_drain_and_an_undrain_differs(server):
    assert server.address("www.example.com", GERMANY) == FRA

    drained = server.command("drain", "fra", "--reason", "router upgrade")
    after = [server.address("www.example.com", GERMANY, transport) for transport in ("udp", "tcp")]
    assert (drained.returncode, after) == (0, [AMS, AMS]), drained.stderr
    shown = pop(server, "fra")
    assert (shown["intent"], shown["verdict"]) == ("drain", "drained")
    assert shown["drain"]["reason"] == "router upgrade"
    assert pop(server, "ams")["verdict"] == "serving"
    status = json.loads(server.command("status", "--json").stdout)
    assert [drain["pop"] for drain in status["drains"]] == ["fra"]
    assert "router upgrade" in server.command("pops").stdout
    assert "fra is drained until undrained: router upgrade" in server.command("status").stdout

    undrained = server.command("undrain", "fra")
    after = [server.address("www.example.com", GERMANY, transport) for transport in ("udp", "tcp")]
    assert (undrained.returncode, after) == (0, [FRA, FRA]), undrained.stderr
    assert pop(server, "fra")["intent"] == "serve"


def test_probes_go_on_while_a_pop_is_drained(server):
    server.done("POST", "/v1/pops/fra/drain", {"reason": "test"})

    def observed_up():
        return server.done("GET", "/v1/pops/fra")["pop"]["observed"]["up"] == 2

    eventually(observed_up, "the drained POP is seen up")
    assert server.done("GET", "/v1/pops/fra")["pop"]["verdict"] == "drained"


def test_a_drain_with_an_end_ends_by_itself(server):
    drained = server.command("drain", "fra", "--reason", "short", "--for", "1s")
    assert (drained.returncode, server.address("www.example.com", GERMANY)) == (0, AMS), drained.stderr
    eventually(lambda: server.address("www.example.com", GERMANY) == FRA, "the drain ends", 6)
    assert server.done("GET", "/v1/status")["drains"] == []


def test_explain_tells_of_the_drain_and_gives_the_answer_on_the_wire(server):
    server.done("POST", "/v1/pops/fra/drain", {"reason": "test"})
    told = server.command("explain", "www.example.com", "--client", "127.0.0.1", "--subnet", GERMANY)
    assert told.returncode == 0, told.stderr
    assert server.address("www.example.com", GERMANY) in told.stdout
    assert "drained" in told.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("drain", "fro", "--reason", "typo"), 1, "fra"),
        (("undrain", "fro"), 1, "fra"),
        (("drain", "fra", "--reason", "x", "--for", "soon"), 1, "soon"),
        (("drain", "fra"), 2, "--reason"),
    ],
)
def test_what_cannot_be_drained_changes_nothing(server, arguments, status, message):
    before = server.done("GET", "/v1/status")
    refused = server.command(*arguments)
    assert (refused.returncode, refused.stdout) == (status, ""), refused
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr
    assert server.address("www.example.com", GERMANY) == FRA
    assert server.done("GET", "/v1/status")["drains"] == before["drains"] == []


def test_commands_without_a_server_say_so(site, start):
    server = start(site.path)
    server.stop()
    lonely = server.command("pops")
    assert (lonely.returncode, lonely.stdout, lonely.stderr.count("\n")) == (3, "", 1), lonely
    assert "gslb serve" in lonely.stderr
