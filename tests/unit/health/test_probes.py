from __future__ import annotations

import asyncio
import errno
import resource
import shutil
import socket
import ssl
import subprocess

import pytest
from aiohttp import web

from gslb.health.probes import NetworkProber, ProbeTarget, failure_reason, is_own_failure, probe_target
from gslb.model.clock import SystemClock
from gslb.model.site import Endpoint, Monitor


def monitor(**settings):
    return Monitor(**{"name": "m", "type": "http", "port": 80, "timeout": 5.0, **settings})


@pytest.fixture
async def prober():
    prober = NetworkProber(SystemClock())
    yield prober
    await prober.close()


@pytest.fixture
async def backend():
    """A backend whose path says what it answers; it remembers the Host headers it saw."""
    hosts = []
    forever = asyncio.Event()

    async def answer(request):
        hosts.append(request.headers["Host"])
        what = request.match_info["what"]
        if what == "hang":
            await forever.wait()
        if what == "redirect":
            raise web.HTTPFound("/200")
        if what == "endless":
            response = web.StreamResponse(status=200)
            response.content_length = 10**12
            await response.prepare(request)
            await forever.wait()
        return web.Response(status=int(what))

    app = web.Application()
    app.router.add_get("/{what}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield ProbeTarget("127.0.0.1", runner.addresses[0][1]), hosts
    forever.set()
    await runner.cleanup()


@pytest.fixture
async def raw_server():
    """A TCP server that sends fixed octets and closes."""
    servers = []

    async def start(octets):
        async def serve(reader, writer):
            await reader.read(1)
            writer.write(octets)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(server)
        return ProbeTarget("127.0.0.1", server.sockets[0].getsockname()[1])

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def closed_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield ProbeTarget("127.0.0.1", sock.getsockname()[1])


async def test_an_expected_status_is_a_success(prober, backend):
    target, hosts = backend
    result = await prober.probe(
        monitor(path="/204", expect_status=(200, 204), host="www.example.com"), target
    )
    assert (result.success, result.reason) == (True, "status 204")
    assert result.seconds > 0
    assert hosts == ["www.example.com"]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"path": "/503"}, "status 503, expected 200"),
        ({"path": "/404", "expect_status": (200, 204)}, "status 404, expected 200 or 204"),
        ({"path": "/redirect"}, "status 302, expected 200"),
        ({"path": "/hang", "timeout": 0.05}, "timeout after 0.05s"),
    ],
)
async def test_http_failures_have_a_short_reason(prober, backend, settings, reason):
    target, hosts = backend
    result = await prober.probe(monitor(**settings), target)
    assert (result.success, result.reason) == (False, reason)
    assert len(hosts) == 1


async def test_a_body_is_not_waited_for(prober, backend):
    result = await prober.probe(monitor(path="/endless"), backend[0])
    assert result.success


@pytest.mark.parametrize("kind", ["http", "https", "tcp"])
async def test_a_closed_port_is_refused(prober, closed_port, kind):
    result = await prober.probe(monitor(type=kind), closed_port)
    assert (result.success, result.reason) == (False, "connection refused")


