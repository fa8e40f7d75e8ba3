"""What is supposed, as text: lists of names and of POP=LOAD. Commands read it too, so this imports little."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.config.wording import quote

if TYPE_CHECKING:
    from collections.abc import Iterable


def items(text: str) -> tuple[str, ...]:
    """What stands between the commas of a text, without what is empty."""
    return tuple(item.strip() for item in text.split(",") if item.strip())


def loads(given: Iterable[str]) -> tuple[dict[str, float], tuple[str, ...]]:
    """Loads by POP, of items such as ``fra=0.9``, and what is wrong with each item that is none.

    Whether there are such POPs and loads is not looked at.
    """
    found: dict[str, float] = {}
    wrong: list[str] = []
    for item in given:
        pop, _, text = item.rpartition("=")
        try:
            load = float(text)
        except ValueError:
            pop, load = "", 0.0
        if pop:
            found[pop] = load
        else:
            wrong.append(f"must be POP=LOAD, such as fra=0.9, not {quote(item)}")
    return found, tuple(wrong)
