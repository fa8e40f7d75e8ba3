"""The keys ``geo``, ``latency`` and ``load`` at the top of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gslb.config.files import display_path
from gslb.config.forms import DatabasesForm, LatencyForm, LoadForm, read_form, read_parts
from gslb.config.latency import read_latency_table
from gslb.config.overrides import read_overrides
from gslb.config.wording import quote
from gslb.model.site import LoadSettings

if TYPE_CHECKING:
    from pathlib import Path

    from gslb.config.declared import Declared
    from gslb.config.report import Cursor
    from gslb.model.finding import Place

MAXIMUM_DATABASES = 16


def read_geo(section: Cursor, directory: Path, declared: Declared) -> None:
    """Databases and overrides; paths are relative to ``directory``."""
    settings = _read_some(DatabasesForm, section, "geo", "database", declared)
    for index, name in enumerate(settings.get("databases", ())):
        _add_database(directory / name, section.place_at(("databases", index)), declared)
    if "overrides" in settings:
        path = directory / settings["overrides"]
        declared.table_files.append(str(_absolute(path)))
        read_overrides(path, section.place_at(("overrides",)), declared)


def read_latency(section: Cursor, directory: Path, declared: Declared) -> None:
    """A latency table, whose path is relative to ``directory``, and the hysteresis of all of them."""
    settings = _read_some(LatencyForm, section, "latency", "latency", declared)
    if "table" in settings:
        path = directory / settings["table"]
        declared.table_files.append(str(_absolute(path)))
        read_latency_table(path, section.place_at(("table",)), declared)
    if "hysteresis" in settings:
        place = section.key_place_at(("hysteresis",))
        if declared.set_only_once("hysteresis of latency", place):
            declared.latency_hysteresis = settings["hysteresis"]


def read_load(section: Cursor, declared: Declared) -> None:
    """How reported loads count; a site says it once."""
    is_first = declared.set_only_once("load", section.key_place)
    settings = read_form(LoadForm, section, "load", declared.report)
    if is_first and settings is not None:
        declared.load = LoadSettings(place=section.key_place, **settings)


def _read_some(form: type, section: Cursor, what: str, kind: str, declared: Declared) -> dict[str, Any]:
    """The settings without an error, at least one of which must be given; else the ``kind`` is unread."""
    settings, is_whole = read_parts(form, section, what, declared.report)
    if is_whole and not settings:
        first, *others = form.__annotations__
        message = f"{what} lacks the key {quote(first)} (or {', '.join(others)})"
        declared.report.error("site-missing-key", section.key_place, message)
    if not settings or not is_whole:
        declared.unread.add(kind)
    return settings


def _add_database(path: Path, place: Place, declared: Declared) -> None:
    """Note a geo database; whether it is a usable one shows when the data plane compiles it."""
    absolute = _absolute(path)
    try:
        is_file = absolute.is_file()
    except OSError:  # a link that leads to itself
        is_file = False
    if not is_file:
        message = f"there is no geo database {display_path(absolute)}; put it there, or correct the path"
        declared.report.error("site-missing-database", place, message)
        declared.unread.add("database")
        return
    declared.databases.append(str(absolute))
    if len(set(declared.databases)) > MAXIMUM_DATABASES:
        message = f"the site names more than {MAXIMUM_DATABASES} geo databases"
        declared.report.error("site-too-many", place, message)


def _absolute(path: Path) -> Path:
    """Its absolute path, through links as they stand: one that leads elsewhere is a change, too."""
    if ".." not in path.parts:
        return path.absolute()
    try:
        return path.parent.resolve() / path.name
    except (OSError, RuntimeError):  # a link that leads to itself
        return path.absolute()
