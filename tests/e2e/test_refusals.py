"""What the server refuses: to start on what is broken, and requests that make no sense."""

import re
import socket

import pytest

from tests.e2e.server import run_command
from tests.e2e.site import FRA, GERMANY, NAMES, ZONE


def serve(site, state, *arguments):
    """``gslb serve`` that must fail: its exit status, standard output, and messages (logs are JSON lines)."""
    free = ("--listen", "127.0.0.1:0", "--api", "127.0.0.1:0")
    ended = run_command("serve", str(site), "--state", str(state), *(arguments if arguments else free))
    logged = [line for line in ended.stderr.splitlines() if line.startswith("{")]
    said = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
    assert not any('"level": "error"' in line for line in logged), ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.returncode, ended.stdout, said


def broken_zone(site):
    site.write("example.com.zone", ZONE.replace("192.0.2.60", "192.0.2.256"))


def unclosed_yaml(site):
    site.write("names.yaml", NAMES.replace("owner: web-team}", "owner: web-team"))


def missing_database(site):
    site.write("steering.yaml", re.sub("city.mmdb", "town.mmdb", (site.path / "steering.yaml").read_text()))


def damaged_database(site):
    site.write("not.mmdb", "not a database")
    text = (site.path / "steering.yaml").read_text()
    site.write("steering.yaml", text.replace("geo/city.mmdb", "not.mmdb"))


def no_directory(site):
    site.path.rename(site.path.with_name("elsewhere"))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (broken_zone, r"example\.com\.zone:12(:\d+)?: error: .+ \[zone-\S+\]"),
        (unclosed_yaml, r"names\.yaml:\d+:\d+: error: .+ \[site-syntax\]"),
        (missing_database, r"steering\.yaml:6:\d+: error: .*town\.mmdb.* \[site-missing-database\]"),
        (damaged_database, r"error: .*not\.mmdb.* \[site-geo-database\]"),
        (no_directory, r"site: error: .+ \[site-no-directory\]"),
    ],
)
def test_a_site_that_does_not_load_is_not_served(tmp_path, site, damage, says):
    damage(site)
    status, output, said = serve(site.path, tmp_path / "state")
    assert (status, output) == (1, "")
    assert said[0].startswith("gslb: ")
    assert any(re.search(says, line) for line in said), said
    assert all("error: " in line for line in said), said


@pytest.fixture
def taken():
    """A port of 127.0.0.1 in use, for TCP and for UDP."""
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        yield {"tcp": tcp.getsockname()[1], "udp": udp.getsockname()[1]}


@pytest.mark.parametrize(
    ("option", "other", "protocol"),
    [("listen", "api", "tcp"), ("listen", "api", "udp"), ("api", "listen", "tcp")],
)
def test_a_taken_port(tmp_path, site, taken, option, other, protocol):
    address = f"127.0.0.1:{taken[protocol]}"
    status, output, said = serve(
        site.path, tmp_path / "state", f"--{option}", address, f"--{other}", "127.0.0.1:0"
    )
    assert (status, output, len(said)) == (1, "", 1), said
    assert address in said[0]
    assert "in use" in said[0]
    assert f"--{option}" in said[0]


def under_a_file(state):
    state.write_text("a file")
    return state / "below"


def damaged(state):
    state.mkdir(mode=0o700)
    (state / "state.db").write_text("no database, but long enough to be taken for the header of one " * 20)
    return state


def readable_token(state):
    state.mkdir(mode=0o700)
    (state / "token").write_text("a-token-that-everybody-may-read\n")
    (state / "token").chmod(0o644)
    return state


@pytest.mark.parametrize("make", [under_a_file, damaged, readable_token])
def test_a_state_directory_that_cannot_be_used(tmp_path, site, make):
    state = make(tmp_path / "state")
    status, output, said = serve(site.path, state)
    assert (status, output, len(said)) == (1, "", 1), said
    assert said[0].startswith(f"gslb: {state}")


def test_a_second_server_on_the_same_state_leaves_the_first_alone(server, site):
    status, output, said = serve(site.path, server.state)
    assert (status, output, len(said)) == (1, "", 1), said
    assert f"pid {server.process.pid}" in said[0]
    assert server.address("www.example.com", GERMANY) == FRA
    assert server.command("pops").returncode == 0


@pytest.mark.parametrize("address", ["localhost:0", "127.0.0.1:65536"])
def test_what_is_no_address(tmp_path, site, address):
    status, output, said = serve(site.path, tmp_path / "state", "--listen", address, "--api", "127.0.0.1:0")
    assert (status in (1, 2), output) == (True, ""), said
    assert "--listen" in "\n".join(said)


# ── Requests ───────────────────────────────────────────────────────────────────────────────────────────────

RRSETS = "/v1/zones/example.com/rrsets"


def rrsets(*entries):
    return {"rrsets": [{"name": n, "type": t, "ttl": ttl, "records": list(r)} for n, t, ttl, r in entries]}


