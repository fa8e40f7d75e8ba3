#!/usr/bin/env python3
"""Measure how cost grows with what is served, and plot it into docs/.

  bench/curves.py [CURVE...] [--reps 3] [--most SIZE] [--plot-only]

Curves: names, zones, pops, classes, networks; all when none is named. What was measured is kept in
bench/work/curves.json, by curve; --plot-only plots that again. docs/scaling.md shows the plots.
"""

import argparse
import json
import os
import sys
from datetime import date
from pathlib import Path

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs" / "scaling"


def main() -> None:
    sys.path.insert(0, str(HERE))
    from scenarios.growth import CURVES
    from scenarios.machine import WORK

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("curves", nargs="*", metavar="CURVE", help=", ".join(CURVES))
    parser.add_argument("--reps", type=int, default=3, help="starts for each point (3)")
    parser.add_argument("--most", type=int, default=sys.maxsize, help="leave out sizes above this")
    parser.add_argument("--plot-only", action="store_true", help="plot what was measured before")
    parser.add_argument("--reserved", action="store_true", help="workers go before all else on their cores")
    options = parser.parse_args()
    unknown = set(options.curves) - set(CURVES)
    if unknown:
        parser.error(f"no curve {', '.join(sorted(unknown))}; there are {', '.join(CURVES)}")
    kept = WORK / "curves.json"
    results = json.loads(kept.read_text()) if kept.exists() else {}
    if not options.plot_only:
        for name in options.curves or CURVES:
            results[name] = measure(name, options)
            kept.write_text(json.dumps(results, indent=1))
    from scenarios.plot import plot_curves

    DOCS.mkdir(exist_ok=True)
    plot_curves(results, DOCS)


def measure(name: str, options: argparse.Namespace) -> dict:
    from scenarios.data import make_data
    from scenarios.growth import CURVES, GROWTH, null_cpu_us
    from scenarios.growth import measure as measure_curve
    from scenarios.load import generator
    from scenarios.machine import Cores, to_core

    make_data()
    generator()
    GROWTH.mkdir(exist_ok=True)
    cores = Cores.of_this_machine(reserved=options.reserved)
    before = os.sched_getaffinity(0)
    to_core(0, cores.control)
    curve = CURVES[name]
    sizes = tuple(size for size in curve.sizes if size <= options.most)
    found = measure_curve(cores, curve, sizes, options.reps)
    found |= {"null_cpu_us": null_cpu_us(cores, options.reps), "date": date.today().isoformat()}
    os.sched_setaffinity(0, before)
    return found


if __name__ == "__main__":
    main()
