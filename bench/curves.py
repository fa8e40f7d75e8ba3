"""Measure how cost grows with what is served; plot it, and write the figures into docs/scaling.md.

  bench/curves.py [CURVE...] [--reps 3] [--most SIZE] [--plot-only] [--reserved]

Curves: names, zones, pops, classes, networks; all when none is named. What was measured is kept in
bench/work/curves.json, by curve; --plot-only plots and writes that again.
"""

import argparse
import json
import sys
from datetime import date

from scenarios.data import make_data
from scenarios.growth import CURVES, GROWTH, measure, null_cpu_us
from scenarios.load import generator
from scenarios.machine import BENCH, WORK, Cores, to_core
from scenarios.plot import plot_curves
from scenarios.report import with_tables

PAGE = BENCH.parent / "docs" / "scaling.md"
KEPT = WORK / "curves.json"


def main() -> None:
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
    results = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    if not options.plot_only:
        make_data()
        generator()
        GROWTH.mkdir(exist_ok=True)
        cores = Cores.of_this_machine(reserved=options.reserved)
        to_core(0, cores.control)
        for name in options.curves or CURVES:
            sizes = tuple(size for size in CURVES[name].sizes if size <= options.most)
            found = measure(cores, CURVES[name], sizes, options.reps)
            found |= {"null_cpu_us": null_cpu_us(cores, options.reps), "date": date.today().isoformat()}
            results[name] = found
            KEPT.write_text(json.dumps(results, indent=1))
    PAGE.with_suffix("").mkdir(exist_ok=True)
    plot_curves(results, PAGE.with_suffix(""))
    PAGE.write_text(with_tables(PAGE.read_text(), results))


if __name__ == "__main__":
    main()
