"""The composition root: builds everything, serves, reloads, shuts down.

::

    state locked ─► sockets bound ─► site loaded ─► answering ─► API serving (ready) ─► stopping

Whatever fails before "answering" ends the process with one clear error; nothing was answered wrongly. A
signal to stop before "site loaded" ends it at once. The API's socket is bound beside those for DNS; what
serves it is imported when answering has begun, for that takes longer than most sites take to load.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog
import uvloop

from gslb._dataplane import VERSION, DataPlane
from gslb.aliases.flattener import Flattener
from gslb.config.files import look
from gslb.descriptors import raise_limit, streams_for
from gslb.errors import GslbError, ListenError
from gslb.health.checker import Checker
from gslb.health.probers import AnyProber
from gslb.model.clock import SystemClock
from gslb.operations.operations import Operations
from gslb.publish import Publisher
from gslb.store.directory import StateLock, prepare_directory, remove_api_url, write_api_url
from gslb.store.store import Store
from gslb.store.token import load_or_create_token
from gslb.systemd import notify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from aiohttp import web

    from gslb.model.report import FindingReport, ReloadResult
    from gslb.store.token import Token
    from gslb.watch import Reload

log = structlog.get_logger(__name__)

SHUTDOWN_SECONDS = 2.0
"""How long running API requests may take to end when the server stops."""
MAXIMUM_IDENTITY = 128
"""Characters of what the server says of itself, a bound of the data plane."""
API_BACKLOG = 128
"""Connections to the API that wait to be accepted, also before it is served."""
SWITCH_SECONDS = 0.000_5
"""How long a thread that loads or tests a site may keep the interpreter from the event loop: a drain takes
some turns of the loop, and would wait ten times as long for each by Python's default."""
LOGGED_FINDINGS = 100
"""Findings of one rule that a start logs: a site of many zones may have one in each."""
RESOLVE_SECONDS = 2.0
"""How long a start waits for the addresses behind ALIAS records, which are SERVFAIL until then."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to serve and where. ``listen`` and ``api`` are ``ADDRESS:PORT``; port 0 picks a free one.

    ``identity`` and ``version_text`` are what the server says of itself: printable ASCII, at most 128
    characters, empty for nothing at all and ``None`` for the default. ``allow_commands``: monitors of the
    site may run programs. ``cpus``: none, or at least as many as ``workers``, each of which stays on one.
    """

    site: Path
    listen: tuple[str, ...]
    api: tuple[str, int]
    state: Path
    workers: int
    cpus: tuple[int, ...] = ()
    identity: str | None = None
    version_text: str | None = None
    allow_commands: bool = False