@pytest.fixture
def no_files_left():
    """No file can be opened any more: all numbers below the limit are taken."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("kind", ["http", "https", "tcp"])
async def test_a_probe_that_gets_no_file_has_no_result(prober, closed_port, no_files_left, kind):
    result = await prober.probe(monitor(type=kind), closed_port)
    assert result.success is None
    assert result.reason == "too many open files in this process (raise its limit)"


@pytest.mark.parametrize("name", ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EADDRNOTAVAIL", "EAGAIN"])
async def test_what_this_machine_lacks_says_nothing_about_the_target(prober, monkeypatch, name):
    async def fail(*args, **kwargs):
        raise OSError(getattr(errno, name), "said by the system")

    monkeypatch.setattr(asyncio, "open_connection", fail)
    result = await prober.probe(monitor(type="tcp"), ProbeTarget("127.0.0.1", 1))
    assert result.success is None
    assert "said by the system" not in result.reason


def test_lack_of_memory_is_our_own_but_what_a_target_does_is_not():
    assert is_own_failure(MemoryError())
    assert is_own_failure(socket.gaierror(socket.EAI_MEMORY, "Memory allocation failure"))
    assert failure_reason(MemoryError()) == "no memory left in this system"
    for error in (
        ConnectionRefusedError(errno.ECONNREFUSED, "x"),
        OSError("Multiple exceptions"),
        ValueError(),
    ):
        assert not is_own_failure(error)
    assert not is_own_failure(socket.gaierror(socket.EAI_NONAME, "x"))


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "the answer is not HTTP"),
        (b"", "connection closed without an answer"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", "the answer is not HTTP"),
    ],
)
async def test_what_is_not_http_is_a_failure(prober, raw_server, octets, reason):
    result = await prober.probe(monitor(), await raw_server(octets))
    assert (result.success, result.reason) == (False, reason)


async def test_a_server_that_speaks_no_tls_fails_the_handshake(prober, raw_server):
    result = await prober.probe(monitor(type="https"), await raw_server(b"HTTP/1.1 400 Bad\r\n\r\n"))
    assert (result.success, result.reason) == (False, "TLS handshake failed")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A self-signed certificate for www.example.com and its key, in one PEM file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    made = path.with_suffix(".crt")
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=www.example.com"
    command = [openssl, *options.split(), "-keyout", path, "-out", made]
    subprocess.run(command, check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + made.read_bytes())
    return path


@pytest.fixture
async def tls_backend(certificate):
    """An HTTPS backend with that certificate; it remembers (SNI, Host header)."""
    seen = []
    names = []
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda sock, name, ctx: names.append(name)

    async def answer(request):
        seen.append((names[-1], request.headers["Host"]))
        return web.Response()

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    yield ProbeTarget("127.0.0.1", runner.addresses[0][1]), seen
    await runner.cleanup()


async def test_https_sends_the_monitors_host_in_sni_and_header(prober, tls_backend):
    target, seen = tls_backend
    settings = {"type": "https", "host": "www.example.com", "verify_tls": False}
    result = await prober.probe(monitor(**settings), target)
    assert (result.success, result.reason) == (True, "status 200")
    assert seen == [("www.example.com", "www.example.com")]


async def test_https_verifies_the_certificate_unless_told_otherwise(prober, tls_backend):
    target, seen = tls_backend
    result = await prober.probe(monitor(type="https", host="www.example.com"), target)
    assert not result.success
    assert result.reason.startswith("certificate not valid: self")
    assert seen == []


async def test_tcp_connects_and_times_nothing_else(prober, raw_server):
    result = await prober.probe(monitor(type="tcp"), await raw_server(b""))
    assert (result.success, result.reason) == (True, "connected")


def test_certificate_failures_say_what_is_wrong_without_control_characters():
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "certificate has expired\x1b[31m"
    import aiohttp

    wrapped = aiohttp.ClientConnectorCertificateError(object(), error)
    assert failure_reason(wrapped) == "certificate not valid: certificate has expired?[31m"


@pytest.mark.parametrize(
    ("probe", "target"),
    [
        ("", ProbeTarget("192.0.2.1", 80)),
        ("127.0.0.1:9001", ProbeTarget("127.0.0.1", 9001)),
        ("backend.internal:8080", ProbeTarget("backend.internal", 8080)),
        ("[::1]:9001", ProbeTarget("::1", 9001)),
        ("::1", ProbeTarget("::1", 80)),
        ("backend", ProbeTarget("backend", 80)),
    ],
)
def test_an_endpoint_is_probed_at_its_probe_or_its_address(probe, target):
    endpoint = Endpoint(pop="fra", address="192.0.2.1", probe=probe)
    assert probe_target(endpoint, monitor()) == target
    by_command = probe_target(endpoint, monitor(type="command", port=0))
    assert by_command == ProbeTarget(target.host, 0)
    assert str(by_command) == target.host


def test_a_command_probes_a_name_by_itself():
    endpoint = Endpoint(pop="fra", cname="www.cdn.example.")
    assert probe_target(endpoint, monitor(type="command", port=0)) == ProbeTarget("www.cdn.example.", 0)
