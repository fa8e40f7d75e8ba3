"""All YAML files of a site to one checked ``SteeringConfig``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gslb.config.checks import check_declared
from gslb.config.declarations import read_monitor, read_name, read_pool, read_pop
from gslb.config.declared import Declared
from gslb.config.files import UnreadableFileError, display_path, find_files, read_text
from gslb.config.forms import DatabasesForm, LatencyForm, read_parts
from gslb.config.latency import read_latency_table
from gslb.config.policies import read_policy
from gslb.config.policy_tests import TEST_FILES
from gslb.config.report import Cursor, report_unknown_key, sort_findings
from gslb.config.resolver import read_resolver
from gslb.config.rules import read_checks, read_rule
from gslb.config.wording import quote
from gslb.config.yaml import MAXIMUM_OCTETS, parse
from gslb.model.checks import CheckSettings
from gslb.model.finding import Place
from gslb.model.site import SteeringConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from gslb.model.finding import Finding

MAXIMUM_DATABASES = 16

_DEFINITIONS: dict[str, Callable[[str, Cursor, Declared], None]] = {
    "pops": read_pop,
    "monitors": read_monitor,
    "pools": read_pool,
    "policies": read_policy,
    "names": read_name,
    "rules": read_rule,
}
_SECTIONS = (*_DEFINITIONS, "checks", "geo", "latency", "resolver")
_KINDS = {"pools": "pool", "names": "name", "geo": "database", "latency": "latency"}
"""What may be unread of a section, as in ``Declared.unread``."""


def load_steering(directory: Path) -> tuple[SteeringConfig, tuple[Finding, ...]]:
    """Read every ``*.yaml`` and ``*.yml`` of a site, at any depth.

    Never raises for content. Every error of every file is among the findings, sorted by place; with any error
    the config holds only what was read without (but for ``broken_names``), and its references may lead
    nowhere.
    """
    declared = Declared()
    try:
        paths = find_files(directory, is_site_file)
    except UnreadableFileError as error:
        declared.report.error("site-unreadable", Place(display_path(error.path)), str(error))
        declared.unread.update(_KINDS.values())
        paths = []
    for path in paths:
        _read_file(path, declared)
    check_declared(declared)
    config = SteeringConfig.model_construct(
        pops=tuple(declared.pops),
        monitors=tuple(declared.monitors),
        pools=tuple(declared.pools),
        policies=tuple(declared.policies),
        names=tuple(declared.names),
        broken_names=tuple(declared.broken_names),
        databases=tuple(dict.fromkeys(declared.databases)),
        latency=tuple(declared.latency),
        checks=CheckSettings(
            silenced=frozenset(declared.silenced),
            severities={key: severity for key, (severity, _) in declared.severities.items()},
            zones=tuple(declared.zones.items()),
        ),
        rules=tuple(declared.rules),
        resolver=declared.resolver,
    )
    return config, sort_findings(declared.report.findings)


def is_site_file(name: str) -> bool:
    """Whether a file of this name declares a part of the site."""
    return name.endswith((".yaml", ".yml")) and name not in TEST_FILES


def _read_file(path: Path, declared: Declared) -> None:
    report = declared.report
    file = display_path(path)
    try:
        text = read_text(path, MAXIMUM_OCTETS)
    except UnreadableFileError as error:
        report.error("site-unreadable", Place(file), f"the file {error}")
        declared.unread.update(_KINDS.values())
        return
    document, problems = parse(text)
    if problems:
        declared.unread.update(_KINDS.values())
    for problem in problems:
        place = Place(file, problem.position.line, problem.position.column)
        if problem.earlier is None:
            report.error("site-syntax", place, problem.message)
        else:
            earlier = Place(file, problem.earlier.line, problem.earlier.column)
            report.error("site-duplicate-key", place, f"{problem.message}, first at {earlier}; remove one")
    if document is None or document.value is None:
        return
    top = Cursor(file, document, (), document.value)
    if not isinstance(top.value, dict):
        message = f"a site file must be a mapping with some of the keys {', '.join(_SECTIONS)}"
        report.error("site-invalid-value", top.place, message)
        declared.unread.update(_KINDS.values())
        return
    for key, section in top.children():
        if key not in _SECTIONS:
            report_unknown_key(report, section.key_place, key, _SECTIONS, "a site file")
            declared.unread.update(_KINDS.values())
        elif section.value is not None:
            _read_section(key, section, path.parent, declared)


def _read_section(key: str, section: Cursor, directory: Path, declared: Declared) -> None:
    if key == "geo":
        settings, is_whole = read_parts(DatabasesForm, section, "geo", declared.report)
        if not is_whole:
            declared.unread.add("database")
        for index, name in enumerate(settings.get("databases", ())):
            _add_database(directory / name, section.place_at(("databases", index)), declared)
    elif key == "latency":
        settings, is_whole = read_parts(LatencyForm, section, "latency", declared.report)
        if not is_whole:
            declared.unread.add("latency")
        if "table" in settings:
            named_at = section.place_at(("table",))
            table = directory / settings["table"]
            read_latency_table(table, named_at, declared)
    elif key == "resolver":
        read_resolver(section, declared)
    elif key == "checks":
        read_checks(section, declared)
    elif isinstance(section.value, dict):
        for name, cursor in section.children():
            _DEFINITIONS[key](name, cursor, declared)
    else:
        message = f"{key} must be a mapping (name: settings), not {quote(section.value)}"
        declared.report.error("site-invalid-value", section.place, message)
        if key in _KINDS:
            declared.unread.add(_KINDS[key])


def _add_database(path: Path, place: Place, declared: Declared) -> None:
    """Note a geo database; whether it is a usable one shows when the data plane compiles it."""
    try:
        absolute = path.resolve()
        is_file = absolute.is_file()
    except (OSError, RuntimeError):  # a link that leads to itself
        absolute, is_file = path, False
    if not is_file:
        message = f"there is no geo database {display_path(absolute)}; put it there, or correct the path"
        declared.report.error("site-missing-database", place, message)
        declared.unread.add("database")
        return
    declared.databases.append(str(absolute))
    if len(set(declared.databases)) > MAXIMUM_DATABASES:
        message = f"the site names more than {MAXIMUM_DATABASES} geo databases"
        declared.report.error("site-too-many", place, message)
