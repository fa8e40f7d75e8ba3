#!/usr/bin/env python3
"""Measure gslb beside the peers that are installed, in one run, and print CPU per answer over the null server.

  bench/run.py [--workloads static,mixed,geo,steer] [--peers gdnsd,knot,nsd] [--reps 5] [--secs 3] [--databases DIR]

Makes its data in bench/work once. See README.md for what the figures mean.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORK = HERE / "work"
DAEMONS = {"gdnsd": "gdnsd", "knot": "knotd", "nsd": "nsd", "bind": "named", "pdns": "pdns_server"}


def medians(results: list[dict], field: str) -> dict[tuple[str, str], float]:
    return {
        (row["workload"], row["server"]): statistics.median(run[field] for run in row["runs"] if field in run)
        for row in results
        if any(field in run for run in row["runs"])
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--workloads", default="static,mixed,geo")
    parser.add_argument("--peers", default="gdnsd,knot,nsd")
    parser.add_argument("--reps", type=int, default=5)
    parser.add_argument("--secs", type=float, default=3)
    parser.add_argument(
        "--databases",
        type=Path,
        help="folder of country.mmdb and city.mmdb, for steer-country and steer-city",
    )
    options = parser.parse_args()
    data = WORK / "data"
    made = data / "made"
    if not made.exists():
        WORK.mkdir(exist_ok=True)
        subprocess.run([sys.executable, str(HERE / "mkdata.py"), str(data)], check=True)
        made.touch()
    for name in ("country.mmdb", "city.mmdb"):
        if options.databases and not (data / name).exists():
            (data / name).symlink_to(options.databases.resolve() / name)
    if "steer-5m" in options.workloads.split(",") and not (data / "5m.mmdb").exists():
        subprocess.run([sys.executable, str(HERE / "mkmmdb.py"), str(data / "5m.mmdb")], check=True)
    peers = [peer for peer in options.peers.split(",") if peer]
    missing = [peer for peer in peers if not shutil.which(DAEMONS.get(peer, peer))]
    for peer in missing:
        print(f"# {peer} is not installed: no row", file=sys.stderr)
    servers = ["null-mmsg", *(peer for peer in peers if peer not in missing)]
    out = WORK / "results.json"
    subprocess.run(
        [
            sys.executable,
            str(HERE / "peers.py"),
            "--data",
            str(data),
            "--work",
            str(WORK / "peers"),
            "--servers",
            ",".join(servers),
            "--workloads",
            options.workloads,
            "--reps",
            str(options.reps),
            "--secs",
            str(options.secs),
            "--out",
            str(out),
            "--own",
            "gslb",
            "--own-cmd",
            f"{HERE / 'serve-peer'} {{workload}} {{port}} {{data}} {{run}}",
        ],
        check=True,
    )
    results = json.loads(out.read_text())
    cpu, rate = medians(results, "cpu_us"), medians(results, "qps")
    memory, start = medians(results, "rss_after_mb"), medians(results, "start_s")
    null = cpu.get(("static", "null-mmsg"))
    print("\n| workload | server | CPU µs/answer | over null | q/s | memory MB | first answer s |")
    print("|---|---|---|---|---|---|---|")
    for (workload, server), value in cpu.items():
        over = f"{value - null:.2f}" if null else "-"
        print(
            f"| {workload} | {server} | {value:.2f} | {over} | {rate[workload, server]:,.0f} "
            f"| {memory[workload, server]:.1f} | {start[workload, server]:.2f} |"
        )


if __name__ == "__main__":
    main()
