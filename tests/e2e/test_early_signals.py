"""Signals to a server that still loads its site."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.e2e.server import environment
from tests.e2e.waiting import PATIENCE

LOADS_FOR_EVER = """
import threading
from gslb import publish

def prepare_site(*_):
    print("loading", flush=True)
    threading.Event().wait()

publish.prepare_site = prepare_site
from gslb.cli.main import run
run()
"""


@pytest.fixture
def loading(tmp_path, site):
    """A server whose site is about to be loaded, and never will be."""
    arguments = ["serve", str(site.path), "--state", str(tmp_path / "state")]
    arguments += ["--listen", "127.0.0.1:0", "--api", "127.0.0.1:0"]
    with subprocess.Popen(
        [sys.executable, "-c", LOADS_FOR_EVER, *arguments],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout.readline() == "loading\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_loads_ends_at_once_and_well(loading, number):
    loading.send_signal(number)
    output, errors = loading.communicate(timeout=PATIENCE)
    assert (loading.returncode, output) == (0, "")
    (line,) = errors.splitlines()
    assert '"stopping before the site was loaded"' in line


def test_a_hangup_does_not_end_a_server_that_loads(loading):
    loading.send_signal(signal.SIGHUP)
    loading.send_signal(signal.SIGTERM)
    loading.communicate(timeout=PATIENCE)
    assert loading.returncode == 0
