"""POPs, monitors and steered names, from their YAML mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gslb.config.durations import format_duration
from gslb.config.forms import MAXIMUM_TTL, MonitorForm, NameForm, PopForm, TtlForm, read_form, read_parts
from gslb.config.names import parse_identifier, parse_owner_name
from gslb.config.values import whole_seconds
from gslb.config.wording import quote
from gslb.model.site import Monitor, Pop, SteeredName

if TYPE_CHECKING:
    from collections.abc import Collection

    from gslb.config.declared import Declared
    from gslb.config.report import Cursor

MAXIMUM_POPS = 4096
MAXIMUM_MONITORS = 4096
MAXIMUM_NAMES = 1_000_000

_HTTP = ("port", "path", "host", "expect_status")
_READ_BY = {
    "https": (*_HTTP, "verify_tls"),
    "http": _HTTP,
    "tcp": ("port",),
    "command": ("command",),
    "file": ("file", "missing"),
}
"""Type of monitor to the settings that only some types have."""
_NEEDED_BY = {"https": "port", "http": "port", "tcp": "port", "command": "command", "file": "file"}


def read_pop(name: str, cursor: Cursor, declared: Declared) -> None:
    """Read one entry of ``pops``."""
    is_new = define(declared, "pop", name, cursor, MAXIMUM_POPS)
    what = f"POP {quote(name)}"
    settings = {} if cursor.value is None else read_form(PopForm, cursor, what, declared.report)
    if settings is None:
        return
    if ("latitude" in settings) != ("longitude" in settings):
        message = f"{what} has only one of latitude and longitude; give both or neither"
        declared.report.error("site-invalid-value", cursor.key_place, message)
        return
    if is_new:
        declared.pops.append(Pop(name=name, place=cursor.key_place, **settings))


def read_monitor(name: str, cursor: Cursor, declared: Declared) -> None:
    """Read one entry of ``monitors``."""
    is_new = define(declared, "monitor", name, cursor, MAXIMUM_MONITORS)
    what = f"monitor {quote(name)}"
    settings, is_whole = read_parts(MonitorForm, cursor, what, declared.report)
    kind = settings.get("type")
    if kind is not None:
        for key in {key: None for keys in _READ_BY.values() for key in keys if key not in _READ_BY[kind]}:
            if key in settings:
                message = f"{key} of {what} has no effect on a {kind} monitor; remove it"
                declared.report.warning("site-setting-without-effect", cursor.key_place_at((key,)), message)
        if _NEEDED_BY[kind] not in written(cursor):
            message = f"{what} lacks the key {quote(_NEEDED_BY[kind])}"
            declared.report.error("site-missing-key", cursor.key_place, message)
            is_whole = False
    if _fits_its_interval(settings, cursor, what, declared) and is_new and is_whole:
        declared.monitors.append(Monitor(name=name, place=cursor.key_place, **settings))


def _fits_its_interval(settings: dict[str, Any], cursor: Cursor, what: str, declared: Declared) -> bool:
    """Whether a probe ends before the next; ``False`` after an error in that."""
    durations: dict[str, float] = {}
    for key in ("timeout", "interval"):
        if key in written(cursor) and key not in settings:
            return True  # an error of its own
        durations[key] = settings.get(key, Monitor.model_fields[key].default)
    timeout, interval = durations["timeout"], durations["interval"]
    if timeout < interval:
        return True
    message = (
        f"timeout of {what} ({format_duration(timeout)}) must be less than "
        f"its interval ({format_duration(interval)})"
    )
    declared.report.error("site-invalid-value", cursor.place_at(("timeout",)), message)
    return False


def read_name(name: str, cursor: Cursor, declared: Declared) -> None:
    """Read one entry of ``names``."""
    owner, is_new = "", False
    try:
        owner = parse_owner_name(name)
    except ValueError as error:
        declared.report.error("site-invalid-name", cursor.key_place, str(error))
    else:
        is_new = declared.define("name", owner, cursor.key_place, MAXIMUM_NAMES)
    what = f"name {quote(name)}"
    settings, is_whole = read_parts(NameForm, cursor, what, declared.report)
    is_whole = _has_one_answer(cursor, what, declared) and is_whole
    for kind in ("pool", "policy"):
        if kind in settings:
            declared.refer(kind, settings[kind], cursor.place_at((kind,)), what)
    ttl = _read_ttl(cursor.child("ttl"), what, declared) if "ttl" in settings else {}
    settings.pop("ttl", None)
    is_whole = is_whole and ttl is not None
    settings |= ttl or {}
    if is_new and is_whole:
        declared.names.append(SteeredName(name=owner, place=cursor.key_place, **settings))
        return
    declared.unread.add("name")
    if is_new:
        declared.broken_names.append(SteeredName(name=owner, place=cursor.key_place, **settings))


def _has_one_answer(cursor: Cursor, what: str, declared: Declared) -> bool:
    """Whether a name says what answers it, a pool or who asks; ``False`` after an error in that."""
    keys = written(cursor)
    if not isinstance(cursor.value, dict):
        return False
    if "reflect" not in keys:
        if "pool" not in keys:
            message = f"{what} lacks the key 'pool' (or reflect)"
            declared.report.error("site-missing-key", cursor.key_place, message)
        return "pool" in keys
    besides = [key for key in ("pool", "policy") if key in keys]
    for key in besides:
        message = f"{what} reflects who asks, so it has no {key}; remove one of the two"
        declared.report.error("site-invalid-value", cursor.key_place_at((key,)), message)
    if isinstance(cursor.value.get("ttl"), dict) and "min" in cursor.value["ttl"]:
        message = f"min of ttl of {what} has no effect, since nothing of it can be down; write one TTL"
        place = cursor.key_place_at(("ttl", "min"))
        declared.report.warning("site-setting-without-effect", place, message)
    return not besides


def _read_ttl(cursor: Cursor, what: str, declared: Declared) -> dict[str, int] | None:
    """One TTL, or ``{max, min}``; ``None`` after noting every error in it."""
    report = declared.report
    if not isinstance(cursor.value, dict):
        try:
            return {"ttl": whole_seconds(0, MAXIMUM_TTL)(cursor.value)}
        except ValueError as error:
            report.error("site-invalid-value", cursor.place, f"ttl of {what} {error}")
            return None
    settings = read_form(TtlForm, cursor, f"ttl of {what}", report)
    if settings is None:
        return None
    least, most = settings["min"], settings["max"]
    if least > most:
        message = (
            f"min of ttl of {what} ({format_duration(least)}) must not be more than "
            f"its max ({format_duration(most)})"
        )
        report.error("site-invalid-value", cursor.place_at(("min",)), message)
        return None
    return {"ttl": most, "least_ttl": least}


def written(cursor: Cursor) -> Collection[str]:
    """The keys of a mapping, in error or not."""
    return cursor.value if isinstance(cursor.value, dict) else ()


def define(declared: Declared, kind: str, name: str, cursor: Cursor, maximum: int) -> bool:
    """Note the definition of an identifier; ``False`` after an error in it."""
    try:
        parse_identifier(name)
    except ValueError as error:
        declared.report.error("site-invalid-name", cursor.key_place, f"{kind} {error}")
        declared.misnamed.add((kind, name))
        return False
    return declared.define(kind, name, cursor.key_place, maximum)
