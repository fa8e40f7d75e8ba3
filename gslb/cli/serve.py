"""``gslb serve``: answer queries until told to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

import gslb.telemetry.without_rich  # noqa: F401 - before anything imports structlog
from gslb.cli.cpus import choose_workers, parse_cpus
from gslb.cli.output import EXIT_REFUSED, fail
from gslb.config.wording import quote
from gslb.errors import GslbError
from gslb.server import MAXIMUM_IDENTITY, Options
from gslb.server import serve as run_server
from gslb.telemetry.logs import configure_logs

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_LISTEN = "127.0.0.1:5353"
DEFAULT_API = "127.0.0.1:8053"


def serve(  # noqa: PLR0917 - the options of the command
    site: Path,
    listen: list[str],
    api: str | None,
    state: Path,
    workers: int | None,
    cpus: str | None,
    identity: str | None,
    version_text: str | None,
    *,
    allow_commands: bool,
) -> None:
    """Serve until SIGTERM or SIGINT; ends the command with one clear message when the server cannot start."""
    configure_logs()
    parsed_cpus = parse_cpus(cpus)
    options = Options(
        site=site,
        listen=tuple(listen) or (DEFAULT_LISTEN,),
        api=parse_address(api or DEFAULT_API),
        state=state,
        workers=choose_workers(workers, parsed_cpus),
        cpus=parsed_cpus,
        identity=parse_identity(identity, "--identity"),
        version_text=parse_identity(version_text, "--version-text"),
        allow_commands=allow_commands,
    )
    try:
        run_server(options)
    except GslbError as error:
        fail(str(error), EXIT_REFUSED)


def parse_identity(text: str | None, option: str) -> str | None:
    """What the server may say of itself. Raises typer.BadParameter."""
    if text is not None and not (text.isascii() and text.isprintable() and len(text) <= MAXIMUM_IDENTITY):
        message = f"at most {MAXIMUM_IDENTITY} characters of printable ASCII, not {quote(text)}"
        raise typer.BadParameter(message, param_hint=option)
    return text


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of ``ADDRESS:PORT`` or ``[ADDRESS]:PORT``. Raises typer.BadParameter."""
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not host or not port.isdecimal() or int(port) > 65535:
        raise typer.BadParameter(f"{text!r} is not ADDRESS:PORT, such as {DEFAULT_API}", param_hint="--api")
    return host, int(port)
