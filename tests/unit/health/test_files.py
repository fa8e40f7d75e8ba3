from __future__ import annotations

import asyncio
import os
import threading

import pytest

from gslb.health import files
from gslb.health.files import FileProber, parse_states
from gslb.health.probes import ProbeTarget
from gslb.model.site import Monitor
from tests.unit.fakes import FakeClock


def monitor(path, **settings):
    return Monitor(name="m", type="file", file=str(path), **settings)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def prober(clock):
    prober = FileProber(clock)
    yield prober
    await prober.close()


async def ask(prober, path, host="192.0.2.1", **settings):
    result = await prober.probe(monitor(path, **settings), ProbeTarget(host, 0))
    return result.success, result.reason


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("", {}),
        ("# nobody\n\n; nothing\n", {}),
        ("192.0.2.1 => UP\n192.0.2.2 => DOWN # why\n", {"192.0.2.1": True, "192.0.2.2": False}),
        ("192.0.2.1 => UP/300, 192.0.2.2 = down/0,", {"192.0.2.1": True, "192.0.2.2": False}),
        (
            '"2001:DB8:0::1" => "UP/60"\nLB01.Example.com. => Up\r\n',
            {"2001:db8::1": True, "lb01.example.com": True},
        ),
        ("a => UP\na => DOWN\n", {"a": False}),
    ],
)
def test_a_file_is_what_extfile_reads(text, states):
    assert parse_states(text) == (states, 0)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a => UP\nb => MAYBE\n", 2),
        ("a UP\n", 1),
        ("a =>\n", 1),
        ("a => UP\n\n\n{ b => UP }\n", 4),
        ("a => UP/x\n", 1),
        ("a => UP/12345678901\n", 1),
        ("\0", 1),
    ],
)
def test_a_file_that_cannot_be_read_whole_says_nothing(text, line):
    assert parse_states(text) == ({}, line)


async def test_the_state_in_the_file_is_the_result(prober, tmp_path):
    path = tmp_path / "states"
    path.write_text("192.0.2.1 => UP\n2001:db8::1 => DOWN\nwww.cdn.example. => DOWN\n")
    assert await ask(prober, path) == (True, f"{path} says up")
    assert await ask(prober, path, "2001:db8::1") == (False, f"{path} says down")
    assert (await ask(prober, path, "www.cdn.example."))[0] is False


@pytest.mark.parametrize(("missing", "success"), [("up", True), ("down", False), ("unknown", None)])
async def test_what_the_file_lacks_counts_as_declared(prober, tmp_path, missing, success):
    path = tmp_path / "states"
    path.write_text("192.0.2.2 => UP\n")
    found, reason = await ask(prober, path, missing=missing)
    assert found is success
    assert reason.startswith(f"192.0.2.1 is not in {path}: ")


async def test_a_file_that_changes_is_read_anew_once_for_all(prober, clock, tmp_path, monkeypatch):
    path = tmp_path / "states"
    path.write_text("192.0.2.1 => UP\n")
    reads = []
    read = files.read_states
    monkeypatch.setattr(files, "read_states", lambda *arguments: reads.append(arguments) or read(*arguments))
    assert {one[0] for one in await asyncio.gather(*(ask(prober, path) for _ in range(50)))} == {True}
    assert len(reads) == 1
    path.with_name("next").write_text("192.0.2.1 => DOWN\n")
    path.with_name("next").replace(path)
    assert (await ask(prober, path))[0] is True
    await clock.advance(1)
    assert (await ask(prober, path))[0] is False
    await clock.advance(1)
    assert (await ask(prober, path))[0] is False
    assert len(reads) == 3


async def test_without_a_file_that_can_be_read_there_is_no_result(prober, clock, tmp_path, monkeypatch):
    path = tmp_path / "states"
    assert await ask(prober, path) == (None, f"{path} cannot be read: no such file or directory")
    for make, words in (
        (lambda: path.write_text("x\n"), f"{path}:1: a line must be"),
        (lambda: (path.unlink(), os.mkfifo(path)), "is no file"),
        (lambda: (path.unlink(), path.mkdir()), "is no file"),
    ):
        make()
        await clock.advance(1)
        success, reason = await ask(prober, path, missing="down")
        assert success is None
        assert words in reason
    path.rmdir()
    path.write_text("192.0.2.1 => UP\n")
    await clock.advance(1)
    assert (await ask(prober, path))[0] is True
    monkeypatch.setattr(files, "MAXIMUM_OCTETS", 4)
    path.write_text("192.0.2.1 => DOWN\n")
    await clock.advance(1)
    assert await ask(prober, path) == (None, f"{path} is larger than 4 octets")


async def test_a_reading_that_hangs_holds_up_nobody_else_and_is_not_repeated(prober, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.write_text("192.0.2.1 => UP\n")
    release = threading.Event()
    hung = []
    read = files.read_states

    def hang(path, known):
        if path == "/hangs":
            hung.append(path)
            release.wait(20)
        return read(path, known)

    monkeypatch.setattr(files, "read_states", hang)
    try:
        for _ in range(3):
            assert await ask(prober, "/hangs", timeout=0.05) == (None, "/hangs cannot be read within 0.05s")
        assert hung == ["/hangs"]
        assert (await ask(prober, other))[0] is True
    finally:
        release.set()


async def test_files_that_nobody_asks_for_are_forgotten(prober, clock, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text("192.0.2.1 => UP\n")
        await ask(prober, tmp_path / name)
        await clock.advance(files.FORGET_SECONDS)
    await ask(prober, tmp_path / "c")
    assert set(prober._files) == {str(tmp_path / "c")}
