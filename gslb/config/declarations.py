"""POPs, monitors, pools and steered names, from their YAML mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gslb.config.durations import format_duration
from gslb.config.forms import EndpointForm, MonitorForm, NameForm, PoolForm, PopForm, read_form, read_parts
from gslb.config.names import parse_identifier, parse_owner_name
from gslb.config.wording import quote
from gslb.model.site import Endpoint, Monitor, Pool, Pop, SteeredName

if TYPE_CHECKING:
    from collections.abc import Collection
    from ipaddress import IPv4Address, IPv6Address

    from gslb.config.declared import Declared
    from gslb.config.report import Cursor
    from gslb.model.finding import Place

MAXIMUM_POPS = 4096
MAXIMUM_MONITORS = 4096
MAXIMUM_POOLS = 65_535
MAXIMUM_ENDPOINTS = 65_535
MAXIMUM_NAMES = 1_000_000

_HTTP_ONLY = ("path", "host", "expect_status")


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
    kind = settings.get("type", "https")
    idle = _HTTP_ONLY if kind == "tcp" else ()
    for key in (*idle, "verify_tls") if kind != "https" else ():
        if key in settings:
            message = f"{key} of {what} has no effect on a {kind} monitor; remove it"
            declared.report.warning("site-setting-without-effect", cursor.key_place_at((key,)), message)
    if _fits_its_interval(settings, cursor, what, declared) and is_new and is_whole:
        declared.monitors.append(Monitor(name=name, place=cursor.key_place, **settings))


def _fits_its_interval(settings: dict[str, Any], cursor: Cursor, what: str, declared: Declared) -> bool:
    """Whether a probe ends before the next; ``False`` after an error in that."""
    durations: dict[str, float] = {}
    for key in ("timeout", "interval"):
        if key in _written(cursor) and key not in settings:
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


def read_pool(name: str, cursor: Cursor, declared: Declared) -> None:
    """Read one entry of ``pools``."""
    is_new = define(declared, "pool", name, cursor, MAXIMUM_POOLS)
    what = f"pool {quote(name)}"
    settings, is_whole = read_parts(PoolForm, cursor, what, declared.report)
    if "monitor" in settings:
        declared.refer("monitor", settings["monitor"], cursor.place_at(("monitor",)), what)
    endpoints = _read_endpoints(cursor, what, declared) if "endpoints" in settings else None
    if is_new and is_whole and endpoints is not None:
        declared.pools.append(Pool(name=name, place=cursor.key_place, **settings | {"endpoints": endpoints}))
    else:
        declared.unread.add("pool")


def _read_endpoints(pool: Cursor, what: str, declared: Declared) -> tuple[Endpoint, ...] | None:
    """The endpoints of a pool, or ``None`` after noting every error in them."""
    listed = pool.child("endpoints")
    fits = 1 <= len(listed.value) <= MAXIMUM_ENDPOINTS
    if not fits:
        message = f"{what} must list 1 to {MAXIMUM_ENDPOINTS:,} endpoints, not {len(listed.value):,}"
        declared.report.error("site-invalid-value", listed.place, message)
    seen: dict[IPv4Address | IPv6Address, Place] = {}
    read = [_read_endpoint(item, what, declared, seen) for item in listed.items()]
    endpoints = tuple(endpoint for endpoint in read if endpoint is not None)
    if not fits or len(endpoints) < len(read):
        return None
    for version in (4, 6):
        weights = [endpoint.weight for endpoint in endpoints if endpoint.address.version == version]
        if weights and not any(weights):
            message = f"every IPv{version} endpoint of {what} has weight 0; give at least one a weight"
            declared.report.error("site-weights-all-zero", pool.key_place, message)
    return endpoints


def _read_endpoint(
    cursor: Cursor, pool: str, declared: Declared, seen: dict[IPv4Address | IPv6Address, Place]
) -> Endpoint | None:
    """One endpoint, or ``None`` after noting every error in it; ``seen`` is where each address stands."""
    settings, is_whole = read_parts(EndpointForm, cursor, f"an endpoint of {pool}", declared.report)
    if "pop" in settings:
        declared.refer("pop", settings["pop"], cursor.place_at(("pop",)), f"an endpoint of {pool}")
    if "address" in settings:
        address, place = settings["address"], cursor.place
        first = seen.setdefault(address, place)
        if first is not place:
            message = f"{pool} already lists {address} at {first}; remove one of the two"
            declared.report.error("site-duplicate-endpoint", place, message)
    return Endpoint(place=cursor.place, **settings) if is_whole else None


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
    for kind in ("pool", "policy"):
        if kind in settings:
            declared.refer(kind, settings[kind], cursor.place_at((kind,)), what)
    if is_new and is_whole:
        declared.names.append(SteeredName(name=owner, place=cursor.key_place, **settings))
        return
    declared.unread.add("name")
    if is_new:
        known = {"pool": "", "policy": "", **settings}
        declared.broken_names.append(SteeredName(name=owner, place=cursor.key_place, **known))


def _written(cursor: Cursor) -> Collection[str]:
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
