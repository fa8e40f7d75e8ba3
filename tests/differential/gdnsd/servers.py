"""The two servers: gdnsd as a process, gslb as an engine on the converted site."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gslb._dataplane import DataPlane
from gslb.importers.gdnsd.run import import_gdnsd
from gslb.model.finding import Severity
from gslb.steering.compile import compile_steering
from gslb.zones.compile import compile_zone
from gslb.zones.site import inspect_site
from tests.differential.servers import Client, ServerFailedError, free_port

if TYPE_CHECKING:
    from gslb.importers.gdnsd.run import Imported
    from tests.differential.gdnsd.configuration import Made

GDNSD = "/usr/sbin/gdnsd"
START_SECONDS = 20.0
DOWN, DRAINED = 1, 2


def installed() -> bool:
    """Whether gdnsd is here."""
    return shutil.which(GDNSD) is not None


class Gdnsd:
    """gdnsd in the foreground on a free loopback port, with some states forced; ``with`` ends it."""

    def __init__(self, made: Made, directory: Path, forced: dict[str, str], probe: bytes) -> None:
        shutil.rmtree(directory, ignore_errors=True)
        (directory / "state").mkdir(parents=True)
        made.write(directory / "etc")
        self.port = free_port()
        config = directory / "etc" / "config"
        text = config.read_text().replace("@PORT@", str(self.port))
        config.write_text(
            text.replace("@RUN@", str(directory / "run")).replace("@STATE@", str(directory / "state"))
        )
        state = "".join(f'"{key}" => {value}\n' for key, value in forced.items())
        (directory / "state" / "admin_state").write_text(state)
        self.log_path = directory / "log"
        self.log = self.log_path.open("wb")
        self.process = subprocess.Popen(
            [GDNSD, "-c", str(directory / "etc"), "start"], stdout=self.log, stderr=self.log
        )
        self.client = Client(self.port)
        self._wait(probe)

    def __enter__(self) -> Gdnsd:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        self.client.close()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def _wait(self, probe: bytes) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self.client.udp_once(probe, 0.1) is None:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.log.flush()
                text = self.log_path.read_text(errors="replace")[-3000:]
                self._end()
                raise ServerFailedError(f"gdnsd does not serve:\n{text}")


class Converted:
    """gslb on the converted site, with verdicts by target."""

    def __init__(self, made: Made, directory: Path) -> None:
        source, site = directory / "source", directory / "site"
        made.write(source)
        self.imported: Imported = import_gdnsd(source, site)
        inspected = inspect_site(site)
        errors = [str(one) for one in inspected.findings if one.severity is Severity.ERROR]
        assert inspected.site is not None, errors
        self.steering = inspected.site.steering
        zones = [
            compile_zone(text, inspected.site.steered.get(text.origin, ()))
            for text in inspected.site.zone_texts
        ]
        self.endpoints = [(pool, one) for pool in self.steering.pools for one in pool.endpoints]
        self.dataplane = DataPlane(seed=1)
        self.dataplane.publish(zones, compile_steering(self.steering), bytes(len(self.endpoints)))

    def force(self, down: set[str], drained_pops: set[str]) -> None:
        """These targets are down, all of these POPs are drained."""
        verdicts = bytearray(len(self.endpoints))
        for index, (_, endpoint) in enumerate(self.endpoints):
            if (endpoint.probe or str(endpoint.address or endpoint.cname)) in down:
                verdicts[index] = DOWN
            if endpoint.pop in drained_pops:
                verdicts[index] = DRAINED
        self.dataplane.publish_verdicts(bytes(verdicts))

    def answer(self, wire: bytes) -> bytes | None:
        """The answer to a query from 127.0.0.1."""
        return self.dataplane.answer(wire, "127.0.0.1", "udp")
