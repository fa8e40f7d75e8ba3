"""All ways of probing, behind one face."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.health.commands import NOT_ALLOWED, CommandProber
from gslb.health.files import FileProber
from gslb.health.probes import NetworkProber

if TYPE_CHECKING:
    from gslb.health.probes import Prober, ProbeResult, ProbeTarget
    from gslb.model.clock import Clock
    from gslb.model.site import Monitor


class AnyProber:
    """Probes each monitor as its type says; commands only where they are allowed."""

    def __init__(self, clock: Clock, *, allow_commands: bool) -> None:
        self._allow_commands = allow_commands
        network = NetworkProber(clock)
        self._probers: dict[str, Prober] = {
            "http": network,
            "https": network,
            "tcp": network,
            "command": CommandProber(clock, allowed=allow_commands),
            "file": FileProber(clock),
        }

    def refusal(self, monitor: Monitor) -> str:
        """Why probes of this monitor never have a result here; empty if they may."""
        return NOT_ALLOWED if monitor.type == "command" and not self._allow_commands else ""

    async def probe(self, monitor: Monitor, target: ProbeTarget) -> ProbeResult:
        """One probe; never raises."""
        return await self._probers[monitor.type].probe(monitor, target)

    async def close(self) -> None:
        """Release what probing holds."""
        for prober in dict.fromkeys(self._probers.values()):
            await prober.close()
