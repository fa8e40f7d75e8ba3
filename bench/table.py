"""Measure everything that gslb has goals for, beside the peers that are installed, and print each with a verdict.

  bench/table.py [--reps 5] [--secs 2] [--peers gdnsd,knot,nsd] [--quick] [--reserved] [--again]

Builds the null server and the generator, makes the data, measures the workloads (peers.py) and the live scenarios
(live.py), and prints one table. --again prints that of what was measured before, in bench/work. See README.md.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from run import PEERS, measure
from scenarios.goals import live_rows, medians, peer_rows, table, workers_text
from scenarios.machine import BENCH, WORK

WORKLOADS = "static,mixed,geo,steer,load,tcp"
MEASURED, LIVE = WORK / "table-peers.json", WORK / "table-live.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--reps", type=int, default=5)
    parser.add_argument("--secs", type=float, default=2)
    parser.add_argument("--peers", default=PEERS)
    parser.add_argument(
        "--quick", action="store_true", help="one repetition, few changes: to see that it works"
    )
    parser.add_argument(
        "--reserved", action="store_true", help="live: workers go before all else on their cores"
    )
    parser.add_argument("--again", action="store_true", help="print what was measured before")
    options = parser.parse_args()
    if not options.again:
        reps = 1 if options.quick else options.reps
        measure(WORKLOADS, options.peers, reps, options.secs, MEASURED)
        command = [sys.executable, str(BENCH / "live.py"), "--out", str(LIVE)]
        command += ["--quick"] if options.quick else []
        command += ["--reserved"] if options.reserved else []
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    peers, live = _read(MEASURED, []), _read(LIVE, {})
    null = medians(peers, "cpu_us").get(("static", "null-mmsg"))
    print(
        f"\nThe null server took {null:.2f} µs for an answer.\n"
        if null
        else "\nThe null server was not measured.\n"
    )
    print(table([*peer_rows(peers), *live_rows(live)]))
    print(f"\n{workers_text(live)}")


def _read(path: Path, otherwise: list | dict) -> list | dict:
    return json.loads(path.read_text()) if path.exists() else otherwise


if __name__ == "__main__":
    main()
