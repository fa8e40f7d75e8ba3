"""Zone files of gdnsd, gdnsd.zonefile(5), rewritten as plain master files.

Lines stay as they are, comments too, but for what only gdnsd reads: DYNA and DYNC leave the zone, ``@Z`` and
become names, included files are written out, long texts are split, and TTLs are clamped as gdnsd does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gslb.config.wording import quote
from gslb.importers.gdnsd.model import Reference
from gslb.importers.gdnsd.sources import Places
from gslb.model.finding import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gslb.config.report import Report
    from gslb.importers.gdnsd.model import Options

MAXIMUM_INCLUDES = 16
MAXIMUM_OCTETS = 512 * 1024 * 1024
LONGEST_STRING = 255
"""Octets of a character string (RFC 1035 section 3.3)."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|;.*|[()]|(?:[^\s"();\\]|\\.)+|\\', re.DOTALL)
_TTL = re.compile(r"[0-9]+[smhdw]?(?:[0-9]+[smhdw])*", re.IGNORECASE)
_DYNAMIC_TTL = re.compile(rf"({_TTL.pattern})(?:/({_TTL.pattern}))?", re.IGNORECASE)
_PART = re.compile(r"([0-9]+)([smhdw]?)", re.IGNORECASE)
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_OCTET = re.compile(r"\\[0-9]{3}|\\.|.", re.DOTALL)
_SPECIAL = re.compile(r"@[ZzFf]")
_NAMES = {"NS": (0,), "CNAME": (0,), "PTR": (0,), "MX": (1,), "SRV": (3,), "SOA": (0, 1), "NAPTR": (5,)}
"""Where names stand in the data of the types that gdnsd reads by itself."""
_TEXTS = frozenset({"TXT", "SPF"})
_SOA_FIELDS = 7


@dataclass(frozen=True, slots=True)
class Dynamic:
    """A DYNA or DYNC record. ``name`` is absolute; TTLs are clamped seconds."""

    name: str
    reference: Reference
    is_cname_allowed: bool
    ttl: int
    min_ttl: int
    place: Place


@dataclass(frozen=True, slots=True)
class ZoneFile:
    """A zone rewritten. ``origin`` is absolute; ``places`` has the file and line that each line is from."""

    origin: str
    text: str
    dynamics: tuple[Dynamic, ...]
    places: Places


@dataclass(frozen=True, slots=True)
class _Token:
    """A word of an entry, and where it stands: the entry's line, and the columns from 0."""

    text: str
    line: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Entry:
    """What stands between two line breaks outside parentheses. ``first`` is the number of its first line."""

    lines: list[str]
    tokens: list[_Token]
    first: int

    @property
    def has_owner(self) -> bool:
        """Whether it begins with an owner rather than with a blank."""
        return self.lines[0][:1] not in {" ", "\t"}


@dataclass(slots=True)
class _Scope:
    """What directives set, for one file. ``file`` is its path as text."""

    path: Path
    file: str
    origin: str
    file_origin: str
    ttl: int
    depth: int = 1


@dataclass(slots=True)
class _Output:
    """What is written. ``owner`` is the owner that a blank would stand for."""

    lines: list[str] = field(default_factory=list)
    places: Places = field(default_factory=Places)
    dynamics: list[Dynamic] = field(default_factory=list)
    owner: str = ""

    def add(self, file: str, first: int, lines: list[str]) -> None:
        """Write lines that come from as many lines of a file, from number ``first`` on."""
        self.lines += lines
        self.places.files += [file] * len(lines)
        self.places.numbers += range(first, first + len(lines))

    def add_more(self, file: str, number: int, lines: list[str]) -> None:
        """Write lines that all come from one line of a file."""
        self.lines += lines
        self.places.files += [file] * len(lines)
        self.places.numbers += [number] * len(lines)


