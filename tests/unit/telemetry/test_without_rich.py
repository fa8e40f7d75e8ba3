"""The server starts without rich, which the other commands import all the same."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys
import gslb.cli.serve
assert "structlog" in sys.modules
assert "rich" not in sys.modules, "something imports rich on the way to the first answer"
import rich.console
import structlog.dev
assert structlog.dev.rich is None
"""


def test_serving_imports_structlog_without_rich() -> None:
    subprocess.run([sys.executable, "-c", _PROGRAM], check=True, timeout=60)
