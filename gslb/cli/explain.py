"""``gslb explain``: why a client gets the answer it gets.

The data plane describes its steps as nested JSON; this prints whatever it says, without knowing the steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.cli.output import print_json, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gslb.cli.client import Client

INDENT = "  "
LINE_WIDTH = 100
DEPTH_LIMIT = 40


def explain(
    client: Client, name: str, rtype: str, *, address: str, subnet: str | None, as_json: bool
) -> None:
    """Print each step of the answer, and the answer."""
    report = client.get("/v1/explain", name=name, type=rtype, client=address, subnet=subnet)
    if as_json:
        print_json(report)
        return
    for line in outline(report):
        say(line)


def outline(value: object, depth: int = 0) -> Iterator[str]:
    """A JSON value as indented lines: short lists on one line, list items numbered."""
    pad = INDENT * depth
    if depth > DEPTH_LIMIT:
        yield f"{pad}…"
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _entry(f"{pad}{str(key).replace('_', ' ')}:", inner, depth)
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            yield from _entry(f"{pad}{number}.", inner, depth)
    else:
        yield pad + _word(value)


def _entry(label: str, value: object, depth: int) -> Iterator[str]:
    flat = _flat(value)
    if flat is not None and len(label) + len(flat) < LINE_WIDTH:
        yield f"{label} {flat}"
        return
    yield label
    yield from outline(value, depth + 1)


def _flat(value: object) -> str | None:
    """The value on one line, if it is a word or a list of words."""
    if isinstance(value, dict):
        return None if value else "-"
    if isinstance(value, list):
        if any(isinstance(inner, dict | list) for inner in value):
            return None
        return ", ".join(_word(inner) for inner in value) or "-"
    return _word(value)


def _word(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
