"""Commands against a real API over a data plane that is not one."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from typer.testing import CliRunner

from gslb.cli.main import app
from gslb.cli.output import clean
from gslb.errors import SiteError
from gslb.model.finding import Finding, Place, Severity
from gslb.steering.demand import Cell
from gslb.store.directory import write_api_url
from tests.unit.api.conftest import TOKEN, Server


class Cli:
    """Runs commands in a thread, as the server needs the event loop."""

    def __init__(self, state, url):
        self.state, self.url = state, url
        (state / "token").write_text(TOKEN + "\n")
        (state / "token").chmod(0o600)
        write_api_url(state, url)

    async def run(self, *arguments, env=None, state=True):
        options = ["--state", str(self.state)] if state else []
        environment = {"GSLB_TOKEN": None, "GSLB_API": None, "GSLB_STATE": None, "STATE_DIRECTORY": None}
        runner = CliRunner()
        return await asyncio.to_thread(
            runner.invoke, app, [*arguments, *options], env={**environment, **(env or {})}
        )


@pytest.fixture
async def server(tmp_path):
    (tmp_path / "data").mkdir()
    server = Server()
    with capture_logs():  # the runner takes over standard output of the whole process, the server's too
        await server.start(tmp_path / "data")
        yield server
        await server.stop()


@pytest.fixture
def cli(server, tmp_path):
    (tmp_path / "state").mkdir()
    return Cli(tmp_path / "state", str(server.client.make_url("/")))


async def test_pops_are_columns_that_scripts_can_take_apart(cli, server):
    await cli.run("drain", "sin", "--reason", "cable")
    server.operations.set_loads({"fra": 0.8, "ams": 0.5})
    server.operations.set_load("fra", 0.78)
    result = await cli.run("pops")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["POP", "OBSERVED", "INTENT", "VERDICT", "LOAD", "TITLE", "NOTE"]
    assert lines[1].split()[:2] == ["fra", "unknown"]
    rows = {line.split()[0]: line for line in lines[1:]}
    assert "serving 2/2" in rows["fra"]
    assert "  0.80 (reported 0.78)  " in rows["fra"]
    assert "  0.50  " in rows["ams"]
    assert "drained" in rows["sin"]
    assert "cable" in rows["sin"]
    assert rows["idle"].split() == ["idle", "-", "serve", "unused", "-", "-", "-"]
    document = json.loads((await cli.run("pops", "--json")).stdout)
    assert [pop["name"] for pop in document["pops"]] == ["fra", "ams", "sin", "idle"]


async def test_which_monitor_failed_is_said(cli, server):
    site = server.publisher.site
    ssh = site.monitors[0].model_copy(update={"name": "ssh", "port": 22})
    web = site.pools[0].model_copy(update={"monitors": ("http", "ssh")})
    server.publisher.site = site.model_copy(
        update={"monitors": (*site.monitors, ssh), "pools": (web, *site.pools[1:])}
    )
    await cli.run("reload")
    server.prober.failing = {"192.0.2.1:22", "192.0.2.2:22", "192.0.2.2:80"}
    await server.clock.advance(40)
    rows = {line.split()[0]: line for line in (await cli.run("pops")).stdout.splitlines()}
    assert rows["fra"].endswith("down by ssh 1")
    assert rows["ams"].endswith("down by http 1, ssh 1")
    assert rows["sin"].endswith("  -")
    assert "2 down, 1 unknown (down by http 1, ssh 2)" in (await cli.run("status")).stdout
    fra = json.loads((await cli.run("pops", "--json")).stdout)["pops"][0]
    assert (fra["observed"], fra["failing"]) == ({"up": 0, "down": 1, "unknown": 1}, {"ssh": 1})


async def test_why_monitors_have_no_result_is_said(cli, server):
    site = server.publisher.site
    deep = site.monitors[0].model_copy(update={"name": "deep"})
    web = site.pools[0].model_copy(update={"monitors": ("http", "deep")})
    server.publisher.site = site.model_copy(
        update={"monitors": (*site.monitors, deep), "pools": (web, *site.pools[1:])}
    )
    server.prober.reasons = {"deep": "this server runs no commands: start it with --allow-commands"}
    await cli.run("reload")
    await server.clock.advance(40)
    rows = {line.split()[0]: line for line in (await cli.run("pops")).stdout.splitlines()}
    note = "no result by deep 1: this server runs no commands: start it with --allow-commands"
    assert rows["fra"].endswith(f"  {note}")
    assert rows["idle"].endswith("  -")
    fra = json.loads((await cli.run("pops", "--json")).stdout)["pops"][0]
    assert fra["without_result"] == [
        {"monitor": "deep", "reason": server.prober.reasons["deep"], "endpoints": 1}
    ]


async def test_status_counts_and_names_drains_and_a_failed_reload(cli, server):
    await cli.run("drain", "sin", "--reason", "cable", "--for", "2h")
    server.publisher.fails = SiteError(
        [Finding("zone-syntax", Severity.ERROR, Place("a.zone", 3), "bad TTL")]
    )
    failed = await cli.run("reload")
    assert failed.exit_code == 1
    assert "a.zone:3: bad TTL [zone-syntax]" in failed.stderr
    result = await cli.run("status")
    assert result.exit_code == 0
    assert "sin is drained until 2026-03-01 14:00:00Z: cable" in result.stdout
    assert "1 with 4 records" in result.stdout
    assert "bad TTL" in result.stderr
    assert json.loads((await cli.run("status", "--json")).stdout)["zones"] == 1


async def test_status_says_of_many_errors_the_first_and_how_many_more(cli, server):
    lines = (3, 4, 5)
    server.publisher.fails = SiteError(
        [Finding("zone-syntax", Severity.ERROR, Place("a.zone", line), "bad TTL") for line in lines]
    )
    await cli.run("reload")
    result = await cli.run("status")
    assert result.stderr.endswith("a.zone:3: error: bad TTL [zone-syntax] (and 2 more: see the log)\n")
    assert result.stderr.count("\n") == 1


async def test_very_many_errors_and_warnings_are_counted(cli, server):
    found = [
        Finding("zone-syntax", Severity.ERROR, Place("a.zone", line), "bad") for line in range(1, 20_001)
    ]
    server.publisher.fails = SiteError(found)
    refused = (await cli.run("reload")).stderr.splitlines()
    assert (len(refused), refused[1]) == (102, "  a.zone:1: bad [zone-syntax]")
    assert refused[-1] == "  … and 19900 more: gslb check shows all"
    status = await cli.run("status")
    assert status.stderr.endswith("bad [zone-syntax] (and more than 99 more: gslb check shows all)\n")
    server.publisher.fails = None
    server.publisher.findings = [replace(finding, severity=Severity.WARNING) for finding in found]
    warned = (await cli.run("reload")).stderr.splitlines()
    assert (len(warned), warned[0]) == (101, "warning: a.zone:1: bad [zone-syntax]")
    assert warned[-1] == "warning: … and 19900 more: gslb check shows all"


def test_the_version_is_that_of_the_package():
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"gslb {version('gslb')}\n")


async def test_drain_and_undrain(cli, server):
    result = await cli.run("drain", "fra", "--reason", "cable", "--for", "2h")
    assert (result.exit_code, result.stdout) == (
        0,
        "fra is drained until 2026-03-01 14:00:00Z (generation 2)\n",
    )
    assert "warning: pool mail has no serving endpoint left" in result.stderr
    assert server.operations.pop("fra").pop.drain.author not in ("", "api")
    again = await cli.run("drain", "fra", "--reason", "longer")
    assert "was drained already; now until `gslb undrain fra`" in again.stdout
    assert "no longer drained" in (await cli.run("undrain", "fra")).stdout
    assert "was not drained; nothing changed" in (await cli.run("undrain", "fra")).stdout


async def test_a_drain_needs_a_reason(cli):
    assert (await cli.run("drain", "fra")).exit_code == 2


async def test_a_bad_duration_is_refused_by_the_server(cli):
    result = await cli.run("drain", "fra", "--reason", "x", "--for", "soon")
    assert result.exit_code == 1
    assert "must be a duration such as 10s, 500ms, 2m or 1h30m, not 'soon'" in result.stderr


@pytest.mark.parametrize("pop", ["frx", "a/../b", "?", "%2e"])
async def test_an_unknown_pop_lists_the_known_ones(cli, pop):
    result = await cli.run("drain", pop, "--reason", "x")
    assert result.exit_code == 1
    assert f"no POP is named '{pop}'" in result.stderr
    assert "ams, fra, idle, sin" in result.stderr
    if pop == "frx":
        assert "did you mean 'fra'?" in result.stderr


async def test_reload_says_what_is_served(cli):
    result = await cli.run("reload")
    assert result.exit_code == 0
    assert result.stdout.startswith("loaded 1 zones with 4 records, 4 POPs and 1 steered names in ")


async def test_a_wrong_token_is_said_and_not_shown(cli):
    result = await cli.run("pops", env={"GSLB_TOKEN": "wrong-wrong-wrong-wrong"})
    assert result.exit_code == 1
    assert "does not accept the token" in result.stderr
    assert "wrong-wrong" not in result.output


async def test_token_and_api_come_from_the_environment_too(cli, tmp_path):
    env = {"GSLB_TOKEN": TOKEN, "GSLB_API": cli.url, "GSLB_STATE": str(tmp_path / "none")}
    assert (await cli.run("pops", env=env, state=False)).exit_code == 0
    assert (await cli.run("pops", env={"STATE_DIRECTORY": str(cli.state)}, state=False)).exit_code == 0


async def test_a_server_that_is_not_running_cannot_be_reached(cli):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        result = await cli.run("pops", "--api", f"127.0.0.1:{port}")
    assert result.exit_code == 3
    assert f"cannot reach the server at http://127.0.0.1:{port}: connection refused" in result.stderr
    assert "gslb serve" in result.stderr


async def test_no_token_at_all_says_where_it_was_looked_for(tmp_path, cli):
    result = await cli.run("pops", "--state", str(tmp_path / "none"), state=False)
    assert result.exit_code == 3
    assert "none/token: no such file: name the server's state directory with --state" in result.stderr


@pytest.mark.parametrize("api", ["ftp://x", "http://", "127.0.0.1:notaport", "::"])
async def test_an_api_address_that_cannot_be_is_a_usage_error(cli, api):
    result = await cli.run("pops", "--api", api)
    assert result.exit_code == 2
    assert "write ADDR:PORT" in result.stderr


async def test_something_else_on_the_port_is_recognised(cli):
    async def answer(request):
        return web.Response(text="\x1b[31mhello", status=200)

    other = web.Application()
    other.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(other)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    result = await cli.run("pops", "--api", f"127.0.0.1:{runner.addresses[0][1]}")
    await runner.cleanup()
    assert result.exit_code == 3
    assert "answers, but not as gslb does" in result.stderr


async def test_control_characters_never_reach_the_terminal(cli, server):
    await server.operations.drain("fra", "\x1b[31mred\x07", "ana", None)
    result = await cli.run("pops")
    assert "\x1b" not in result.stdout
    assert "\x07" not in result.stdout


@given(st.text())
def test_clean_text_is_printable(text):
    assert clean(text).isprintable()


@pytest.mark.parametrize("modules", ["main", "client, drain, explain, main, output, pops, reload, status"])
def test_help_and_client_commands_are_quick_because_they_import_little(modules):
    code = (
        f"import sys; from gslb.cli import {modules}\n"
        "heavy = {'aiohttp', 'pydantic', 'dns', 'structlog', 'sqlite3', 'prometheus_client', 'uvloop'}\n"
        "print(sorted(heavy & set(sys.modules)), 'gslb._dataplane' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout == "[] False\n"


async def test_simulate_is_a_table_before_and_after(cli, server):
    result = await cli.run("simulate", "--drain", "fra")
    assert "demand      none seen yet" in result.stdout
    site = server.publisher.steering
    pops = tuple(pop.model_copy(update={"capacity": 5.0}) for pop in site.pops[:2])
    server.publisher.site = site.model_copy(update={"pops": (*pops, *site.pops[2:])})
    await server.operations.reload()
    cells = [(Cell("www.example.com.", 1, country, "10.0.0.1"), 30) for country in ("DE", "")]
    server.publisher.counted = [*cells, (Cell("gone.example.com.", 1, "", "10.0.0.1"), 20)]
    server.clock.elapsed += 5
    await server.operations._demand.read()
    result = await cli.run("simulate", "--drain", "fra,idle", "--load", "sin=0.5", "--countries", "1")
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["supposing", "fra,", "idle", "drained", "and", "sin", "at", "load", "0.5"]
    assert "12.00 q/s of 2 groups of clients, counted over 5s; a query counts half after 10m" in result.stdout
    assert lines[2] == ["left", "out", "25.0%", "of", "recent", "demand"]
    assert lines[4:9] == [
        ["POP", "BEFORE", "AFTER", "CHANGE", "CAPACITY", "USE"],
        ["fra", "4.00", "0.00", "-4.00", "5.00", "0%"],
        ["ams", "4.00", "6.00", "+2.00", "5.00", "120%", "overloaded"],
        ["sin", "4.00", "6.00", "+2.00", "-", "-"],
        ["idle", "0.00", "0.00", "-", "-", "-"],
    ]
    assert lines[11] == ["fra", "unknown", "2.00", "0.00", "-2.00"]
    assert "ams would get 6.00 q/s, above its capacity of 5.00" in result.stderr
    document = json.loads((await cli.run("simulate", "--json")).stdout)
    assert document["supposing"]["text"] == ""
    everything = await cli.run("simulate", "--down", "fra", "--down", "ams", "--down", "sin")
    assert "(no POP)  0.00    12.00  +12.00" in everything.stdout


async def test_suppositions_are_checked(cli):
    result = await cli.run("simulate", "--load", "fra")
    assert (result.exit_code, result.stderr) == (
        2,
        "gslb: --load must be POP=LOAD, such as fra=0.9, not 'fra'\n",
    )
    result = await cli.run("simulate", "--drain", "frq")
    assert result.exit_code == 1
    assert "no POP is named 'frq'" in result.stderr


async def test_a_drain_prints_what_it_overloads(cli, server):
    site = server.publisher.steering
    ams = site.pops[1].model_copy(update={"capacity": 5.0})
    server.publisher.site = site.model_copy(update={"pops": (site.pops[0], ams, *site.pops[2:])})
    await server.operations.reload()
    server.publisher.counted = [(Cell("www.example.com.", 1, "DE", "10.0.0.1"), 60)]
    server.clock.elapsed += 5
    await server.operations._demand.read()
    result = await cli.run("drain", "fra", "--reason", "x")
    assert result.exit_code == 0
    assert "warning: POP ams gets about 6 queries a second by recent demand, above its" in result.stderr