class ZoneReader:
    """Rewrites zone files.

    ``static_records`` gives the (type, data) that a resource always answers with, also none at all, after
    noting why; ``None`` if the answer depends on anything. It is told whether a CNAME may be answered.
    """

    def __init__(
        self,
        report: Report,
        options: Options,
        static_records: Callable[[Reference, bool], list[tuple[str, str]] | None],
    ) -> None:
        self.report = report
        self.options = options
        self.static_records = static_records
        self.files: list[Path] = []
        """Those that were read."""
        self._octets = 0

    def read(self, path: Path, origin: str) -> ZoneFile | None:
        """The zone in a file; ``None`` after noting that it cannot be read."""
        text = self.text_of(path, Place(str(path)))
        if text is None:
            return None
        ttl = self.clamp(self.options.zones_default_ttl)
        out = _Output()
        out.add_more(str(path), 0, [f"$TTL {ttl}"])
        _Rewriter(self, out, origin).run(text, _Scope(path, str(path), origin, origin, ttl))
        return ZoneFile(origin, "\n".join(out.lines) + "\n", tuple(out.dynamics), out.places)

    def text_of(self, path: Path, asked_at: Place) -> str | None:
        """What a file holds; ``None`` after noting that it cannot be read."""
        try:
            text = path.read_text(encoding="latin-1")
        except (OSError, ValueError) as error:  # of a path with a NUL octet, the latter
            reason = error.strerror if isinstance(error, OSError) else error
            message = f"{path} cannot be read: {reason}; what it holds is missing"
            self.report.error("import-unreadable", asked_at, message)
            return None
        self.files.append(path)
        self._octets += len(text)
        if self._octets > MAXIMUM_OCTETS:
            self.report.error("import-unreadable", asked_at, "the zones are too large; the rest is missing")
            return None
        return text

    def clamp(self, seconds: int) -> int:
        """A TTL within the bounds of the options."""
        return max(self.options.min_ttl, min(self.options.max_ttl, seconds))


