"""The language of gdnsd's files, gdnsd.config(5) "LOW-LEVEL SYNTAX": nested hashes, arrays and strings.

Every value knows where it stands. Files, depth and octets are bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from glob import escape, glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING

from gslb.config.wording import quote
from gslb.model.finding import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

MAXIMUM_OCTETS = 256 * 1024 * 1024
"""Of all files that one configuration includes."""
MAXIMUM_FILES = 10_000
MAXIMUM_DEPTH = 64
MAXIMUM_INCLUDES = 16
"""Files that may include one another in a chain."""

_TOKEN = re.compile(
    r"""[ \t\r\f\v]*(?:
      (?P<newline>\n)
    | (?P<comment>[;\#][^\n]*)
    | (?P<mark>=>|[][{}=,])
    | (?P<include>\$include\{)
    | (?P<quoted>"(?:[^"\\]|\\.)*")
    | (?P<plain>(?!\$)(?:[^\s\][{};\#,"=\\]+|\\.)+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_INCLUDED = re.compile(r'\s*("(?:[^"\\]|\\.)*"|(?:[^\s\]\[{};#,"=\\]|\\.)+)\s*\}', re.DOTALL)
_ESCAPE = re.compile(r"\\([0-9]{3}|.)", re.DOTALL)


class VscfError(Exception):
    """A file cannot be read; ``place`` is where, the text says why."""

    def __init__(self, place: Place, message: str) -> None:
        self.place = place
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Text:
    """A string."""

    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Array:
    """An array."""

    place: Place
    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Hash:
    """A hash, in the order written. ``places`` are those of its keys."""

    place: Place
    values: dict[str, Value] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)

    def place_of(self, key: str) -> Place:
        """Where a key stands; where the hash does, if it has no such key."""
        return self.places.get(key, self.place)

    def without(self, *keys: str) -> Hash:
        """The same hash without some keys."""
        left = {key: value for key, value in self.values.items() if key not in keys}
        return Hash(self.place, left, self.places)

    def inheriting(self, defaults: Hash, *keys: str) -> Hash:
        """The same hash with values of ``defaults`` for the keys it lacks: for ``keys``, or all if none."""
        given = {key: value for key, value in defaults.values.items() if not keys or key in keys}
        return Hash(self.place, given | self.values, defaults.places | self.places)


Value = Text | Array | Hash


def read_file(path: Path) -> Hash | Array:
    """The content of a file, files that it includes in their places. Raises VscfError."""
    return _Files().read(path, Place(str(path)), 1)


def parse(text: str, file: str = "config") -> Hash | Array:
    """The content of a text, which may include files by absolute paths. Raises VscfError."""
    return _Parser(text, Path(file), _Files(), 1).document()


def items_of(value: Value) -> tuple[Value, ...]:
    """The items of an array; any other value counts as an array of one."""
    return value.items if isinstance(value, Array) else (value,)


class _Files:
    """Reads files within the bounds."""

    def __init__(self) -> None:
        self._files = 0
        self._octets = 0

    def read(self, path: Path, asked_at: Place, depth: int) -> Hash | Array:
        if depth > MAXIMUM_INCLUDES:
            raise VscfError(asked_at, f"more than {MAXIMUM_INCLUDES} files include one another")
        try:
            octets = path.read_bytes()
        except OSError as error:
            raise VscfError(asked_at, f"{path} cannot be read: {error.strerror}") from error
        self._files += 1
        self._octets += len(octets)
        if self._files > MAXIMUM_FILES or self._octets > MAXIMUM_OCTETS:
            raise VscfError(asked_at, "the configuration includes too much")
        return _Parser(octets.decode("utf-8", "surrogateescape"), path, self, depth).document()


class _Parser:
    """Reads one file by recursive descent."""

    def __init__(self, text: str, path: Path, files: _Files, depth: int) -> None:
        self._text = text
        self._path = path
        self._file = str(path)
        self._files = files
        self._depth = depth
        self._at = 0
        self._line = 1
        self._kind = ""
        self._token = ""
        self._token_line = 1
        self._advance()

    def document(self) -> Hash | Array:
        """The implicit hash at the top of a file, or an array in brackets."""
        place = Place(self._file, 1)
        if (self._kind, self._token) == ("mark", "["):
            found = self._array(1)
            if self._kind:
                raise self._unexpected("the end of the file")
            return found
        return self._hash(place, "", 1)

    def _place(self) -> Place:
        return Place(self._file, self._token_line)

    def _advance(self) -> None:
        while match := _TOKEN.match(self._text, self._at):
            self._at = match.end()
            kind = match.lastgroup
            if kind == "newline":
                self._line += 1
            elif kind != "comment":
                self._kind, self._token, self._token_line = str(kind), match[str(kind)], self._line
                self._line += self._token.count("\n")
                return
        rest = self._text[self._at :].strip()
        if rest:
            message = f"{quote(rest.split(maxsplit=1)[0][:20])} is no value; put it in double quotes"
            raise VscfError(Place(self._file, self._line), message)
        self._kind = self._token = ""
        self._token_line = self._line

    def _unexpected(self, wanted: str) -> VscfError:
        found = quote(self._token) if self._kind else "the end of the file"
        return VscfError(self._place(), f"found {found} where {wanted} should be")

    def _hash(self, place: Place, end: str, depth: int) -> Hash:
        """Keys and values up to the token ``end``, which is taken."""
        made = Hash(place)
        while (self._kind, self._token) != ("mark" if end else "", end):
            if self._kind == "include":
                self._merge(made)
            elif self._kind in {"quoted", "plain"}:
                key, key_place = _unescape(self._token, self._place()), self._place()
                self._advance()
                if self._kind != "mark" or self._token not in {"=>", "="}:
                    raise self._unexpected(f"'=>' after the key {quote(key)}")
                self._advance()
                _add(made, key, self._value(depth), key_place)
            else:
                raise self._unexpected("a key" if not end else f"a key or {quote(end)}")
            self._skip_comma()
        self._advance()
        return made

    def _array(self, depth: int) -> Array:
        place = self._place()
        self._advance()
        items = []
        while (self._kind, self._token) != ("mark", "]"):
            items.append(self._value(depth))
            self._skip_comma()
        self._advance()
        return Array(place, tuple(items))

    def _value(self, depth: int) -> Value:
        if depth > MAXIMUM_DEPTH:
            raise VscfError(self._place(), f"nested more than {MAXIMUM_DEPTH} deep")
        place = self._place()
        if self._kind in {"quoted", "plain"}:
            found = Text(place, _unescape(self._token, place))
            self._advance()
            return found
        if self._kind == "include":
            paths = list(self._included())
            if len(paths) != 1:
                raise VscfError(place, "a value must include exactly one file")
            return self._files.read(paths[0], place, self._depth + 1)
        if (self._kind, self._token) == ("mark", "{"):
            self._advance()
            return self._hash(place, "}", depth + 1)
        if (self._kind, self._token) == ("mark", "["):
            return self._array(depth + 1)
        raise self._unexpected("a value")

    def _skip_comma(self) -> None:
        if (self._kind, self._token) == ("mark", ","):
            self._advance()

    def _merge(self, into: Hash) -> None:
        """``$include{…}`` where a key would be: the keys of the files included."""
        place = self._place()
        for path in self._included():
            found = self._files.read(path, place, self._depth + 1)
            if not isinstance(found, Hash):
                raise VscfError(place, f"{path} is an array, and only a hash can be merged into a hash")
            for key, value in found.values.items():
                _add(into, key, value, found.place_of(key))

    def _included(self) -> Iterator[Path]:
        """The files that the include names, sorted."""
        place = self._place()
        match = _INCLUDED.match(self._text, self._at)
        if match is None:
            raise VscfError(place, "$include{ lacks its path or closing brace")
        self._at = match.end()
        self._line += match[0].count("\n")
        pattern = str(self._path.parent / _unescape(match[1], place))
        self._advance()
        if Path(pattern).is_dir():
            yield from _files_of(str(Path(escape(pattern)) / "*"))
        elif has_magic(pattern):
            found = _files_of(pattern)
            if not found:
                raise VscfError(place, f"no file matches {quote(pattern)}")
            yield from found
        else:
            yield Path(pattern)


def _files_of(pattern: str) -> list[Path]:
    return [Path(path) for path in sorted(glob(pattern)) if Path(path).is_file()]  # noqa: PTH207 - also absolute


def _add(made: Hash, key: str, value: Value, place: Place) -> None:
    if key in made.values:
        raise VscfError(place, f"the key {quote(key)} already stands at {made.places[key]}")
    made.values[key] = value
    made.places[key] = place


def _unescape(token: str, place: Place) -> str:
    text = token[1:-1] if token.startswith('"') else token
    if "\\" not in text:
        return text

    def plain(match: re.Match[str]) -> str:
        code = match[1]
        if not code.isdigit():
            return code
        if len(code) != 3 or int(code) > 255:
            raise VscfError(place, f"{quote(match[0])} is no escape: write three digits up to 255")
        return chr(int(code))

    return _ESCAPE.sub(plain, text)
