"""``gslb drain`` and ``gslb undrain``: take a POP out of answers and put it back."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING
from urllib.parse import quote

from gslb.cli.output import moment, say, warn

if TYPE_CHECKING:
    from gslb.cli.client import Client


def drain(client: Client, pop: str, *, reason: str, duration: str | None) -> None:
    """Drain a POP, for ``duration`` such as ``2h`` or until undrained."""
    body: dict[str, object] = {"reason": reason, "author": _author()}
    if duration is not None:
        body["for"] = duration
    result = client.post(f"/v1/pops/{quote(pop, safe='')}/drain", body)
    expires_at = result["drain"]["expires_at"]
    until = f"until {moment(expires_at)}" if expires_at else f"until `gslb undrain {pop}`"
    word = "is drained" if result["changed"] else "was drained already; now"
    say(f"{pop} {word} {until} (generation {result['generation']})")
    for warning in result["warnings"]:
        warn(warning)


def undrain(client: Client, pop: str) -> None:
    """Lift a POP's drain."""
    result = client.post(f"/v1/pops/{quote(pop, safe='')}/undrain", {"author": _author()})
    if result["changed"]:
        say(f"{pop} is no longer drained (generation {result['generation']})")
    else:
        say(f"{pop} was not drained; nothing changed")


def _author() -> str:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = ""
    return name[:100] if name.strip() and name.isprintable() else "cli"
