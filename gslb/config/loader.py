"""All YAML files of a site to one checked ``SteeringConfig``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gslb.config.checks import check_declared
from gslb.config.declarations import read_monitor, read_name, read_pop
from gslb.config.declared import Declared
from gslb.config.files import UnreadableFileError, display_path, find_files, read_text
from gslb.config.policies import read_policy
from gslb.config.policy_tests import TEST_FILES
from gslb.config.pools import read_pool
from gslb.config.report import Cursor, report_unknown_key, sort_findings
from gslb.config.resolver import read_resolver
from gslb.config.rules import read_checks, read_rule
from gslb.config.settings import read_geo, read_latency, read_load
from gslb.config.wording import quote
from gslb.model.checks import CheckSettings
from gslb.model.finding import Place
from gslb.model.site import LoadSettings, SteeringConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from gslb.model.finding import Finding

_DEFINITIONS: dict[str, Callable[[str, Cursor, Declared], None]] = {
    "pops": read_pop,
    "monitors": read_monitor,
    "pools": read_pool,
    "policies": read_policy,
    "names": read_name,
    "rules": read_rule,
}
_SECTIONS = (*_DEFINITIONS, "checks", "geo", "latency", "load", "resolver")
_KINDS = {
    "pools": ("pool", "member"),
    "names": ("name",),
    "geo": ("database",),
    "latency": ("latency",),
}
"""What may be unread of a section, as in ``Declared.unread``."""
_EVERY_KIND = frozenset(kind for kinds in _KINDS.values() for kind in kinds)


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
        declared.unread.update(_EVERY_KIND)
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
        overrides=tuple(declared.overrides),
        table_files=tuple(dict.fromkeys(declared.table_files)),
        latency=tuple(declared.latency),
        latency_hysteresis=declared.latency_hysteresis,
        load=declared.load or LoadSettings.model_construct(),
        checks=CheckSettings.model_construct(
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
    from gslb.config.yaml import MAXIMUM_OCTETS, parse  # noqa: PLC0415 - a site of zones alone has no YAML

    report = declared.report
    file = display_path(path)
    try:
        text = read_text(path, MAXIMUM_OCTETS)
    except UnreadableFileError as error:
        report.error("site-unreadable", Place(file), f"the file {error}")
        declared.unread.update(_EVERY_KIND)
        return
    document, problems = parse(text)
    if problems:
        declared.unread.update(_EVERY_KIND)
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
        declared.unread.update(_EVERY_KIND)
        return
    for key, section in top.children():
        if key not in _SECTIONS:
            report_unknown_key(report, section.key_place, key, _SECTIONS, "a site file")
            declared.unread.update(_EVERY_KIND)
        elif section.value is not None:
            _read_section(key, section, path.parent, declared)


def _read_section(key: str, section: Cursor, directory: Path, declared: Declared) -> None:
    if key == "geo":
        read_geo(section, directory, declared)
    elif key == "latency":
        read_latency(section, directory, declared)
    elif key == "load":
        read_load(section, declared)
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
        declared.unread.update(_KINDS.get(key, ()))
