"""Serves the example site with five small local HTTP backends that play its POPs: what ``make run`` runs.

Options are passed on to ``gslb serve``. The backends end with the server.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from gslb.config.loader import load_steering

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
BACKENDS = {"fra": 8101, "ams": 8102, "iad": 8103, "sfo": 8104, "sin": 8105}

WELCOME = """
{ready}

Zones, from zones/ (read its README.md to learn the format):
{zones}
Steered names:
{names}
Backends that play the POPs (kill one and watch it leave the answers):
{backends}

Try:
  dig @{address} -p {port} www.example.com A +subnet=192.0.2.0/24
  .venv/bin/gslb drain fra --reason "trying it out"; .venv/bin/gslb pops
  .venv/bin/gslb explain www.example.com A --client 192.0.2.1
"""


def welcome(line: str, pids: dict[str, int]) -> str:
    """What to tell the user, from the line that says the server is ready."""
    address, _, port = line.split("dns ")[1].split(maxsplit=1)[0].rpartition(":")
    steering, _ = load_steering(Path("zones"))
    rows = {
        "zones": [f"  {path.stem}  {path}" for path in sorted(Path("zones").rglob("*.zone"))],
        "names": [
            f"  {name.name:24} "
            + (f"pool {name.pool}, policy {name.policy}" if name.pool else f"reflects {name.reflect}")
            for name in steering.names
        ],
        "backends": [f"  {pop}  http://127.0.0.1:{BACKENDS[pop]}/  pid {pid}" for pop, pid in pids.items()],
    }
    lists = {key: "\n".join(lines) for key, lines in rows.items()}
    return WELCOME.format(ready=line.strip(), address=address.strip("[]"), port=port, **lists)


def main() -> int:
    """Start everything, say what to try, wait for the server."""
    os.chdir(ROOT)
    backends = {
        pop: subprocess.Popen([sys.executable, str(ROOT / "deploy/example/backend.py"), pop, str(port)])
        for pop, port in BACKENDS.items()
    }
    server = subprocess.Popen(
        [str(BIN / "gslb"), "serve", "zones", *sys.argv[1:]], stdout=subprocess.PIPE, text=True
    )
    # Ctrl-C reaches the whole group: the server stops by itself, and this waits for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        if line:
            print(welcome(line, {pop: backend.pid for pop, backend in backends.items()}), flush=True)
        return server.wait()
    finally:
        for process in (server, *backends.values()):
            process.terminate()


if __name__ == "__main__":
    sys.exit(main())
