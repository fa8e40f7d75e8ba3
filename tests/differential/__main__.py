"""The long form: ``python -m tests.differential --seed 1 --zones 100 --queries 1000``."""

from __future__ import annotations

import argparse
import signal
import sys

from tests.differential.run import Report, run_round
from tests.differential.servers import CONFIGURE, ServerFailedError, installed


def main() -> int:
    """Exit status 0 where all agrees, 1 where not, 2 where a server is missing or does not start."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--zones", type=int, default=20, help="rounds, each with zones of its own")
    parser.add_argument("--round", help="only the round of this seed, such as 1:9, which an example names")
    parser.add_argument("--queries", type=int, default=1000, help="queries of each round")
    parser.add_argument("--servers", default="nsd,knot,bind")
    parser.add_argument(
        "--full", action="store_true", help="NSD and BIND add what is optional (minimal-responses: no)"
    )
    parser.add_argument("--examples", type=int, default=10, help="examples printed")
    arguments = parser.parse_args()
    servers = arguments.servers.split(",")
    for server in servers:
        if server not in CONFIGURE:
            parser.error(f"--servers: {server} is none of {', '.join(CONFIGURE)}")
        if not installed(server):
            sys.stderr.write(f"{server} is not installed; leave it out with --servers\n")
            return 2
    report = Report()
    failed = False
    seeds = [f"{arguments.seed}:{index}" for index in range(arguments.zones)]
    for seed in [arguments.round] if arguments.round else seeds:
        try:
            run_round(seed, servers, arguments.queries, report, minimal=not arguments.full)
        except ServerFailedError as error:
            sys.stderr.write(f"seed {seed}: {error}\n")
            failed = True
    sys.stdout.write(report.text(arguments.examples))
    if failed:
        return 2
    bad = report.strict_failures() or report.sockets_differ
    return int(bool(bad) or report.sections_agree < 0.999 * report.queries)


# Leave through the context managers, so that the daemons end with us.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
sys.exit(main())
