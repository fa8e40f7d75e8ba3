"""gslb under measurement: its UDP workers alone on their cores, all else of it on the control plane's."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType

import peers
from environment import unit_environment

from . import machine
from .machine import Cores

GSLB = machine.BENCH.parent / ".venv" / "bin" / "gslb"
READY = re.compile(r"^gslb ready: dns \S+?:(\d+) .*api http://(\S+):(\d+),", re.MULTILINE)
START_SECONDS = 900.0
FIRST_ANSWER_STEP = 0.01


class Server:
    """A running gslb; a context manager. Ports are free ones, the log is ``run/log``.

    ``second_worker`` is the core of one more worker. ``first_answer_seconds`` is how long after its start it
    answered ``query``, where one is given.
    """

    def __init__(
        self,
        site: Path,
        run: Path,
        cores: Cores,
        *,
        second_worker: int | None = None,
        query: bytes | None = None,
    ) -> None:
        self.cores = cores
        worker_cores = [cores.worker] + ([] if second_worker is None else [second_worker])
        shutil.rmtree(run, ignore_errors=True)
        run.mkdir(parents=True)
        self.log = run / "log"
        command = ["taskset", "-c", str(cores.control), str(GSLB), "serve", str(site)]
        port = machine.free_port() if query else 0
        command += ["--listen", f"127.0.0.1:{port}", "--api", "127.0.0.1:0", "--state", str(run / "state")]
        command += ["--cpus", ",".join(str(core) for core in worker_cores)]
        self.started = time.monotonic()
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=unit_environment()
            )
        try:
            self.first_answer_seconds = query and peers.first_answer(
                port, query, self.process, START_SECONDS, FIRST_ANSWER_STEP
            )
            self._become_ready(run)
        except BaseException:
            peers.stop(self.process)
            raise

    def _become_ready(self, run: Path) -> None:
        while not (found := READY.search(self.log.read_text())):
            if self.process.poll() is not None:
                raise SystemExit(f"gslb ended: see {self.log}")
            if time.monotonic() > self.started + START_SECONDS:
                raise SystemExit(f"gslb is not ready after {START_SECONDS:g} s: see {self.log}")
            time.sleep(0.01)
        self.ready_seconds = time.monotonic() - self.started
        self.pid = self.process.pid
        self.port, self.api = int(found[1]), (found[2], int(found[3]))
        self.token = (run / "state" / "token").read_text().strip()
        names = machine.threads(self.pid)
        self.workers = sorted(thread for thread, name in names.items() if name.startswith("gslb-udp"))
        if self.cores.reserved:
            for thread in self.workers:
                machine.real_time(thread)
        peers.settle(self.pid)

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        peers.stop(self.process)

    def headers(self) -> dict[str, str]:
        """Of a request to the API."""
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}

    def request(self, method: str, path: str, body: object = None, seconds: float = 300.0) -> bytes:
        """The body of the API's response. Raises RuntimeError for any status but 200."""
        connection = http.client.HTTPConnection(*self.api, timeout=seconds)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), self.headers())
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise RuntimeError(f"{method} {path}: {response.status} {content[:500]!r}")
        return content

    def worker_cpu_seconds(self) -> list[float]:
        """CPU time of each UDP worker so far."""
        return [machine.thread_cpu_seconds(self.pid, thread) for thread in self.workers]

    def control_cpu_seconds(self) -> float:
        """CPU time of everything else in the process so far."""
        return machine.process_cpu_seconds(self.pid) - sum(self.worker_cpu_seconds())

    def memory_mb(self) -> dict[str, float]:
        """Resident, peak and proportional size."""
        return machine.memory_mb(self.pid)
