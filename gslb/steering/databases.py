"""Which of a site's geo databases a comparison is about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gslb.config.files import display_path
from gslb.errors import SteeringError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def before_and_after(databases: Sequence[str], old: Path, new: Path) -> tuple[list[str], list[str]]:
    """The databases of a site before and after ``new`` takes the place of ``old``.

    Files: the place is that of the site's database that ``old`` is, else that ``new`` is, else that has the
    name of either, else that of the only one. Directories: each database of the site is replaced by the file
    of its name there, if there is one. Raises SteeringError.
    """
    if not databases:
        raise SteeringError("the site names no geo databases: there is nothing to replace")
    try:
        return _before_and_after(databases, old, new)
    except OSError as error:  # such as a directory that may not be entered
        raise SteeringError(f"cannot look at {error.filename}: {error.strerror}") from error


def _before_and_after(databases: Sequence[str], old: Path, new: Path) -> tuple[list[str], list[str]]:
    for path in (old, new):
        if not path.exists():
            raise SteeringError(f"there is no file or directory {path}")
    if old.is_dir() != new.is_dir():
        raise SteeringError(f"{old} and {new} must both be files, or both be directories")
    if old.is_dir():
        return _of_directory(databases, old), _of_directory(databases, new)
    place = _place(databases, old, new)
    return _with(databases, place, old), _with(databases, place, new)


def _place(databases: Sequence[str], old: Path, new: Path) -> int:
    """The index of the database that is replaced."""
    tests: list[Callable[[Path], bool]] = [
        lambda database: database.samefile(old),
        lambda database: database.samefile(new),
        lambda database: database.name in (old.name, new.name),
        lambda _: len(databases) == 1,
    ]
    for is_meant in tests:
        found = [number for number, database in enumerate(databases) if is_meant(Path(database))]
        if len(found) == 1:
            return found[0]
    names = ", ".join(display_path(Path(database)) for database in databases)
    raise SteeringError(
        f"it is unclear which of the site's geo databases {new} replaces: give one of them as OLD ({names}), "
        "or a file of the same name"
    )


def _with(databases: Sequence[str], place: int, path: Path) -> list[str]:
    return [*databases[:place], str(path.resolve()), *databases[place + 1 :]]


def _of_directory(databases: Sequence[str], directory: Path) -> list[str]:
    found = [(directory / Path(database).name).resolve() for database in databases]
    if not any(path.is_file() for path in found):
        names = ", ".join(Path(database).name for database in databases)
        raise SteeringError(f"none of the site's geo databases ({names}) is in {directory}")
    return [
        str(path) if path.is_file() else database for path, database in zip(found, databases, strict=True)
    ]
