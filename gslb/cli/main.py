"""The ``gslb`` command. Each verb imports what it needs when it runs, so that ``--help`` is quick."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gslb.cli.client import Client

app = typer.Typer(
    name="gslb",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Site = Annotated[Path, typer.Argument(help="The site directory.")]
Api = Annotated[
    str | None,
    typer.Option(
        "--api",
        envvar="GSLB_API",
        metavar="ADDR:PORT|URL",
        help="Where the server's API is; by default its state directory says.",
    ),
]
State = Annotated[
    Path | None,
    typer.Option(
        "--state",
        envvar="GSLB_STATE",
        metavar="DIR",
        help="The server's state directory; by default $STATE_DIRECTORY, else ./state.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PopName = Annotated[str, typer.Argument(metavar="POP", help="Name of the POP.")]

Down = Annotated[
    list[str] | None,
    typer.Option("--down", metavar="POP", help="Suppose that a POP, or POOL/POP, is down; may be repeated."),
]
Drained = Annotated[
    list[str] | None,
    typer.Option("--drain", metavar="POP", help="Suppose that a POP is drained; may be repeated."),
]
Loaded = Annotated[
    list[str] | None,
    typer.Option("--load", metavar="POP=LOAD", help="Suppose a POP's load, 1 for full; may be repeated."),
]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="TIME",
        help="Suppose another time: RFC 3339, or 2h for two hours from now. Drains end, loads grow old.",
    ),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        from gslb._dataplane import VERSION  # noqa: PLC0415

        typer.echo(f"gslb {VERSION}")
        raise typer.Exit


@app.callback()
def gslb(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """An authoritative DNS server that steers every client to the right POP."""


@app.command()
def serve(  # noqa: PLR0917 - typer calls it by keyword
    site: Site = Path("zones"),
    listen: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDR:PORT", help="Answer DNS here, over UDP and TCP; may be repeated."),
    ] = None,
    api: Annotated[str | None, typer.Option(metavar="ADDR:PORT", help="Serve the API here.")] = None,
    state: State = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=1024, metavar="N", help="UDP threads; by default one per CPU.")
    ] = None,
    cpus: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="Keep each UDP thread on one of these CPUs, such as 2,3 or 2-5."),
    ] = None,
    identity: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Answer to id.server and NSID; by default the host name, and no NSID. Empty: nothing.",
        ),
    ] = None,
    version_text: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Answer to version.server; by default gslb and its version. Empty: nothing.",
        ),
    ] = None,
    allow_commands: Annotated[
        bool, typer.Option("--allow-commands", help="Let monitors of type command run programs.")
    ] = False,
) -> None:
    """Serve a site."""
    # Modules and a site are loaded, nothing of which is garbage: the server turns this on when it is ready.
    gc.disable()
    try:
        from gslb.cli.serve import serve as run_server  # noqa: PLC0415
        from gslb.store.directory import default_directory  # noqa: PLC0415

        run_server(
            site,
            listen or [],
            api,
            state or default_directory(),
            workers,
            cpus,
            identity,
            version_text,
            allow_commands=allow_commands,
        )
    finally:
        gc.enable()


@app.command()
def check(site: Site = Path("zones"), as_json: AsJson = False) -> None:
    """Check a site: every error and warning at once; exit status 1 on errors."""
    from gslb.cli.check import check as show  # noqa: PLC0415

    show(site, as_json=as_json)


@app.command()
def test(site: Site = Path("zones"), as_json: AsJson = False) -> None:
    """Run a site's policy tests (tests.yaml) on the engine that serves; exit status 1 when one fails."""
    from gslb.cli.test import test as run_tests  # noqa: PLC0415

    run_tests(site, as_json=as_json)


@app.command()
def status(api: Api = None, state: State = None, as_json: AsJson = False) -> None:
    """Show what is served."""
    from gslb.cli.status import status as show  # noqa: PLC0415

    show(_client(api, state), as_json=as_json)


@app.command()
def pops(api: Api = None, state: State = None, as_json: AsJson = False) -> None:
    """Show each POP's observed state, intent and verdict."""
    from gslb.cli.pops import pops as show  # noqa: PLC0415

    show(_client(api, state), as_json=as_json)


