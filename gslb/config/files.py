"""The files of a site directory, and how their paths are shown."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MAXIMUM_DEPTH = 32
MAXIMUM_FILES = 1_000_000

Stamp = tuple[str, int, int, int]
"""What a file looked like: path, inode, time of change in nanoseconds, octets."""

Seen = frozenset[Stamp]
"""What files looked like."""


class UnreadableFileError(Exception):
    """A file or directory cannot be read; ``path`` is which, the text says why and what to do."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        super().__init__(reason)


def find_files(directory: Path, wanted: Callable[[str], bool]) -> list[Path]:
    """Files below ``directory`` whose name is ``wanted``, at any depth, sorted; see ``walk_files``."""
    return [Path(path) for path in find_paths(directory, wanted)]


def find_paths(directory: Path, wanted: Callable[[str], bool]) -> list[str]:
    """The same as text, in the same order: of hundreds of thousands, path objects take most of the time."""
    found = [entry.path.removeprefix(f".{os.sep}") for entry in walk_files(directory, wanted)]
    return sorted(found, key=lambda path: path.split(os.sep))  # noqa: PTH206 - that is a path object


def walk_files(
    directory: Path, wanted: Callable[[str], bool], *, most: int = MAXIMUM_FILES
) -> Iterator[os.DirEntry[str]]:
    """Files below ``directory`` whose name is ``wanted``, at any depth, in the order of the system.

    Hidden files and directories are left out. Symbolic links are followed; a directory reached twice, by a
    loop too, is read once, by the path that sorts first. Raises UnreadableFileError, also past 32 levels or
    ``most`` files.
    """
    found = 0
    seen: set[tuple[int, int]] = set()
    pending = deque([(directory, 0)])
    while pending:
        current, depth = pending.popleft()
        if depth > MAXIMUM_DEPTH:
            raise UnreadableFileError(current, f"is nested deeper than {MAXIMUM_DEPTH} directories")
        directories = []
        for entry in _list_directory(current, seen):
            if _is_directory(entry):
                directories.append(entry.path)
            elif wanted(entry.name):
                found += 1
                yield entry
        pending.extend((Path(path), depth + 1) for path in sorted(directories))
        if found > most:
            raise UnreadableFileError(directory, f"holds more than {most} files of one kind")


def _list_directory(directory: Path, seen: set[tuple[int, int]]) -> list[os.DirEntry[str]]:
    """The visible entries of a directory; none when it was ``seen`` before."""
    try:
        status = directory.stat()
        if (status.st_dev, status.st_ino) in seen:
            return []
        seen.add((status.st_dev, status.st_ino))
        with os.scandir(directory) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise UnreadableFileError(directory, f"cannot be read: {error.strerror}") from error


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself; reading it as a file will say so
        return False


def read_text(path: Path, maximum_octets: int) -> str:
    """The UTF-8 text of a regular file, without a byte order mark. Raises UnreadableFileError."""
    try:
        if not path.is_file():
            raise UnreadableFileError(path, "is not a file, or a link that leads nowhere")
        with path.open("rb") as file:
            octets = file.read(maximum_octets + 1)
    except OSError as error:
        raise UnreadableFileError(path, f"cannot be read: {error.strerror}") from error
    if len(octets) > maximum_octets:
        raise UnreadableFileError(path, f"is larger than {maximum_octets} octets; split it")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise UnreadableFileError(path, f"is not UTF-8 text: see line {line}") from error


def display_path(path: Path) -> str:
    """``path`` relative to the current directory when below it, else absolute."""
    absolute = os.path.abspath(path)  # noqa: PTH100 - resolve() would follow links the reader knows
    try:
        here = os.getcwd()  # noqa: PTH109
    except OSError:
        return absolute
    if absolute == here:
        return "."
    return absolute.removeprefix(f"{here.removesuffix(os.sep)}{os.sep}")


def display_paths(paths: Iterable[str]) -> Iterator[str]:
    """``display_path`` of each; those in one directory share the work."""
    directories: dict[str, str] = {}
    for path in paths:
        above, slash, name = path.rpartition(os.sep)
        directory = above or slash
        if directory not in directories:
            directories[directory] = display_path(Path(directory)).removesuffix(os.sep)
        shown = directories[directory]
        yield name if shown == "." else f"{shown}{os.sep}{name}"


def look(site: Path, state: Path) -> Seen:
    """All files of a site but hidden ones, backups (``NAME~``) and the state directory. Blocks."""
    try:
        return frozenset(site_stamps(site, state))
    except UnreadableFileError:  # the reload will say so
        return frozenset()


def site_stamps(site: Path, state: Path) -> Iterator[Stamp]:
    """The same one by one. Blocks; raises UnreadableFileError."""
    within_state = f"{state}{os.sep}"
    for entry in walk_files(site, lambda name: not name.endswith("~"), most=2 * MAXIMUM_FILES):
        if not entry.path.startswith(within_state):
            with suppress(OSError):  # gone meanwhile: as if it had not been there
                yield _stamp(entry.path, entry.stat())


def stamps(files: Iterable[Path], changed_before: int | None = None) -> Seen:
    """What files look like now, through links. Blocks.

    With ``changed_before``, in nanoseconds since 1970, without those that are younger, whatever their own
    time says, and without links that are.
    """
    seen = set()
    for file in files:
        with suppress(OSError):  # as above
            status = file.stat()
            changed = max(status.st_ctime_ns, file.lstat().st_ctime_ns)
            if changed_before is None or changed < changed_before:
                seen.add(_stamp(str(file), status))
    return frozenset(seen)


def _stamp(path: str, status: os.stat_result) -> Stamp:
    return path, status.st_ino, status.st_mtime_ns, status.st_size
