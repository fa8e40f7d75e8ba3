"""Measure what happens to answers, and how soon answers follow, while gslb is changed, reloaded and kept busy.

  bench/live.py SCENARIO... [--out results.json] [--quick]

Scenarios: change, reload, drain, flip, workers, control; all when none is named. Prints JSON. See README.md.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from scenarios import changes, control, drains, flips, reloads, workers
from scenarios.data import make_data
from scenarios.load import generator
from scenarios.machine import Cores, to_core

SCENARIOS = {
    "change": changes.measure,
    "reload": reloads.measure,
    "drain": drains.measure,
    "flip": flips.measure,
    "workers": workers.measure,
    "control": control.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    parser.add_argument("--out", type=Path, help="write the results here too")
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the repetitions: to see that it works"
    )
    parser.add_argument("--reserved", action="store_true", help="workers go before all else on their cores")
    options = parser.parse_args()
    unknown = set(options.scenarios) - set(SCENARIOS)
    if unknown:
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    make_data()
    generator()
    cores = Cores.of_this_machine(reserved=options.reserved)
    # Nothing of the benchmark is to stray onto the worker's core.
    to_core(0, cores.control)
    results = {}
    for name in options.scenarios or SCENARIOS:
        begun = time.monotonic()
        results[name] = SCENARIOS[name](cores, quick=options.quick)
        print(f"# {name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
        if options.out:
            options.out.write_text(json.dumps(results, indent=1))
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