@app.command()
def drain(
    pop: PopName,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; others will read it.")],
    duration: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="How long, such as 30m, 2h or 1d12h.")
    ] = None,
    api: Api = None,
    state: State = None,
) -> None:
    """Take a POP out of answers."""
    from gslb.cli.drain import drain as do  # noqa: PLC0415

    do(_client(api, state), pop, reason=reason, duration=duration)


@app.command()
def undrain(pop: PopName, api: Api = None, state: State = None) -> None:
    """Put a drained POP back: what probes say decides again."""
    from gslb.cli.drain import undrain as do  # noqa: PLC0415

    do(_client(api, state), pop)


@app.command()
def explain(  # noqa: PLR0917 - typer calls it by keyword
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name that is asked for.")],
    client: Annotated[str, typer.Option(metavar="IP", help="The address the query comes from.")],
    rtype: Annotated[str, typer.Argument(metavar="TYPE", help="The type that is asked for.")] = "A",
    subnet: Annotated[
        str | None, typer.Option(metavar="NETWORK", help="EDNS Client Subnet, such as 192.0.2.0/24.")
    ] = None,
    down: Down = None,
    drained: Drained = None,
    load: Loaded = None,
    at: At = None,
    api: Api = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Show why a client gets the answer it gets, or would get if."""
    from gslb.cli.explain import explain as show  # noqa: PLC0415
    from gslb.cli.what_if import what_if  # noqa: PLC0415

    show(
        _client(api, state),
        name,
        rtype,
        address=client,
        subnet=subnet,
        what_if=what_if(down, drained, load, at),
        as_json=as_json,
    )


@app.command()
def simulate(  # noqa: PLR0917 - typer calls it by keyword
    down: Down = None,
    drained: Drained = None,
    load: Loaded = None,
    at: At = None,
    countries: Annotated[
        int, typer.Option(min=0, max=300, metavar="N", help="Countries shown for each POP.")
    ] = 5,
    api: Api = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Show what a drain or failure would do to each POP's load, by recent demand. Changes nothing."""
    from gslb.cli.simulate import simulate as show  # noqa: PLC0415
    from gslb.cli.what_if import what_if  # noqa: PLC0415

    show(_client(api, state), what_if(down, drained, load, at), countries=countries, as_json=as_json)


@app.command()
def reload(api: Api = None, state: State = None) -> None:
    """Load the site directory anew, all or nothing."""
    from gslb.cli.reload import reload as do  # noqa: PLC0415

    do(_client(api, state))


geo_app = typer.Typer(no_args_is_help=True, help="Geo databases.")
app.add_typer(geo_app, name="geo")


@geo_app.command("diff")
def geo_diff(  # noqa: PLR0917 - typer calls it by keyword
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A geo database, or a directory of some.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="What would take its place.")],
    site: Site = Path("zones"),
    limit: Annotated[
        int, typer.Option(min=0, max=100, metavar="N", help="Example networks shown of each move.")
    ] = 3,
    api: Api = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Show which networks, and what share of recent demand, a new geo database moves to other POPs."""
    from gslb.cli.geo import diff as show  # noqa: PLC0415

    show(_client(api, state), old, new, site, limit=limit, as_json=as_json)


import_app = typer.Typer(no_args_is_help=True, help="Convert another server's configuration to a site.")
app.add_typer(import_app, name="import")


@import_app.command()
def gdnsd(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="gdnsd's configuration directory, with config and zones.")
    ],
    out: Annotated[Path, typer.Option(metavar="SITE", help="The site directory to make.")],
    force: Annotated[bool, typer.Option("--force", help="Replace what SITE holds.")] = False,
) -> None:
    """Convert a gdnsd 3 configuration; exit status 1 if something could not be carried over."""
    from gslb.cli.import_ import gdnsd as do  # noqa: PLC0415

    do(directory, out, force=force)


def _client(api: str | None, state: Path | None) -> Client:
    from gslb.cli.client import Client  # noqa: PLC0415

    return Client(api, state)


def run() -> None:
    """The entry point of the ``gslb`` command."""
    app()
