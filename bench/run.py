#!/usr/bin/env python3
"""Measure gslb beside the peers that are installed, in one run, and print CPU per answer over the null server.

  bench/run.py [--workloads static,mixed,geo,steer] [--peers gdnsd,knot,nsd] [--reps 5] [--secs 3] [--databases DIR]

Makes its data in bench/work once. See README.md for what the figures mean.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

from scenarios.data import make_data
from scenarios.goals import NULL, medians
from scenarios.machine import BENCH, DATA, WORK

DAEMONS = {"gdnsd": "gdnsd", "knot": "knotd", "nsd": "nsd", "bind": "named", "pdns": "pdns_server"}
PEERS = "gdnsd,knot,nsd"


def measure(workloads: str, peers: str, reps: int, secs: float, out: Path) -> list[dict]:
    """What ``peers.py`` writes for these workloads; the peers are those of ``peers`` that are installed."""
    make_data()
    if "steer-5m" in workloads.split(",") and not (DATA / "5m.mmdb").exists():
        subprocess.run([sys.executable, str(BENCH / "mkmmdb.py"), str(DATA / "5m.mmdb")], check=True)
    if "tcp" in workloads.split(",") and not shutil.which("dnsperf"):
        print("# dnsperf is not installed: no tcp", file=sys.stderr)
        workloads = ",".join(workload for workload in workloads.split(",") if workload != "tcp")
    wanted = [peer for peer in peers.split(",") if peer]
    missing = [peer for peer in wanted if not shutil.which(DAEMONS.get(peer, peer))]
    for peer in missing:
        print(f"# {peer} is not installed: no row", file=sys.stderr)
    servers = ["null-mmsg", *(peer for peer in wanted if peer not in missing)]
    command = [sys.executable, str(BENCH / "peers.py"), "--data", str(DATA), "--work", str(WORK / "peers")]
    command += ["--servers", ",".join(servers), "--workloads", workloads]
    command += ["--reps", str(reps), "--secs", str(secs), "--out", str(out), "--own", "gslb"]
    command += ["--own-cmd", f"{BENCH / 'serve-peer'} {{workload}} {{port}} {{data}} {{run}}"]
    subprocess.run(command, check=True)
    return json.loads(out.read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--workloads", default="static,mixed,geo")
    parser.add_argument("--peers", default=PEERS)
    parser.add_argument("--reps", type=int, default=5)
    parser.add_argument("--secs", type=float, default=3)
    parser.add_argument(
        "--databases",
        type=Path,
        help="folder of country.mmdb and city.mmdb, for steer-country and steer-city",
    )
    options = parser.parse_args()
    make_data()
    for name in ("country.mmdb", "city.mmdb"):
        if options.databases and not (DATA / name).exists():
            (DATA / name).symlink_to(options.databases.resolve() / name)
    results = measure(options.workloads, options.peers, options.reps, options.secs, WORK / "results.json")
    cpu, rate = medians(results, "cpu_us"), medians(results, "qps")
    memory, start = medians(results, "rss_after_mb"), medians(results, "start_s")
    null = cpu.get(NULL)
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
