"""``gslb reload``: load the site directory anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gslb.cli.output import say, warn
from gslb.errors import shown

if TYPE_CHECKING:
    from gslb.cli.client import Client


def reload(client: Client) -> None:
    """Reload and print what is served now, and the site's warnings."""
    result = client.post("/v1/reload", {})
    for text in shown([_text(finding) for finding in result["findings"] if finding["severity"] == "warning"]):
        warn(text)
    say(
        f"loaded {result['zones']} zones with {result['records']} records, {result['pops']} POPs and "
        f"{result['names']} steered names in {result['seconds']:.3f}s (generation {result['generation']})"
    )


def _text(finding: dict[str, Any]) -> str:
    place = f"{finding['file']}:{finding['line']}" if finding["line"] else finding["file"]
    return f"{place}: {finding['message']} [{finding['rule']}]"
