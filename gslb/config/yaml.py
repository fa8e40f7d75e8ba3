"""YAML with positions: plain Python values, and the line and column of each key and value.

Scalars follow the YAML 1.2 core schema (section 10.3), not 1.1: only ``true`` and ``false`` are booleans, so
the country ``NO`` stays text, as do ``on``, ``12:30`` and ``2024-01-01``. Numbers with leading zeros,
hexadecimal and octal numbers, infinities and NaN stay text too. Keys of mappings are always text, as written.

The document is read from the parser's events, never from an expanded tree, so every bound holds before memory
is spent: octets a file, nodes (an alias counts as all it stands for), and depth.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from gslb.config.wording import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAXIMUM_OCTETS = 16 * 1024 * 1024
MAXIMUM_NODES = 4_000_000
MAXIMUM_DEPTH = 32
MAXIMUM_KEY_LENGTH = 1024

type_loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The safe loader whose parser gives the events: libyaml's where PyYAML was built with it."""

Path = tuple[str | int, ...]
"""Where a value stands in a document: keys of mappings and indexes of sequences, from the top."""

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,29})")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What may not stand in a YAML stream (YAML 1.2 section 5.1)."""
_NULLS = frozenset({"", "~", "null"})
_BOOLEANS = {"true": True, "false": False}
_TEXT_TAG = "tag:yaml.org,2002:str"
_PLAIN_TAGS = frozenset({None})
_TEXT_TAGS = frozenset({None, "!", _TEXT_TAG})
_SEQUENCE_TAGS = frozenset({None, "!", "tag:yaml.org,2002:seq"})
_MAPPING_TAGS = frozenset({None, "!", "tag:yaml.org,2002:map"})


class Position(NamedTuple):
    """A line and column, both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a document, or a key of it, cannot be used. ``earlier`` is where a duplicate key stands first."""

    position: Position
    message: str
    earlier: Position | None = None


@dataclass(slots=True)
class _Mark:
    """Positions of one value, of the key that names it, and of what it holds."""

    value: Position
    key: Position
    children: dict[str | int, _Mark]


_NO_CHILDREN: dict[str | int, _Mark] = {}
"""What every scalar holds; never added to."""


class Positions:
    """Where each value and key of a document stands, looked up by path."""

    __slots__ = ("_root",)

    def __init__(self, root: _Mark) -> None:
        self._root = root

    def __getitem__(self, path: Path) -> Position:
        """The position of the value at ``path``; of its nearest container when nothing stands there."""
        return self._find(path).value

    def key(self, path: Path) -> Position:
        """The position of the key (or, in a sequence, the item) that ends ``path``."""
        return self._find(path).key

    def __iter__(self) -> Iterator[Path]:
        """Every path of the document, in order; what an alias stands for is listed under each alias."""
        pending: list[tuple[Path, _Mark]] = [((), self._root)]
        while pending:
            path, mark = pending.pop()
            yield path
            pending.extend(reversed([((*path, key), child) for key, child in mark.children.items()]))

    def _find(self, path: Path) -> _Mark:
        mark = self._root
        for key in path:
            child = mark.children.get(key)
            if child is None:
                break
            mark = child
        return mark


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document. ``value`` is ``None`` for an empty one."""

    value: Any
    positions: Positions


def parse(text: str, loader: Any = None) -> tuple[Document | None, tuple[Problem, ...]]:
    """Read one YAML document.

    A syntax error yields no document and one problem. Duplicate keys are problems of a document that is still
    there; the first of the keys counts. ``loader`` is the PyYAML loader class to take events from.
    """
    if len(text) > MAXIMUM_OCTETS:
        return None, (Problem(Position(1, 1), f"the file is larger than {MAXIMUM_OCTETS} octets; split it"),)
    unprintable = _UNPRINTABLE.search(text)
    if unprintable:
        message = f"the character {quote(unprintable[0])} is not allowed in YAML; write it as an escape"
        return None, (Problem(_position_of(text, unprintable.start()), message),)
    builder = _Builder()
    try:
        document = builder.build(yaml.parse(text, Loader=loader or type_loader))
    except _UnusableError as error:
        return None, (error.problem,)
    except yaml.MarkedYAMLError as error:
        return None, (_syntax_problem(error),)
    except yaml.YAMLError as error:
        return None, (Problem(Position(1, 1), f"not YAML: {error}"),)
    return document, tuple(builder.problems)


def resolve_scalar(text: str) -> str | int | float | bool | None:
    """What a plain scalar means."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if len(text) <= 64 and _FLOAT.fullmatch(text):
        number = float(text)
        if isfinite(number):
            return number
    return text


