"""Service types as monitors: gdnsd-plugin-http_status(8), gdnsd-plugin-tcp_connect(8) and the others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gslb.config import values
from gslb.config.wording import quote
from gslb.importers.gdnsd.fields import Fields
from gslb.importers.gdnsd.site import Monitor, fresh_name

if TYPE_CHECKING:
    from gslb.config.report import Report
    from gslb.importers.gdnsd.model import ServiceType
    from gslb.importers.gdnsd.site import Site
    from gslb.model.finding import Place

MOST_IN_A_ROW = 100
HTTP_PORT = 80
STATE = Path("/var/lib/gdnsd")
MOST_CODES = 64
_DIRECT = ("extmon", "extfile")
"""Plugins that probe CNAMEs too, and whose results may count at once."""
MOST_MONITORS = values.MAXIMUM_MONITORS_OF_POOL

_STATUS = re.compile("[1-5][0-9]{2}")


@dataclass(frozen=True, slots=True)
class Watch:
    """How a set of service types is carried over: in gdnsd too, the worst of all states counts.

    ``of_names`` are those of the monitors that can probe CNAMEs.

    ``ttl`` is the longest time that gdnsd promises an answer for while all is up, ``None`` for no limit.
    """

    monitors: tuple[str, ...] = ()
    of_names: tuple[str, ...] = ()
    is_down: bool = False
    ttl: int | None = None


class Monitors:
    """Makes monitors of service types, each once."""

    def __init__(
        self, report: Report, services: dict[str, ServiceType], site: Site, state: Path | None
    ) -> None:
        """``state`` is gdnsd's state directory, if the configuration names one."""
        self._report = report
        self._fields = Fields(report)
        self._services = services
        self._site = site
        self._extfiles = (state or STATE).resolve() / "extfile"
        self._watches: dict[tuple[str, ...], Watch] = {}
        self._made: dict[str, str] = {}

    def watch(self, names: tuple[str, ...], place: Place) -> Watch:
        """What becomes of addresses with these service types."""
        if names not in self._watches:
            self._watches[names] = self._watch(names, place)
        return self._watches[names]

    def _watch(self, names: tuple[str, ...], place: Place) -> Watch:
        is_down = "down" in names
        ttls = []
        probed: list[ServiceType] = []
        for name in dict.fromkeys(names):
            if name in {"up", "down"}:
                continue
            service = self._services.get(name)
            if service is None:
                message = f"there is no service type {quote(name)}: nothing is probed for it"
                self._report.error("import-invalid", place, message)
                continue
            settings = service.settings
            if service.plugin in {"static", "null"}:
                state = self._fields.text(settings, "state", "UP").upper()
                is_down = is_down or service.plugin == "null" or state == "DOWN"
                if service.plugin == "static":
                    ttls.append(self._fields.integer(settings, "ttl", 2**28 - 1))
                continue
            if not (service.plugin in _DIRECT and self._fields.boolean(settings, "direct")):
                ttls.append(service.interval * service.down_thresh)
            elif service.plugin == "extfile" and "def_ttl" in settings.values:
                ttls.append(self._fields.integer(settings, "def_ttl", 2**28 - 1))
            if service.plugin in {"http_status", "tcp_connect", *_DIRECT}:
                probed.append(service)
            else:
                message = (
                    f"there is no plugin {quote(service.plugin)} that could be carried over: addresses with "
                    f"the service type {quote(name)} are not probed for it and count as up"
                )
                self._report.error("import-monitor", service.place, message)
        if len(probed) > MOST_MONITORS and not is_down:
            rest = ", ".join(service.name for service in probed[MOST_MONITORS:])
            message = f"a pool has at most {MOST_MONITORS} monitors; {rest} is not probed as well"
            self._report.error("import-monitor", place, message)
        kept = [] if is_down else probed[:MOST_MONITORS]
        made = [(service.plugin, self._monitor(service)) for service in kept]
        monitors = tuple(name for _, name in made if name)
        of_names = tuple(name for plugin, name in made if name and plugin in _DIRECT)
        return Watch(monitors, of_names, is_down, min(ttls, default=None))

    def _monitor(self, service: ServiceType) -> str:
        """The name of its monitor; empty after noting why there cannot be one."""
        if service.name not in self._made:
            self._made[service.name] = self._make(service)
        return self._made[service.name]

    def _make(self, service: ServiceType) -> str:
        makers = {"extmon": self._extmon, "extfile": self._extfile}
        settings = makers.get(service.plugin, self._network)(service)
        if not settings:
            return ""
        settings |= {
            "interval": f"{max(1, service.interval)}s",
            # Half of the interval unless given: of one second, less than gdnsd's least.
            "timeout": f"{service.timeout}s" if service.timeout else "500ms",
            "rise": min(max(1, service.up_thresh), MOST_IN_A_ROW),
            "fall": min(max(1, service.down_thresh), MOST_IN_A_ROW),
        }
        if service.timeout >= max(1, service.interval):
            message = f"timeout of {quote(service.name)} must be less than interval, and is 500ms now"
            self._report.error("import-invalid", service.place, message)
            settings["timeout"] = "500ms"
        for key, given in (("up_thresh", service.up_thresh), ("down_thresh", service.down_thresh)):
            if given > MOST_IN_A_ROW:
                message = f"{key} {given} of {quote(service.name)} becomes {MOST_IN_A_ROW}, the most there is"
                self._report.warning("import-monitor", service.place, message)
        if service.plugin in _DIRECT and self._fields.boolean(service.settings, "direct"):
            settings |= {"rise": 1, "fall": 1}
            if service.plugin == "extfile":  # gdnsd watches the file
                settings |= {"interval": "2s", "timeout": "1s"}
        elif service.ok_thresh > 1 and service.down_thresh > 1:
            message = (
                f"ok_thresh {service.ok_thresh} of {quote(service.name)} is left out: here failures count "
                "when they are in a row; gdnsd also counts those with fewer good probes between them"
            )
            self._report.info("import-monitor", service.place, message)
        name = fresh_name(service.name, self._site.monitors)
        self._site.monitors[name] = Monitor(name, f"service type {service.name}, {service.place}", settings)
        return name

    def _network(self, service: ServiceType) -> dict[str, Any]:
        settings: dict[str, Any] = {"type": "tcp" if service.plugin == "tcp_connect" else "http"}
        settings["port"] = self._fields.integer(service.settings, "port", HTTP_PORT)
        if not 1 <= settings["port"] <= 65_535:
            self._fields.bad(service.settings.values["port"], "port must be 1 to 65535")
            settings["port"] = HTTP_PORT
        if service.plugin == "http_status":
            settings |= self._http(service)
        return settings

    def _extmon(self, service: ServiceType) -> dict[str, Any]:
        """A command; nothing after noting why it cannot be."""
        given = service.settings.values.get("cmd")
        try:
            command = values.command(list(self._fields.strings(given)))
        except ValueError as error:
            message = f"cmd of {quote(service.name)} {error}: nothing is probed for it"
            place = service.place if given is None else given.place
            self._report.error("import-monitor", place, message)
            return {}
        message = (
            f"the command of {quote(service.name)} runs under 'gslb serve --allow-commands' only, with an "
            "environment of its own"
        )
        self._report.info("import-monitor", service.place, message)
        if self._fields.integer(service.settings, "max_proc", 0):
            message = f"max_proc of {quote(service.name)} is left out: 256 commands run at once at most"
            self._report.info("import-monitor", service.settings.values["max_proc"].place, message)
        return {"type": "command", "command": list(command)}

    def _extfile(self, service: ServiceType) -> dict[str, Any]:
        """A file with states; nothing after noting why it cannot be."""
        name = self._fields.text(service.settings, "file")
        try:
            path = values.absolute_path(str(self._extfiles / values.path(name)))
        except ValueError as error:
            message = f"file of {quote(service.name)} {error}: nothing is probed for it"
            self._report.error("import-monitor", service.place, message)
            return {}
        if self._fields.boolean(service.settings, "direct"):
            message = f"TTLs in the file of {quote(service.name)} have no effect here"
            self._report.info("import-monitor", service.place, message)
        is_down = self._fields.boolean(service.settings, "def_down")
        return {"type": "file", "file": path, "missing": "down" if is_down else "up"}

    def _http(self, service: ServiceType) -> dict[str, Any]:
        """What is asked for, and which answers are good."""
        settings: dict[str, Any] = {}
        for key, name, check, default in (
            ("path", "url_path", values.http_path, "/"),
            ("host", "vhost", values.host, ""),
        ):
            text = self._fields.text(service.settings, name, default)
            try:
                if text:
                    settings[key] = check(text)
            except ValueError as error:
                self._fields.bad(service.settings.values[name], f"{name} {error}; it is left out")
        codes = self._fields.strings(service.settings.values.get("ok_codes"))
        if codes:
            good = [int(code) for code in codes if _STATUS.fullmatch(code)]
            if len(good) < len(codes) or len(good) > MOST_CODES:
                message = (
                    f"ok_codes must be up to {MOST_CODES} numbers from 100 to 599; the others are left out"
                )
                self._fields.bad(service.settings.values["ok_codes"], message)
            settings["expect_status"] = list(dict.fromkeys(good))[:MOST_CODES] or [200]
        return settings
