from __future__ import annotations

import asyncio
import os
import stat
import sys
from ast import literal_eval
from pathlib import Path

import pytest

from gslb.health import commands
from gslb.health.commands import ENVIRONMENT, NOT_ALLOWED, CommandProber
from gslb.health.probers import AnyProber
from gslb.health.probes import ProbeTarget
from gslb.model.clock import SystemClock
from gslb.model.site import Monitor

TARGET = ProbeTarget("2001:db8::1", 0)


def monitor(*command, timeout=20.0):
    return Monitor(name="m", type="command", command=command, interval=30, timeout=timeout)


def python(text, *arguments):
    return (sys.executable, "-S", "-c", text, *arguments)


@pytest.fixture
async def prober():
    prober = CommandProber(SystemClock(), allowed=True)
    yield prober
    await prober.close()


def is_gone(process):
    """Whether a process has ended; nobody may have reaped it."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


async def gone(process):
    """Whether a process has ended, within a second."""
    for _ in range(100):
        if is_gone(process):
            return True
        await asyncio.sleep(0.01)
    return False


async def written(path):
    """What a program has written into a file, once it has."""
    for _ in range(2_000):
        if path.exists() and path.read_text().endswith("\n"):
            break
        await asyncio.sleep(0.005)
    return path.read_text().split()


@pytest.mark.parametrize(
    ("command", "success", "reason"),
    [
        (("/bin/true",), True, "exit status 0"),
        (("/bin/false",), False, "exit status 1"),
        (python("import os; os._exit(7)"), False, "exit status 7"),
        (python("import os; os.kill(os.getpid(), 9)"), False, "killed by signal 9"),
    ],
)
async def test_the_exit_status_decides(prober, command, success, reason):
    result = await prober.probe(monitor(*command), TARGET)
    assert (result.success, result.reason) == (success, reason)
    assert result.seconds > 0


async def test_the_item_stands_in_each_argument_and_no_shell_reads_it(prober, tmp_path):
    path = tmp_path / "out"
    text = "import sys; open(sys.argv[1], 'w').write('|'.join(sys.argv[2:]))"
    command = python(text, str(path), "%%ITEM%%", "[%%ITEM%%]/%%ITEM%%", "$HOME; `id`", "%%item%%", "")
    assert (await prober.probe(monitor(*command), TARGET)).success
    assert path.read_text() == "2001:db8::1|[2001:db8::1]/2001:db8::1|$HOME; `id`|%%item%%|"


async def test_it_gets_nothing_of_the_server(prober, tmp_path, monkeypatch):
    monkeypatch.setenv("GSLB_TOKEN", "secret")
    path = tmp_path / "out"
    text = (
        "import os, sys\n"
        "files = [os.readlink(f'/proc/self/fd/{n}') for n in (0, 1, 2)]\n"
        "more = [n for n in os.listdir('/proc/self/fd') if int(n) > 3]\n"
        "alone = os.getsid(0) == os.getpgid(0) == os.getpid()\n"
        "open(sys.argv[1], 'w').write(repr((dict(os.environ), os.getcwd(), files, more, alone)))\n"
    )
    with (tmp_path / "held").open("w") as held:
        os.set_inheritable(held.fileno(), True)
        assert (await prober.probe(monitor(*python(text, str(path))), TARGET)).success
    environment, directory, files, more, alone = literal_eval(path.read_text())
    assert environment.items() >= ENVIRONMENT.items()
    assert set(environment) - set(ENVIRONMENT) <= {"LC_CTYPE"}
    assert (directory, set(files), more, alone) == ("/", {"/dev/null"}, [], True)


@pytest.mark.parametrize("output", ["stdout", "stderr"])
async def test_output_without_end_is_thrown_away(prober, output):
    text = f"import sys\nfor _ in range(2000): sys.{output}.write('x' * 10000)"
    assert (await prober.probe(monitor(*python(text)), TARGET)).reason == "exit status 0"


FORKING = (
    "import os, sys, time\n"
    "child = os.fork()\n"
    "if child: open(sys.argv[1], 'w').write(f'{os.getpid()} {child}\\n')\n"
    "if child and sys.argv[2] == 'leave': os._exit(0)\n"
    "time.sleep(60)\n"
)


async def test_a_timeout_ends_the_whole_group(prober, tmp_path):
    path = tmp_path / "out"
    probing = asyncio.create_task(
        prober.probe(monitor(*python(FORKING, str(path), "stay"), timeout=2.0), TARGET)
    )
    leader, child = await written(path)
    result = await probing
    assert (result.success, result.reason) == (False, "timeout after 2s")
    assert await gone(leader)
    assert await gone(child)


async def test_what_a_program_leaves_behind_is_ended(prober, tmp_path):
    path = tmp_path / "out"
    result = await prober.probe(monitor(*python(FORKING, str(path), "leave")), TARGET)
    assert result.success
    assert all([await gone(process) for process in path.read_text().split()])


async def test_a_probe_that_is_cancelled_ends_its_program(prober, tmp_path):
    path = tmp_path / "out"
    probing = asyncio.create_task(prober.probe(monitor(*python(FORKING, str(path), "stay")), TARGET))
    processes = await written(path)
    probing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probing
    assert all([await gone(process) for process in processes])


async def test_what_cannot_be_run_says_nothing_of_the_target(prober, tmp_path, monkeypatch):
    missing = await prober.probe(monitor("/nonexistent/check"), TARGET)
    assert (missing.success, missing.reason) == (
        None,
        "/nonexistent/check cannot be run: no such file or directory",
    )
    program = tmp_path / "check"
    program.write_text("no program\n")
    program.chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert (await prober.probe(monitor(str(program)), TARGET)).success is None

    def refuse(process):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(commands.os, "pidfd_open", refuse)
    refused = await prober.probe(monitor(*python("import time; time.sleep(60)")), TARGET)
    assert (refused.success, refused.reason.split(": ")[1]) == (None, "too many open files")


async def test_nothing_runs_unless_it_is_allowed(tmp_path):
    path = tmp_path / "out"
    prober = AnyProber(SystemClock(), allow_commands=False)
    result = await prober.probe(monitor("/usr/bin/touch", str(path)), TARGET)
    assert (result.success, result.reason) == (None, NOT_ALLOWED)
    assert not path.exists()
    await prober.close()
    prober = AnyProber(SystemClock(), allow_commands=True)
    assert (await prober.probe(monitor("/usr/bin/touch", str(path)), TARGET)).success
    assert path.exists()
    await prober.close()