class _UnusableError(Exception):
    """The document breaks a rule or a bound that leaves nothing to go on with."""

    def __init__(self, mark: Any, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(_position(mark), message)


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: Any
    mark: _Mark
    nodes: int


class _Builder:
    """Builds values and marks from parser events."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._nodes = 0

    def build(self, events: Iterable[Any]) -> Document:
        stream = iter(events)
        document: Document | None = None
        for event in stream:
            if isinstance(event, yaml.DocumentStartEvent):
                if document is not None:
                    raise _UnusableError(
                        event.start_mark, "a second document in the file; put it in its own file"
                    )
                value, mark = self._node(next(stream), stream, 0)
                document = Document(value, Positions(mark))
        if document is None:
            start = Position(1, 1)
            document = Document(None, Positions(_Mark(start, start, _NO_CHILDREN)))
        return document

    def _node(self, event: Any, stream: Iterator[Any], depth: int) -> tuple[Any, _Mark]:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before = self._nodes
        self._count(event, 1)
        if depth > MAXIMUM_DEPTH:
            raise _UnusableError(event.start_mark, f"nested deeper than {MAXIMUM_DEPTH} levels")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        position = _position(event.start_mark)
        value: Any
        if isinstance(event, yaml.ScalarEvent):
            mark = _Mark(position, position, _NO_CHILDREN)
            value = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._refuse_tag(event, _SEQUENCE_TAGS)
            mark = _Mark(position, position, {})
            value = self._sequence(mark, stream, depth)
        else:
            self._refuse_tag(event, _MAPPING_TAGS)
            mark = _Mark(position, position, {})
            value = self._mapping(mark, stream, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, mark, self._nodes - before)
        return value, mark

    def _alias(self, event: Any) -> tuple[Any, _Mark]:
        if event.anchor not in self._anchors:
            raise _UnusableError(event.start_mark, f"no anchor &{event.anchor} stands before this alias")
        anchored = self._anchors[event.anchor]
        if anchored is None:
            raise _UnusableError(event.start_mark, f"the alias *{event.anchor} stands within its own anchor")
        self._count(event, anchored.nodes)
        position = _position(event.start_mark)
        return anchored.value, _Mark(position, position, anchored.mark.children)

    def _scalar(self, event: Any) -> Any:
        if event.tag in ("!", _TEXT_TAG):
            return event.value
        self._refuse_tag(event, _PLAIN_TAGS)
        return resolve_scalar(event.value) if event.implicit[0] else event.value

    def _sequence(self, mark: _Mark, stream: Iterator[Any], depth: int) -> list[Any]:
        items: list[Any] = []
        for event in stream:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            value, child = self._node(event, stream, depth + 1)
            mark.children[len(items)] = child
            items.append(value)
        return items

    def _mapping(self, mark: _Mark, stream: Iterator[Any], depth: int) -> dict[str, Any]:
        items: dict[str, Any] = {}
        for event in stream:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event)
            key_position = _position(event.start_mark)
            value, child = self._node(next(stream), stream, depth + 1)
            child.key = key_position
            if key in items:
                message = f"the key {quote(key)} stands twice in one mapping"
                self.problems.append(Problem(key_position, message, mark.children[key].key))
                continue
            mark.children[key] = child
            items[key] = value
        return items

    def _key(self, event: Any) -> str:
        self._count(event, 1)
        if not isinstance(event, yaml.ScalarEvent):
            raise _UnusableError(event.start_mark, "a key must be plain text")
        self._refuse_tag(event, _TEXT_TAGS)
        if event.value == "<<" and event.implicit[0]:
            message = (
                "merge keys (<<) are not YAML 1.2; write the keys out, or alias a whole value (key: *name)"
            )
            raise _UnusableError(event.start_mark, message)
        if len(event.value) > MAXIMUM_KEY_LENGTH:
            raise _UnusableError(event.start_mark, f"a key is longer than {MAXIMUM_KEY_LENGTH} characters")
        if event.anchor is not None:
            raise _UnusableError(event.start_mark, "a key cannot carry an anchor")
        return str(event.value)

    def _count(self, event: Any, nodes: int) -> None:
        """Count before anything is built or expanded."""
        self._nodes += nodes
        if self._nodes > MAXIMUM_NODES:
            raise _UnusableError(event.start_mark, f"more than {MAXIMUM_NODES} values in one file; split it")

    @staticmethod
    def _refuse_tag(event: Any, allowed: frozenset[str | None]) -> None:
        if event.tag not in allowed:
            raise _UnusableError(
                event.start_mark, f"the tag {quote(event.tag)} is not allowed; only !!str is"
            )


def _position(mark: Any) -> Position:
    return Position(mark.line + 1, mark.column + 1)


def _syntax_problem(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    message = error.problem or "not YAML"
    if error.context:
        message = f"{message} ({error.context})"
    if "\\t" in message:
        message += "; indent with spaces, not tabs"
    return Problem(_position(mark) if mark else Position(1, 1), message)


def _position_of(text: str, offset: int) -> Position:
    before = text[:offset]
    return Position(before.count("\n") + 1, offset - before.rfind("\n"))
