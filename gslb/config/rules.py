"""The keys ``checks`` (what is silenced, other severities) and ``rules`` (rules that a company adds)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gslb.config.forms import (
    BoundsForm,
    ChecksForm,
    OwnersForm,
    RequiredForm,
    RuleForm,
    TargetsForm,
    ZoneChecksForm,
    read_form,
    read_parts,
)
from gslb.config.names import parse_owner_name
from gslb.config.patterns import rr_type
from gslb.config.values import choice
from gslb.config.wording import quote
from gslb.model.checks import Bounds, Patterns, PolicyRule, Required
from gslb.model.finding import Severity
from gslb.model.rules import RULES

if TYPE_CHECKING:
    from gslb.config.declared import Declared
    from gslb.config.report import Cursor

MAXIMUM_RULES = 1000
PREFIX = "policy-"

_NAME = re.compile(r"policy(?:-[a-z0-9]+)+")
_REQUIREMENTS = ("ttl", "targets", "owners", "forbidden_types", "required")


def read_checks(cursor: Cursor, declared: Declared) -> None:
    """Read the key ``checks`` of one file."""
    parts, _ = read_parts(ChecksForm, cursor, "checks", declared.report)
    _read_settings(cursor, parts, "", declared)
    if "zones" not in parts:
        return
    for name, zone in cursor.child("zones").children():
        try:
            origin = "." if name == "." else parse_owner_name(name)
        except ValueError as error:
            declared.report.error("site-invalid-name", zone.key_place, str(error))
            origin = name
        else:
            declared.zones.setdefault(origin, zone.key_place)
        parts, _ = read_parts(ZoneChecksForm, zone, f"checks of zone {quote(name)}", declared.report)
        _read_settings(zone, parts, origin, declared)


def _read_settings(cursor: Cursor, parts: dict[str, Any], origin: str, declared: Declared) -> None:
    """The keys ``silence`` and ``severity``, of a zone or (with an empty ``origin``) of the whole site."""
    if "silence" in parts:
        for item in cursor.child("silence").items():
            if _refer(item.value, item, origin, declared):
                declared.silenced.add((origin, item.value))
    if "severity" not in parts:
        return
    for rule, item in cursor.child("severity").children():
        if not _refer(rule, item, origin, declared):
            continue
        try:
            severity = Severity(choice(list(Severity))(item.value))
        except ValueError as error:
            declared.report.error("site-invalid-value", item.place, f"severity of {rule} {error}")
            continue
        first, place = declared.severities.setdefault((origin, rule), (severity, item.place))
        if first is not severity:
            message = f"the severity of {rule} is already {first} at {place}; remove one of the two"
            declared.report.error("site-duplicate-severity", item.place, message)


def _refer(rule: Any, cursor: Cursor, origin: str, declared: Declared) -> bool:
    """Note that a setting names a rule; ``False`` after an error in that."""
    if not isinstance(rule, str):
        message = f"silence must list rules such as zone-single-ns, not {quote(rule)}"
        declared.report.error("site-invalid-value", cursor.place, message)
        return False
    if RULES.get(rule) is Severity.ERROR:
        message = (
            f"{rule} is an error that keeps a site from being served; it cannot be silenced or made less"
        )
        declared.report.error("site-invalid-value", cursor.key_place, message)
        return False
    if origin and rule.startswith(("site-", "geo-")):
        message = f"{rule} is about the whole site, not one zone; move it to checks itself"
        declared.report.error("site-invalid-value", cursor.key_place, message)
        return False
    declared.refer("check", rule, cursor.key_place, "checks")
    return True


def read_rule(name: str, cursor: Cursor, declared: Declared) -> None:
    """Read one entry of ``rules``."""
    before = len(declared.report.findings)
    if len(name) > 63 or not _NAME.fullmatch(name):
        message = (
            f"{quote(name)} is no usable name of a rule; use at most 63 lower-case letters, digits and "
            f"single hyphens after {PREFIX}"
        )
        declared.report.error("site-invalid-name", cursor.key_place, message)
        declared.misnamed.add(("check", name))
        is_new = False
    else:
        is_new = declared.define("check", name, cursor.key_place, MAXIMUM_RULES + len(RULES))
    what = f"rule {quote(name)}"
    settings, is_whole = read_parts(RuleForm, cursor, what, declared.report)
    if is_whole and not any(key in settings for key in _REQUIREMENTS):
        message = f"{what} asks for nothing; give it one or more of {', '.join(_REQUIREMENTS)}"
        declared.report.error("site-missing-key", cursor.key_place, message)
        return
    read = {
        "ttl": _read_bounds(cursor, what, declared) if "ttl" in settings else (),
        "targets": _read_patterns(TargetsForm, "targets", cursor, what, declared)
        if "targets" in settings
        else None,
        "owners": _read_patterns(OwnersForm, "owners", cursor, what, declared)
        if "owners" in settings
        else None,
        "required": _read_required(cursor, what, declared) if "required" in settings else None,
    }
    if is_new and len(declared.report.findings) == before:
        if "severity" in settings:
            settings["severity"] = Severity(settings["severity"])
        declared.rules.append(PolicyRule(name=name, place=cursor.key_place, **settings | read))


def _read_bounds(cursor: Cursor, what: str, declared: Declared) -> tuple[Bounds, ...]:
    bounds = []
    for text, item in cursor.child("ttl").children():
        try:
            number = 0 if text == "*" else rr_type(text)
        except ValueError as error:
            declared.report.error(
                "site-invalid-value", item.key_place, f"ttl of {what} {error}, or * for all"
            )
            continue
        limits = read_form(BoundsForm, item, f"ttl {text} of {what}", declared.report)
        if limits is None:
            continue
        if not limits or limits.get("min", 0) > limits.get("max", 2**31):
            message = f"ttl {text} of {what} must have min, max or both, min not above max"
            declared.report.error("site-invalid-value", item.place, message)
            continue
        bounds.append(Bounds(rtype=number, minimum=limits.get("min"), maximum=limits.get("max")))
    return tuple(bounds)


def _read_patterns(form: type, key: str, cursor: Cursor, what: str, declared: Declared) -> Patterns | None:
    settings = read_form(form, cursor.child(key), f"{key} of {what}", declared.report)
    if settings is None:
        return None
    if "allow" not in settings and "forbid" not in settings:
        message = f"{key} of {what} must have allow, forbid or both"
        declared.report.error("site-missing-key", cursor.key_place_at((key,)), message)
        return None
    return Patterns(**settings)


def _read_required(cursor: Cursor, what: str, declared: Declared) -> Required | None:
    settings = read_form(RequiredForm, cursor.child("required"), f"required of {what}", declared.report)
    return None if settings is None else Required(**settings)
