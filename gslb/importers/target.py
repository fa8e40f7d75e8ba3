"""The directory that a converted site is put into: as a whole, or not at all."""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from gslb.errors import GslbError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOUNTS = Path("/proc/self/mountinfo")
"""What is mounted where, proc_pid_mountinfo(5); blanks in paths are octal escapes."""

_OCTAL = re.compile(r"\\([0-7]{3})")
_MOUNT_POINT = 4


class ImportRefusedError(GslbError):
    """Nothing is written: the source cannot be read, or the target is in the way."""


class Target:
    """A directory to be made, or replaced with all that it holds.

    ``given`` is its path as the user has it, ``place`` the same without symbolic links: a link stays, and
    what it leads to is replaced.
    """

    def __init__(self, given: Path, *, force: bool) -> None:
        """Look at it, touching nothing. Raises ImportRefusedError if it cannot, or must not, be replaced."""
        self.given = given
        try:
            if given.is_symlink() and not given.exists():
                raise self._refused(
                    "is a symbolic link that leads nowhere; make what it leads to, or remove it"
                )
            self.place = given.resolve()
            if self.place.exists():
                self._check(force=force)
        except (OSError, RuntimeError) as error:  # of a loop of links, resolve() says the latter
            raise self._refused(f"cannot be looked at: {_reason(error)}") from error

    def _refused(self, why: str) -> ImportRefusedError:
        return ImportRefusedError(f"{self.given} {why}")

    def _check(self, *, force: bool) -> None:
        if not self.place.is_dir():
            raise self._refused("is there and is no directory; name another path")
        if not force and any(self.place.iterdir()):
            raise self._refused("is there and not empty; name another directory, or replace it with --force")
        if _is_within(_here(), self.place):
            raise self._refused(
                "is the current directory, or holds it, and would be replaced as a whole; change to another "
                "directory first, or name one that is yet to be made"
            )
        for mount in _mounts():
            if mount == self.place:
                raise self._refused("is a mount point, which cannot be replaced; name a directory in it")
            if _is_within(mount, self.place):
                message = f"has {mount} mounted in it; unmount that, or name another directory"
                raise self._refused(message)

    def keep_apart(self, directories: Iterable[Path], files: Iterable[Path] = ()) -> None:
        """Raises ImportRefusedError if it is, holds or lies in one of ``directories``, or holds a file."""
        try:
            for directory in [one.resolve() for one in directories]:
                if _is_within(directory, self.place):
                    raise self._refused(f"holds the source itself ({directory}); name another directory")
                if _is_within(self.place, directory):
                    message = f"lies in the source {directory}, which is only read; name another directory"
                    raise self._refused(message)
            for file in [one.resolve() for one in files]:
                if _is_within(file, self.place):
                    raise self._refused(f"holds {file}, which the source needs; name another directory")
        except (OSError, RuntimeError) as error:
            raise self._refused(f"cannot be told from the source: {_reason(error)}") from error

    def put(self, files: Mapping[str, bytes]) -> str:
        """Write ``files``, by their paths within, beside the place, then swap them with what is there.

        Returns what could not be deleted of what was there before, in words; empty if all is gone. Raises
        ImportRefusedError, after which everything is as it was.
        """
        made = [path for path in (self.place.parent, *self.place.parent.parents) if not path.exists()]
        try:
            self.place.parent.mkdir(parents=True, exist_ok=True)
            work = Path(mkdtemp(prefix=".gslb-import-", dir=self.place.parent))
        except OSError as error:
            _remove(made)
            why = f"cannot be written: no directory can be made in {self.place.parent}: {_reason(error)}"
            raise self._refused(why) from error
        new, old = work / "new", work / "old"
        left = ""
        try:
            self._write(new, files)
            self._swap(new, old)
            left = _delete(old)
        finally:
            shutil.rmtree(new, ignore_errors=True)
            _remove([work, *made])  # not if the old directory is still in it
        return left

    def _write(self, new: Path, files: Mapping[str, bytes]) -> None:
        name = ""
        try:
            new.mkdir()
            for name, octets in files.items():
                (new / name).parent.mkdir(parents=True, exist_ok=True)
                (new / name).write_bytes(octets)
        except OSError as error:
            raise self._refused(f"cannot be written: {name}: {_reason(error)}") from error

    def _swap(self, new: Path, old: Path) -> None:
        """Put what is there aside and the new site into its place; if that cannot be, the old one back."""
        try:
            if self.place.exists():
                self._put_aside(old)
            new.rename(self.place)
        except BaseException as error:
            if old.exists():
                self._put_back(old)
            if isinstance(error, OSError):
                raise self._refused(f"cannot be written: {_reason(error)}") from error
            raise

    def _put_aside(self, old: Path) -> None:
        try:
            self.place.rename(old)
        except OSError as error:
            why = f"cannot be put aside: {_reason(error)}; name another directory, or remove this one"
            raise self._refused(why) from error

    def _put_back(self, old: Path) -> None:
        try:
            old.rename(self.place)
        except OSError as error:
            why = f"cannot be written, and what it held is in {old} now ({_reason(error)}): move it back"
            raise self._refused(why) from error


def _reason(error: OSError | RuntimeError) -> str:
    """Why, without the paths: they may be none that the user knows."""
    return error.strerror or "unknown reason" if isinstance(error, OSError) else "symbolic links in a loop"


def _here() -> Path:
    """The current directory; the root if it is gone."""
    try:
        return Path.cwd().resolve()
    except OSError:
        return Path("/")


def _is_within(path: Path, directory: Path) -> bool:
    return path == directory or directory in path.parents


def _mounts() -> list[Path]:
    """Every mount point; none where the system does not tell."""
    try:
        lines = MOUNTS.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return []
    points = (line.split(" ")[_MOUNT_POINT] for line in lines)
    return [Path(_OCTAL.sub(lambda found: chr(int(found[1], 8)), point)) for point in points]


def _delete(old: Path) -> str:
    """Delete a directory that was put aside, if there is one; what is in the way, in words."""
    try:
        if old.exists():
            shutil.rmtree(old)
    except OSError as error:
        return f"what is left of the old site in {old} cannot be deleted: {_reason(error)}; delete it by hand"
    return ""


def _remove(directories: Iterable[Path]) -> None:
    """Those of the directories that are empty, in this order."""
    for directory in directories:
        with suppress(OSError):
            directory.rmdir()