LONG_AGO = "2001-01-01T00:00:00Z"
GOOD = ("good", "A", 60, ["192.0.2.1"])


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("POST", "/v1/pops/nowhere/drain", {"reason": "x"}, 404, "not-found"),
        ("POST", "/v1/pops/nowhere/undrain", None, 404, "not-found"),
        ("GET", "/v1/pops/nowhere", None, 404, "not-found"),
        ("GET", "/v1/nothing", None, 404, "not-found"),
        ("DELETE", "/v1/pops", None, 405, "method-not-allowed"),
        ("POST", "/v1/pops/fra/drain", {}, 422, "invalid-body"),
        ("POST", "/v1/pops/fra/drain", {"reason": "two\nlines"}, 422, "invalid-body"),
        ("POST", "/v1/pops/fra/drain", {"reason": "x", "for": "-1h"}, 422, "invalid-body"),
        ("POST", "/v1/pops/fra/drain", {"reason": "x", "expires_at": LONG_AGO}, 422, "invalid-change"),
        ("POST", "/v1/pops/fra/drain", b"{", 400, "malformed-json"),
        ("POST", "/v1/pops/fra/drain", b"[" * 100_000, 400, "malformed-json"),
        ("POST", "/v1/pops/fra/drain", b" " * (1 << 20) + b"{}", 413, "body-too-large"),
        ("PATCH", "/v1/zones/example.org/rrsets", rrsets(GOOD), 404, "not-found"),
        ("PATCH", RRSETS, rrsets(GOOD, ("bad", "A", 60, ["192.0.2.256"])), 422, "invalid-change"),
        ("PATCH", RRSETS, rrsets(GOOD, ("bad", "NOPE", 60, ["x"])), 422, "invalid-change"),
        ("PATCH", RRSETS, rrsets(GOOD, ("bad", "A", -1, ["192.0.2.1"])), 422, "invalid-change"),
        ("PATCH", RRSETS, rrsets(GOOD, ("a.example.org.", "A", 60, ["192.0.2.1"])), 422, "invalid-change"),
        ("PATCH", RRSETS, rrsets(GOOD, ("ns1", "CNAME", 60, ["www"])), 422, "invalid-change"),
        ("PATCH", RRSETS, rrsets(GOOD, ("@", "SOA", 60, [])), 422, "invalid-change"),
        ("PATCH", RRSETS, rrsets(GOOD, ("@", "NS", 60, [])), 422, "invalid-change"),
        ("PATCH", RRSETS, rrsets(GOOD, ("x" * 64, "A", 60, ["192.0.2.1"])), 422, "invalid-change"),
        ("GET", "/v1/explain?name=www.example.com&type=A&client=nobody", None, 422, "invalid-query"),
        ("GET", "/v1/zones/example.com?limit=100000", None, 422, "invalid-query"),
    ],
)
def test_a_bad_request_is_a_problem_document_and_changes_nothing(shared, method, path, body, status, kind):
    generation = shared.done("GET", "/v1/status")["generation"]
    reply = shared.api(method, path, body)
    assert (reply.status, reply.headers["Content-Type"]) == (status, "application/problem+json"), reply
    problem = reply.document
    assert (problem["type"], problem["status"]) == (f"urn:gslb:problem:{kind}", status), problem
    assert problem["title"]
    assert problem["detail"]
    after = shared.done("GET", "/v1/status")
    assert (after["generation"], after["drains"]) == (generation, [])
    assert shared.ask("good.example.com").answer == []


@pytest.mark.parametrize(
    "authorization", [None, "Bearer", "Bearer wrong", "Basic d3Jvbmc6d3Jvbmc=", "Bearer \xe9"]
)
def test_without_the_token_nothing_is_told_or_done(shared, authorization):
    headers = {"Content-Type": "application/json"} | (
        {"Authorization": authorization} if authorization else {}
    )
    for method, path, body in (
        ("GET", "/v1/pops", None),
        ("POST", "/v1/pops/fra/drain", {"reason": "x"}),
        ("PATCH", RRSETS, rrsets(GOOD)),
        ("POST", "/v1/reload", {}),
    ):
        reply = shared.api(method, path, body, headers=headers)
        assert (reply.status, reply.document["type"]) == (401, "urn:gslb:problem:unauthorized")
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")
        assert shared.token() not in reply.text
    assert shared.done("GET", "/v1/status")["drains"] == []


def test_octets_that_are_not_http_do_not_disturb(shared):
    for octets in (
        b"\0" * 100,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/reload HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ):
        with socket.create_connection(shared.api_address, timeout=5) as connection:
            connection.sendall(octets)
            connection.shutdown(socket.SHUT_WR)
            assert not connection.makefile("rb").read().startswith(b"HTTP/1.1 2")
    assert shared.api("GET", "/v1/ready", headers={}).status == 200


def test_the_command_with_a_wrong_token(shared, tmp_path):
    (tmp_path / "token").write_text("a-token-of-another-server\n")
    (tmp_path / "token").chmod(0o600)
    host, port = shared.api_address
    refused = run_command(
        "drain", "fra", "--reason", "x", "--state", str(tmp_path), "--api", f"{host}:{port}"
    )
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1), refused
    assert "token" in refused.stderr
