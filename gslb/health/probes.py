"""One probe of one target: HTTP, HTTPS or TCP. A probe never raises; a failure is a short reason.

The answer's body is never read: the status line decides, and the connection is closed.

aiohttp is imported when the first probe wants it: a server answers queries before that.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import aiohttp

    from gslb.model.clock import Clock
    from gslb.model.site import Endpoint, Monitor

REASON_LIMIT = 200
USER_AGENT = "gslb-health-check"

_ERRNO_REASONS = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EPIPE: "connection reset",
    errno.EHOSTUNREACH: "host unreachable",
    errno.ENETUNREACH: "network unreachable",
    errno.ETIMEDOUT: "connection timed out",
    errno.EMFILE: "too many open files in this process (raise its limit)",
    errno.ENFILE: "too many open files in this system",
    errno.ENOBUFS: "no buffer space in this system",
    errno.ENOMEM: "no memory left in this system",
    errno.EADDRNOTAVAIL: "no local address or port to connect from",
    errno.EAGAIN: "no local port to connect from",
}

_OWN_FAILURES = frozenset(
    {
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.EADDRNOTAVAIL,
        errno.EAGAIN,
        socket.EAI_MEMORY,
    }
)
"""What this machine lacks; nothing was learnt about the target. EAI numbers, being negative, are no errno."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """``reason`` says why a probe failed, or what it saw; ``seconds`` is how long it took.

    ``success`` is ``None`` where this machine could not probe: that says nothing about the target.
    """

    success: bool | None
    reason: str
    seconds: float


class ProbeTarget(NamedTuple):
    """Where to connect: an address or host name, without brackets, and a port; 0 for no connection."""

    host: str
    port: int

    def __str__(self) -> str:
        if not self.port:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def probe_target(endpoint: Endpoint, monitor: Monitor) -> ProbeTarget:
    """Where an endpoint is probed: its own ``probe`` if it has one, else its address.

    A ``probe`` without a port uses the monitor's. A monitor that connects nowhere gets the host alone, and
    the cname of an endpoint without an address.
    """
    if not monitor.connects:
        host, _ = _host_and_port(endpoint.probe, 0)
        return ProbeTarget(host or str(endpoint.address or endpoint.cname), 0)
    if not endpoint.probe:
        return ProbeTarget(str(endpoint.address), monitor.port)
    return ProbeTarget(*_host_and_port(endpoint.probe, monitor.port))


def _host_and_port(probe: str, default: int) -> tuple[str, int]:
    host, colon, port = probe.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or (":" in host and not host.endswith("]")):
        return probe.strip("[]"), default
    return host.strip("[]"), int(port)


class Prober(Protocol):
    """Probes a target once."""

    async def probe(self, monitor: Monitor, target: ProbeTarget) -> ProbeResult:
        """One probe; never raises, takes at most the monitor's timeout."""

    async def close(self) -> None:
        """Release what probing holds."""


class NetworkProber:
    """Probes over the network, HTTP through one shared session that keeps no connections or cookies."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def probe(self, monitor: Monitor, target: ProbeTarget) -> ProbeResult:
        """One probe; never raises, takes at most the monitor's timeout."""
        started = self._clock.monotonic()
        success: bool | None
        try:
            async with asyncio.timeout(monitor.timeout):
                if monitor.type == "tcp":
                    success, reason = await self._connect(target)
                else:
                    success, reason = await self._request(monitor, target)
        except TimeoutError:
            success, reason = False, f"timeout after {monitor.timeout:g}s"
        except Exception as error:  # whatever a hostile answer provokes is that target's failure
            success, reason = None if is_own_failure(error) else False, failure_reason(error)
        return ProbeResult(success, reason, self._clock.monotonic() - started)

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _connect(self, target: ProbeTarget) -> tuple[bool, str]:
        _, writer = await asyncio.open_connection(target.host, target.port)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return True, "connected"

    async def _request(self, monitor: Monitor, target: ProbeTarget) -> tuple[bool, str]:
        path = monitor.path if monitor.path.startswith("/") else "/" + monitor.path
        headers = {"User-Agent": USER_AGENT, "Accept": "*/*"}
        if monitor.host:
            headers["Host"] = monitor.host
        from yarl import URL  # noqa: PLC0415 - see the module's docstring

        async with self._shared_session().get(
            URL(f"{monitor.type}://{target}{path}"),
            headers=headers,
            allow_redirects=False,
            ssl=monitor.verify_tls,
            server_hostname=monitor.host.partition(":")[0] or None if monitor.type == "https" else None,
        ) as response:
            status = response.status
        if status in monitor.expect_status:
            return True, f"status {status}"
        expected = " or ".join(str(code) for code in monitor.expect_status)
        return False, f"status {status}, expected {expected}"[:REASON_LIMIT]

    def _shared_session(self) -> aiohttp.ClientSession:
        import aiohttp  # noqa: PLC0415 - see the module's docstring

        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session


def is_own_failure(error: BaseException) -> bool:
    """Whether a probe ended because this machine lacks files, memory, buffers or ports."""
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _OWN_FAILURES)


def failure_reason(error: BaseException) -> str:
    """A short, printable reason for an exception that a probe met."""
    return "".join(c if c.isprintable() else "?" for c in _describe(error))[:REASON_LIMIT]


def _describe(error: BaseException) -> str:
    if is_own_failure(error):
        number = error.errno if isinstance(error, OSError) else None
        return _ERRNO_REASONS.get(number or 0, _ERRNO_REASONS[errno.ENOMEM])
    import aiohttp  # noqa: PLC0415 - see the module's docstring

    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _certificate_reason(error.certificate_error)
    reasons: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
        ((aiohttp.ClientConnectorDNSError, socket.gaierror), "name does not resolve"),
        ((aiohttp.ClientConnectorSSLError, ssl.SSLError), "TLS handshake failed"),
        ((aiohttp.ServerDisconnectedError,), "connection closed without an answer"),
        ((aiohttp.ClientResponseError, aiohttp.ClientPayloadError, ValueError), "the answer is not HTTP"),
    )
    for types, reason in reasons:
        if isinstance(error, types):
            return reason
    if isinstance(error, OSError):
        number = error.errno or 0
        return _ERRNO_REASONS.get(number) or (os.strerror(number).lower() if number else "connection failed")
    return f"probe failed: {type(error).__name__}"


def _certificate_reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError) and error.verify_message:
        return f"certificate not valid: {error.verify_message}"
    return "certificate not valid"
