"""``gslb reload``: load the site directory anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.cli.output import say, warn

if TYPE_CHECKING:
    from gslb.cli.client import Client


def reload(client: Client) -> None:
    """Reload and print what is served now, and the site's warnings."""
    result = client.post("/v1/reload", {})
    for finding in result["findings"]:
        place = f"{finding['file']}:{finding['line']}" if finding["line"] else finding["file"]
        if finding["severity"] == "warning":
            warn(f"{place}: {finding['message']} [{finding['rule']}]")
    say(
        f"loaded {result['zones']} zones with {result['records']} records, {result['pops']} POPs and "
        f"{result['names']} steered names in {result['seconds']:.3f}s (generation {result['generation']})"
    )
