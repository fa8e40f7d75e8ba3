"""POPs, monitors, pools and steered names, from their YAML mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.config.durations import format_duration
from gslb.config.forms import EndpointForm, MonitorForm, NameForm, PoolForm, PopForm, read_form
from gslb.config.names import parse_identifier, parse_owner_name
from gslb.config.wording import quote
from gslb.model.site import Endpoint, Monitor, Pool, Pop, SteeredName

if TYPE_CHECKING:
    from gslb.config.declared import Declared
    from gslb.config.report import Cursor

MAXIMUM_POPS = 4096
MAXIMUM_MONITORS = 4096
MAXIMUM_POOLS = 65_535
MAXIMUM_ENDPOINTS = 65_535
MAXIMUM_NAMES = 1_000_000

_HTTP_ONLY = ("path", "host", "expect_status")


def read_pop(name: str, cursor: Cursor, declared: Declared) -> None:
    """Read one entry of ``pops``."""
    if not define(declared, "pop", name, cursor, MAXIMUM_POPS):
        return
    what = f"POP {quote(name)}"
    settings = {} if cursor.value is None else read_form(PopForm, cursor, what, declared.report)
    if settings is None:
        return
    if ("latitude" in settings) != ("longitude" in settings):
        message = f"{what} has only one of latitude and longitude; give both or neither"
        declared.report.error("site-invalid-value", cursor.key_place, message)
        return
    declared.pops.append(Pop(name=name, place=cursor.key_place, **settings))


def read_monitor(name: str, cursor: Cursor, declared: Declared) -> None:
    """Read one entry of ``monitors``."""
    if not define(declared, "monitor", name, cursor, MAXIMUM_MONITORS):
        return
    what = f"monitor {quote(name)}"
    settings = read_form(MonitorForm, cursor, what, declared.report)
    if settings is None:
        return
    monitor = Monitor(name=name, place=cursor.key_place, **settings)
    if monitor.timeout >= monitor.interval:
        message = (
            f"timeout of {what} ({format_duration(monitor.timeout)}) must be less than "
            f"its interval ({format_duration(monitor.interval)})"
        )
        declared.report.error("site-invalid-value", cursor.place_at(("timeout",)), message)
        return
    idle = _HTTP_ONLY if monitor.type == "tcp" else ()
    for key in (*idle, "verify_tls") if monitor.type != "https" else ():
        if key in settings:
            message = f"{key} of {what} has no effect on a {monitor.type} monitor; remove it"
            declared.report.warning("site-setting-without-effect", cursor.key_place_at((key,)), message)
    declared.monitors.append(monitor)


def read_pool(name: str, cursor: Cursor, declared: Declared) -> None:
    """Read one entry of ``pools``."""
    if not define(declared, "pool", name, cursor, MAXIMUM_POOLS):
        return
    what = f"pool {quote(name)}"
    settings = read_form(PoolForm, cursor, what, declared.report)
    endpoints = _read_endpoints(cursor, what, declared)
    if settings is None or endpoints is None:
        return
    if "monitor" in settings:
        declared.refer("monitor", settings["monitor"], cursor.place_at(("monitor",)), what)
    declared.pools.append(Pool(name=name, place=cursor.key_place, **settings | {"endpoints": endpoints}))


def _read_endpoints(pool: Cursor, what: str, declared: Declared) -> tuple[Endpoint, ...] | None:
    """The endpoints of a pool, read for their errors even when the pool has others."""
    if not isinstance(pool.value, dict) or not isinstance(pool.value.get("endpoints"), list):
        return None
    listed = pool.child("endpoints")
    if not 1 <= len(listed.value) <= MAXIMUM_ENDPOINTS:
        message = f"{what} must list 1 to {MAXIMUM_ENDPOINTS:,} endpoints, not {len(listed.value):,}"
        declared.report.error("site-invalid-value", listed.place, message)
        return None
    read = [_read_endpoint(item, what, declared) for item in listed.items()]
    endpoints = tuple(endpoint for endpoint in read if endpoint is not None)
    return endpoints if len(endpoints) == len(read) else None


def _read_endpoint(cursor: Cursor, pool: str, declared: Declared) -> Endpoint | None:
    settings = read_form(EndpointForm, cursor, f"an endpoint of {pool}", declared.report)
    if settings is None:
        return None
    declared.refer("pop", settings["pop"], cursor.place_at(("pop",)), f"an endpoint of {pool}")
    return Endpoint(place=cursor.place, **settings)


def read_name(name: str, cursor: Cursor, declared: Declared) -> None:
    """Read one entry of ``names``."""
    try:
        owner = parse_owner_name(name)
    except ValueError as error:
        declared.report.error("site-invalid-name", cursor.key_place, str(error))
        return
    if not declared.define("name", owner, cursor.key_place, MAXIMUM_NAMES):
        return
    what = f"name {quote(name)}"
    settings = read_form(NameForm, cursor, what, declared.report)
    if settings is not None:
        for kind in ("pool", "policy"):
            declared.refer(kind, settings[kind], cursor.place_at((kind,)), what)
        declared.names.append(SteeredName(name=owner, place=cursor.key_place, **settings))


def define(declared: Declared, kind: str, name: str, cursor: Cursor, maximum: int) -> bool:
    """Note the definition of an identifier; ``False`` after an error in it."""
    try:
        parse_identifier(name)
    except ValueError as error:
        declared.report.error("site-invalid-name", cursor.key_place, f"{kind} {error}")
        return False
    return declared.define(kind, name, cursor.key_place, maximum)
