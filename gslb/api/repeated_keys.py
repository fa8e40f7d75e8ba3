"""Keys that stand twice in an object of a JSON body: readers differ on which counts (RFC 8259 section 4)."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from gslb.api.problems import ProblemError, pointer
from gslb.errors import ERRORS_SHOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    Location = tuple["Location", int | str] | None
    """Where a value stands: its container, and its key or index there; ``None`` for the whole."""

POINTERS_LIMIT = 65_536
"""Characters of all pointers after the first: a long key may be above many that are repeated."""


class _Object(dict[str, Any]):
    """An object; ``repeated`` has the keys that stand in it more than once."""

    repeated: tuple[str, ...] = ()


def repeated_keys(raw: bytes) -> list[ProblemError]:
    """An error for each, up to as many as a problem document lists. None for what is no JSON at all."""
    try:
        # Numbers stay text, which may be of any length.
        document = json.loads(raw, object_pairs_hook=_object, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return []
    found: list[ProblemError] = []
    room = POINTERS_LIMIT
    for location in _repeated(document):
        text = pointer(_path(location))
        room -= len(text)
        if found and (room < 0 or len(found) == ERRORS_SHOWN):
            break
        found.append(ProblemError(pointer=text, detail="this key stands twice; remove one"))
    return found


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    made = _Object(pairs)
    if len(made) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        made.repeated = tuple(key for key, number in counts.items() if number > 1)
    return made


def _repeated(document: Any) -> Iterator[Location]:
    """Where each repeated key stands, in the order of the document; of its values the last is looked into."""
    pending: list[tuple[Location, Any]] = [(None, document)]
    while pending:
        location, value = pending.pop()
        if isinstance(value, _Object):
            yield from ((location, key) for key in value.repeated)
            pending += [((location, key), value[key]) for key in reversed(value)]
        elif isinstance(value, list):
            pending += [((location, index), value[index]) for index in reversed(range(len(value)))]


def _path(location: Location) -> list[int | str]:
    parts: list[int | str] = []
    while location is not None:
        location, part = location
        parts.append(part)
    return parts[::-1]
