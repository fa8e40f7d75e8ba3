"""Suppositions of commands: --down, --drain, --load and --at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gslb.cli.output import EXIT_USAGE, fail
from gslb.config import suppositions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What is supposed, as given."""

    down: Sequence[str]
    drain: Sequence[str]
    load: Mapping[str, float]
    at: str | None

    def query(self) -> dict[str, str | None]:
        """As parameters of a query string; those that suppose nothing are ``None``."""
        loads = [f"{pop}={load!r}" for pop, load in self.load.items()]
        return {
            "down": ",".join(self.down) or None,
            "drain": ",".join(self.drain) or None,
            "load": ",".join(loads) or None,
            "at": self.at,
        }

    def body(self) -> dict[str, object]:
        """As members of a JSON body."""
        return {"down": [*self.down], "drain": [*self.drain], "load": dict(self.load), "at": self.at}


NOTHING = WhatIf((), (), {}, None)
"""Supposes nothing."""


def what_if(
    down: Sequence[str] | None, drain: Sequence[str] | None, load: Sequence[str] | None, at: str | None
) -> WhatIf:
    """Ends the command when a load is not ``POP=LOAD``."""
    loads, wrong = suppositions.loads(_items(load))
    if wrong:
        fail(f"--load {wrong[0]}", EXIT_USAGE)
    return WhatIf(_items(down), _items(drain), loads, at)


def _items(given: Sequence[str] | None) -> list[str]:
    """What was given, apart: an option may be repeated, and have several items with commas between."""
    return [item for text in given or () for item in suppositions.items(text)]
