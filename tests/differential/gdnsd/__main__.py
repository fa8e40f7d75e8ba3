"""The long form: ``python -m tests.differential.gdnsd --seed 1 --rounds 10 --clients 100``."""

from __future__ import annotations

import argparse
import runpy
import signal
import sys
import tempfile
from pathlib import Path

from tests.differential.gdnsd.compare import Report, run_round
from tests.differential.gdnsd.servers import installed

ROOT = Path(__file__).parents[3]


def main() -> int:
    """Exit status 0 where all agrees or is known, 1 where not, 2 where gdnsd is missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential.gdnsd", description=__doc__)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--rounds", type=int, default=10, help="each with a configuration of its own")
    parser.add_argument(
        "--clients", type=int, default=100, help="clients that ask for each name in each state"
    )
    arguments = parser.parse_args()
    if not installed():
        sys.stderr.write("gdnsd is not installed\n")
        return 2
    report = Report()
    with tempfile.TemporaryDirectory(prefix="gdnsd-databases-") as databases:
        runpy.run_path(str(ROOT / "geo_fixtures" / "build.py"))["build"](Path(databases))
        for index in range(arguments.rounds):
            seed = f"{arguments.seed}:{index}"
            networks = ROOT / "geo_fixtures" / "networks.yaml"
            run_round(seed, Path(databases), networks, report, clients=arguments.clients)
    sys.stdout.write(report.text())
    return int(bool(report.unknown))


# Leave through the context managers, so that the daemons end with us.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
sys.exit(main())
