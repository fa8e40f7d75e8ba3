"""How findings put things: quoted values, suggestions, lists."""

from __future__ import annotations

from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAXIMUM_QUOTED = 80
MAXIMUM_CANDIDATES = 4096
NAMES_LISTED = 50
"""A message that lists what is known lists at most this many names."""


def quote(value: object) -> str:
    """``value`` as a reader may be shown it: one line, printable, bounded in length."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "nothing"
    if isinstance(value, (int, float)):
        return str(value)
    if not isinstance(value, str):
        return "a list" if isinstance(value, list) else "a mapping"
    text = value[: MAXIMUM_QUOTED + 1]
    shown = ascii(text) if not text.isprintable() else f"'{text}'"
    return shown if len(shown) <= MAXIMUM_QUOTED else f"{shown[: MAXIMUM_QUOTED - 4]}...'"


def printable(text: str) -> str:
    """``text`` with everything that could disturb a terminal or a log line escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for the candidate nearest to ``word``, or nothing."""
    if len(word) > MAXIMUM_QUOTED:
        return ""
    matches = get_close_matches(word, islice(candidates, MAXIMUM_CANDIDATES), n=1, cutoff=0.6)
    return f"; did you mean {quote(matches[0])}?" if matches else ""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """That no ``kind`` of the site has this name, with the nearest and the known ones."""
    names = sorted(known)
    if not names:
        return f"no {kind} is named {quote(name)}; the site has none"
    listed = ", ".join(names[:NAMES_LISTED]) + (", …" if len(names) > NAMES_LISTED else "")
    guess = did_you_mean(name, names)
    return f"no {kind} is named {quote(name)}{f'{guess} The' if guess else '; the'} site has: {listed}"


def one_of(words: Sequence[str]) -> str:
    """``"a, b or c"``."""
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def count(number: int, noun: str, plural: str = "") -> str:
    """``"1 zone"``, ``"2 zones"``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
