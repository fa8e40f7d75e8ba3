"""``gslb serve``: answer queries until told to stop."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

DEFAULT_LISTEN = "127.0.0.1:5353"
DEFAULT_API = "127.0.0.1:8053"


def serve(
    site: Annotated[Path, typer.Argument(help="The site directory: zones and steering.")] = Path("zones"),
    listen: Annotated[
        list[str] | None,
        typer.Option(help="ADDRESS:PORT for UDP and TCP; several times over. Port 0 picks a free one."),
    ] = None,
    api: Annotated[str, typer.Option(help="ADDRESS:PORT of the HTTP API.")] = DEFAULT_API,
    state: Annotated[
        Path | None, typer.Option(help="The state directory.", envvar="GSLB_STATE", show_default="./state")
    ] = None,
    workers: Annotated[
        int, typer.Option(help="UDP worker threads per address; 0 means one per CPU.", min=0, max=1024)
    ] = 0,
) -> None:
    """Serve SITE: answer queries, probe endpoints, offer the API."""
    from gslb.errors import GslbError
    from gslb.server import Options, serve as run
    from gslb.telemetry.logs import configure_logs

    configure_logs()
    options = Options(
        site=site,
        listen=tuple(listen or [DEFAULT_LISTEN]),
        api=parse_address(api),
        state=state or Path(os.environ.get("STATE_DIRECTORY") or "state"),
        workers=workers or len(os.sched_getaffinity(0)),
    )
    try:
        run(options)
    except GslbError as error:
        sys.stderr.write(f"gslb: {error}\n")
        raise typer.Exit(1) from error


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of ``ADDRESS:PORT`` or ``[ADDRESS]:PORT``. Raises typer.BadParameter."""
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not host or not port.isdecimal() or int(port) > 65535:
        raise typer.BadParameter(f"{text!r} is not ADDRESS:PORT, such as {DEFAULT_API}", param_hint="--api")
    return host, int(port)