class _Rewriter:
    """Rewrites one zone."""

    def __init__(self, reader: ZoneReader, out: _Output, origin: str) -> None:
        self._reader = reader
        self._report = reader.report
        self._options = reader.options
        self._out = out
        self._zone = origin
        self._owner = ""

    def run(self, text: str, scope: _Scope) -> None:
        """Rewrite the text of one file."""
        for entry in _entries(text):
            if not entry.tokens:
                self._out.add(scope.file, entry.first, entry.lines)
            elif entry.tokens[0].text.startswith("$"):
                self._directive(entry, scope)
            else:
                self._record(entry, scope)

    def _place(self, entry: _Entry, scope: _Scope) -> Place:
        return Place(scope.file, entry.first)

    def _directive(self, entry: _Entry, scope: _Scope) -> None:
        word, *arguments = entry.tokens
        place = self._place(entry, scope)
        match word.text.upper(), arguments:
            case "$TTL", [seconds] if _TTL.fullmatch(seconds.text):
                scope.ttl = self._clamped(seconds_of(seconds.text), place)
                edits = [] if scope.ttl == seconds_of(seconds.text) else [(seconds, str(scope.ttl))]
                self._out.add(scope.file, entry.first, _edited(entry, edits))
            case "$ORIGIN", [name]:
                scope.origin = self._absolute(name.text, scope)
                edits = [(name, scope.origin)] if _SPECIAL.search(name.text) else []
                self._out.add(scope.file, entry.first, _edited(entry, edits))
            case "$INCLUDE", [file, *names] if len(names) <= 1:
                self._include(entry, file.text, names[0].text if names else "", scope)
            case (("$ADDR_LIMIT_V4" | "$ADDR_LIMIT_V6"), _):
                message = (
                    f"{word.text} is left out: all addresses are answered; put the step 'take: n' into a "
                    "policy to limit them"
                )
                self._report.warning("import-record", place, message)
            case _:
                message = f"{quote(' '.join(token.text for token in entry.tokens))} is no directive of gdnsd"
                self._report.error("import-record", place, message)

    def _include(self, entry: _Entry, file: str, origin: str, scope: _Scope) -> None:
        place = self._place(entry, scope)
        path = scope.path.parent / _plain(file)
        if scope.depth >= MAXIMUM_INCLUDES:
            message = f"more than {MAXIMUM_INCLUDES} files include one another; this one is left out"
            self._report.error("import-record", place, message)
            return
        text = self._reader.text_of(path, place)
        if text is None:
            return
        inner_origin = self._absolute(origin, scope) if origin else scope.origin
        self._out.add(scope.file, entry.first, [f"; {line}" for line in entry.lines])
        self._out.add_more(scope.file, entry.first, [f"$ORIGIN {inner_origin}"])
        outer = self._owner
        self.run(text, _Scope(path, str(path), inner_origin, inner_origin, scope.ttl, scope.depth + 1))
        self._owner = outer
        after = [f"; end of {file}", f"$ORIGIN {scope.origin}", f"$TTL {scope.ttl}"]
        self._out.add_more(scope.file, entry.first, after)

    def _record(self, entry: _Entry, scope: _Scope) -> None:
        tokens = list(entry.tokens)
        place = self._place(entry, scope)
        edits: list[tuple[_Token, str]] = []
        insertion = ""
        if entry.has_owner:
            owner = tokens.pop(0)
            self._owner = self._absolute(owner.text, scope)
            if _SPECIAL.search(owner.text):
                edits.append((owner, self._owner))
        elif self._out.owner != self._owner:
            insertion = self._owner
        ttl: _Token | None = None
        while tokens and (tokens[0].text.upper() == "IN" or _DYNAMIC_TTL.fullmatch(tokens[0].text)):
            token = tokens.pop(0)
            if token.text.upper() != "IN":
                ttl = token
        if not tokens:
            self._report.error("import-record", place, "a record has no type; it is left out")
            return
        rtype, *data = tokens
        kind = rtype.text.upper()
        if kind in {"DYNA", "DYNC"}:
            self._dynamic(entry, kind, ttl, data, scope)
            return
        edits += self._ttl_edits(ttl, [rtype, *data], scope, place)
        edits += self._data_edits(kind, data, scope)
        self._out.add(scope.file, entry.first, _edited(entry, edits, insertion))
        self._out.owner = self._owner

    def _ttl_edits(
        self, ttl: _Token | None, words: list[_Token], scope: _Scope, place: Place
    ) -> list[tuple[_Token, str]]:
        """What makes the TTL, and that of negative answers, what gdnsd answers with."""
        given = scope.ttl if ttl is None else seconds_of(ttl.text)
        wanted = given if ttl is None else self._clamped(given, place)
        edits: list[tuple[_Token, str]] = []
        rtype, *data = words
        if rtype.text.upper() == "SOA" and len(data) == _SOA_FIELDS and _TTL.fullmatch(data[-1].text):
            minimum = seconds_of(data[-1].text)
            negative = max(min(minimum, wanted, self._options.max_ncache_ttl), self._options.min_ttl)
            wanted = negative
            if minimum < negative:
                edits.append((data[-1], str(negative)))
        elif self._owner.lower().startswith("_acme-challenge."):
            wanted = self._options.acme_ttl
        if wanted == given:
            return edits
        if ttl is not None:
            return [*edits, (ttl, str(wanted))]
        before = replace(rtype, end=rtype.start)
        return [*edits, (before, f"{wanted} ")]

    def _data_edits(self, kind: str, data: list[_Token], scope: _Scope) -> list[tuple[_Token, str]]:
        edits = [
            (data[index], self._absolute(data[index].text, scope))
            for index in _NAMES.get(kind, ())
            if index < len(data) and _SPECIAL.search(data[index].text)
        ]
        if kind in _TEXTS:
            for token in data:
                octets = _OCTET.findall(_unquoted(token.text))
                if len(octets) > LONGEST_STRING:
                    chunks = range(0, len(octets), LONGEST_STRING)
                    split = ("".join(octets[at : at + LONGEST_STRING]) for at in chunks)
                    edits.append((token, " ".join(f'"{chunk}"' for chunk in split)))
        return edits

    def _dynamic(
        self, entry: _Entry, kind: str, ttl: _Token | None, data: list[_Token], scope: _Scope
    ) -> None:
        """``[MAX[/MIN]] DYNA plugin[!resource]``: the TTL's minimum is half its maximum unless given."""
        place = self._place(entry, scope)
        if len(data) != 1:
            message = f"{kind} must name a plugin and a resource: plugin!resource; the record is left out"
            self._report.error("import-record", place, message)
            return
        plugin, _, resource = _plain(data[0].text).partition("!")
        most, least = scope.ttl, scope.ttl // 2
        match = _DYNAMIC_TTL.fullmatch(ttl.text) if ttl is not None else None
        if match is not None:
            most = self._clamped(seconds_of(match[1]), place)
            least = seconds_of(match[2]) if match[2] else most // 2
        least = min(max(self._options.min_ttl, least), most)
        reference = Reference(plugin, resource, place)
        records = self._reader.static_records(reference, kind == "DYNC")
        self._out.add(scope.file, entry.first, [f"; {line.rstrip()}" for line in entry.lines])
        if records is not None:
            made = [f"{self._owner} {most} {rtype} {value}" for rtype, value in records]
            self._out.add_more(scope.file, entry.first, made)
            self._out.owner = self._owner if records else self._out.owner
            return
        self._out.dynamics.append(Dynamic(self._owner, reference, kind == "DYNC", most, least, place))

    def _clamped(self, seconds: int, place: Place) -> int:
        clamped = self._reader.clamp(seconds)
        if clamped != seconds:
            bound = "min_ttl" if clamped > seconds else "max_ttl"
            message = f"the TTL {seconds} becomes {clamped}, as gdnsd clamps it to {bound}"
            self._report.info("import-ttl", place, message)
        return clamped

    def _absolute(self, name: str, scope: _Scope) -> str:
        """The absolute form of a name."""
        for ending, stem in (("@z", self._zone), ("@f", scope.file_origin), ("@", scope.origin)):
            if name.lower() == ending:
                return stem
            if ending != "@" and name.lower().endswith("." + ending):
                return _join(name[: -len(ending) - 1], stem)
        if name.endswith(".") and not name.endswith("\\."):
            return name
        return _join(name, scope.origin)


