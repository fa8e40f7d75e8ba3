"""Makes the data of the benchmarks once."""

from __future__ import annotations

import subprocess
import sys

from .machine import BENCH, DATA, WORK


def make_data() -> None:
    """Zones, a geo database and queries in ``bench/work/data``, unless they are there."""
    made = DATA / "made"
    if not made.exists():
        WORK.mkdir(exist_ok=True)
        subprocess.run([sys.executable, str(BENCH / "mkdata.py"), str(DATA)], check=True)
        made.touch()