def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT. Raises GslbError when the server cannot start."""
    sys.setswitchinterval(SWITCH_SECONDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(options))


async def _serve(options: Options) -> None:
    stop, hung_up = asyncio.Event(), asyncio.Event()
    _on_signals(_leave, hung_up.set)
    descriptors = raise_limit()
    prepare_directory(options.state)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(StateLock(options.state))
        token = load_or_create_token(options.state)
        store = await Store.open(options.state)
        stack.push_async_callback(store.close)

        dataplane = DataPlane()
        _identify(dataplane, options)
        addresses = _listen(dataplane, options)
        stack.callback(dataplane.stop)
        api_sockets = await _bind_api(options.api)
        stack.callback(_close, api_sockets)
        clock = SystemClock()
        prober = AnyProber(clock, allow_commands=options.allow_commands)
        checker = Checker(prober, clock, refusal=prober.refusal)
        stack.push_async_callback(checker.stop)
        site, state = options.site.resolve(), options.state.resolve()
        publisher = Publisher(options.site, dataplane, partial(look, site, state))
        flattener = Flattener(publisher.publish_flattened, clock)
        stack.push_async_callback(flattener.stop)
        operations = Operations(publisher, store, checker, flattener, clock, version=VERSION)
        started = await operations.start()
        _on_signals(stop.set, hung_up.set)
        stack.push_async_callback(operations.stop)
        await flattener.wait_until_tried(RESOLVE_SECONDS)
        _start(dataplane, streams_for(descriptors), options.cpus)
        _log_findings(started.findings)

        ready = asyncio.Event()
        runner = await asyncio.to_thread(_api_runner, operations, token, ready)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        api = await _serve_api(runner, api_sockets)
        write_api_url(options.state, f"http://{api}")
        stack.callback(remove_api_url, options.state)

        from gslb.watch import watch_site  # noqa: PLC0415 - what it is made of is slow to import

        reload = _reloader(operations)
        reloading = asyncio.create_task(_reload_when(hung_up, reload))
        stack.push_async_callback(_cancel, reloading)
        watcher = asyncio.create_task(watch_site(site, state, publisher, reload))
        stack.push_async_callback(_cancel, watcher)

        ready.set()
        _announce(addresses, api, started)
        del started  # a site of very many zones may have as many findings
        await stop.wait()
        notify("STOPPING=1")
        log.info("stopping")


def _announce(addresses: list[str], api: str, started: ReloadResult) -> None:
    """Say on standard output and to systemd that everything answers; turn garbage collection on."""
    # What a start made stays: later collections need not look at it again.
    gc.freeze()
    gc.enable()
    listeners = " ".join(addresses)
    sys.stdout.write(
        f"gslb ready: dns {listeners} (udp+tcp), api http://{api}, "
        f"{started.zones} zones, {started.names} steered names, generation {started.generation}\n"
    )
    sys.stdout.flush()
    notify("READY=1", f"STATUS=Serving {started.zones} zones on {listeners}")


_LEVELS = {"error": 40, "warning": 30, "info": 20}


def _log_findings(findings: Sequence[FindingReport]) -> None:
    """A line for each, but for those beyond the first of a rule: one for all of them."""
    counts: Counter[str] = Counter()
    for finding in findings:
        counts[finding.rule] += 1
        if counts[finding.rule] <= LOGGED_FINDINGS:
            place = f"{finding.file}:{finding.line}"
            log.log(_LEVELS[finding.severity], finding.message, rule=finding.rule, place=place)
    for rule, count in counts.items():
        if count > LOGGED_FINDINGS:
            more = count - LOGGED_FINDINGS
            log.warning("more findings of this rule: gslb check shows them all", rule=rule, count=more)


def _identify(dataplane: DataPlane, options: Options) -> None:
    """CHAOS id.server and version.server (RFC 4892), and NSID (RFC 5001) only for who asked for a name."""
    name, version_text = options.identity, options.version_text
    if name is None:
        name = socket.gethostname()
        name = name if name.isascii() and name.isprintable() and len(name) <= MAXIMUM_IDENTITY else ""
    dataplane.identify(
        version=(f"gslb {VERSION}" if version_text is None else version_text) or None,
        name=name or None,
        nsid=options.identity or None,
    )


def _listen(dataplane: DataPlane, options: Options) -> list[str]:
    try:
        return dataplane.listen(list(options.listen), options.workers)
    except OSError as error:
        hint = "stop what uses it (ss -lnptu), or name another with --listen"
        if isinstance(error, PermissionError):
            hint = "ports below 1024 need CAP_NET_BIND_SERVICE; or name another with --listen"
        raise ListenError(f"{error.strerror}: {hint}") from error
    except ValueError as error:
        raise ListenError(f"--listen: {error}") from error


def _start(dataplane: DataPlane, streams: int, cpus: tuple[int, ...]) -> None:
    try:
        dataplane.start(streams, cpus)
    except OSError as error:
        hint = "; leave --cpus out, or name others" if cpus else ""
        raise ListenError(f"cannot start answering: {error.strerror}{hint}") from error


async def _bind_api(address: tuple[str, int]) -> list[socket.socket]:
    """A listening socket for each address of the host. Raises ListenError."""
    host, port = address
    sockets: list[socket.socket] = []
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, kind, protocol, _, place in dict.fromkeys(found):
            one = socket.socket(family, kind, protocol)
            sockets.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind(place)
            one.listen(API_BACKLOG)
    except OSError as error:
        _close(sockets)
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
        raise ListenError(
            f"cannot listen on {host}:{port} (api): {reason}: "
            "stop what uses it (ss -lnpt), or name another with --api"
        ) from error
    return sockets


def _close(sockets: list[socket.socket]) -> None:
    for one in sockets:
        one.close()


def _api_runner(operations: Operations, token: Token, ready: asyncio.Event) -> web.AppRunner:
    """The API, not yet serving. Imports it, in a thread: the event loop goes on probing."""
    from aiohttp import web  # noqa: PLC0415

    from gslb.api.app import SERVER_LIMITS, build_app  # noqa: PLC0415
    from gslb.telemetry.metrics import metrics_renderer  # noqa: PLC0415

    metrics = metrics_renderer(operations.counters, operations.gauges)
    app = build_app(operations, token, ready=ready.is_set, metrics=metrics, version=VERSION)
    return web.AppRunner(app, shutdown_timeout=SHUTDOWN_SECONDS, **SERVER_LIMITS)


async def _serve_api(runner: web.AppRunner, sockets: list[socket.socket]) -> str:
    """Serve on the sockets; return the first one's address as ``ADDRESS:PORT``."""
    from aiohttp import web  # noqa: PLC0415 - imported by now

    for one in sockets:
        await web.SockSite(runner, one, backlog=API_BACKLOG).start()
    host, port = runner.addresses[0][:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _reloader(operations: Operations) -> Reload:
    """A reload that reports failure instead of raising: the old snapshot goes on serving."""

    async def reload(cause: str, is_loaded: Callable[[], bool] = lambda: False) -> None:
        notify("RELOADING=1")
        try:
            with contextlib.suppress(GslbError):  # in the log already
                await operations.reload_unless(is_loaded, cause)
        except Exception:  # a bug, which must not end the watching for changes and signals too
            log.exception("reload failed: the old site goes on serving", cause=cause)
        finally:
            notify("READY=1")

    return reload


def _on_signals(end: Callable[[], None], hang_up: Callable[[], None]) -> None:
    """What SIGTERM and SIGINT do from now on, and what SIGHUP does."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    loop.add_signal_handler(signal.SIGHUP, hang_up)


def _leave() -> None:
    """End the process at once. Before a site is loaded there is nothing to carry through.

    An exception, or the end of the event loop, would wait for the thread that loads, which may take long.
    """
    log.info("stopping before the site was loaded")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


async def _reload_when(hung_up: asyncio.Event, reload: Reload) -> None:
    """Reload at each hangup, for ever; several during a reload are one."""
    while True:
        await hung_up.wait()
        hung_up.clear()
        await reload("SIGHUP")


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