def seconds_of(text: str) -> int:
    """The seconds of a TTL such as ``3600`` or ``1h30m``; at most 2^31 - 1 (RFC 2181 section 8)."""
    total = sum(int(number[:10]) * _UNITS[unit.lower()] for number, unit in _PART.findall(text))
    return min(total, 2**31 - 1)


def _join(name: str, origin: str) -> str:
    return f"{name}." if origin == "." else f"{name}.{origin}"


def _unquoted(text: str) -> str:
    return text[1:].removesuffix('"') if text.startswith('"') else text


def _plain(text: str) -> str:
    """A word without quotes and escapes."""
    return re.sub(
        r"\\([0-9]{3}|.)",
        lambda found: chr(int(found[1])) if len(found[1]) == 3 else found[1],
        _unquoted(text),
    )


def _entries(text: str) -> Iterator[_Entry]:
    """The entries of a file; blank lines and comments come as entries without tokens."""
    depth = 0
    lines: list[str] = []
    tokens: list[_Token] = []
    first = 1
    for number, line in enumerate(text.split("\n"), 1):
        if not lines:
            first = number
        lines.append(line.removesuffix("\r"))
        for match in _TOKEN.finditer(line):
            word = match[0]
            if word[0] == ";":
                break
            if word in {"(", ")"}:
                depth += 1 if word == "(" else -1
            else:
                tokens.append(_Token(word, number - first, match.start(), match.end()))
        if depth <= 0:
            yield _Entry(lines, tokens, first)
            depth, lines, tokens = 0, [], []
    if lines:
        yield _Entry(lines, tokens, first)


def _edited(entry: _Entry, edits: list[tuple[_Token, str]], owner: str = "") -> list[str]:
    """The lines of an entry with some words replaced, and with an owner before them."""
    lines = list(entry.lines)
    for token, text in sorted(
        edits, key=lambda edit: (edit[0].line, edit[0].start, edit[0].end), reverse=True
    ):
        line = lines[token.line]
        lines[token.line] = line[: token.start] + text + line[token.end :]
    if owner:
        lines[0] = owner + " " + lines[0].lstrip(" \t")
    return lines
