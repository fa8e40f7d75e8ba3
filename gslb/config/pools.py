"""Pools, their endpoints and their member pools, from their YAML mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gslb.config import measures
from gslb.config.declarations import define, written
from gslb.config.declared import Unprobed
from gslb.config.forms import EndpointForm, MemberForm, MinHealthyForm, PoolForm, read_form, read_parts
from gslb.config.rdata import present_type
from gslb.config.records import read_records
from gslb.config.values import reference
from gslb.config.wording import quote
from gslb.model.site import AAAA, A, Endpoint, Member, MinHealthy, Pool

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from gslb.config.declared import Declared
    from gslb.config.report import Cursor
    from gslb.model.finding import Place

    Target = IPv4Address | IPv6Address | str

MAXIMUM_POOLS = 65_535
MAXIMUM_ENDPOINTS = 65_535
MAXIMUM_MEMBERS = 256

_OF_ENDPOINTS = ("monitor", "unknown_counts")
_FAMILIES = {A: "IPv4 endpoint", AAAA: "IPv6 endpoint"}


def read_pool(name: str, cursor: Cursor, declared: Declared) -> None:
    """Read one entry of ``pools``: a pool of endpoints, or of pools."""
    is_new = define(declared, "pool", name, cursor, MAXIMUM_POOLS)
    what = f"pool {quote(name)}"
    settings, is_whole = read_parts(PoolForm, cursor, what, declared.report)
    if "policy" in settings:
        declared.refer("policy", settings["policy"], cursor.place_at(("policy",)), what)
    if "monitor" in settings:
        listed = cursor.child("monitor")
        items = listed.items() if isinstance(listed.value, list) else [listed]
        for monitor, item in zip(settings["monitor"], items, strict=True):
            declared.refer("monitor", monitor, item.place, what)
    members: tuple[Member, ...] | None = ()
    endpoints: tuple[Endpoint, ...] | None = ()
    if "pools" in settings:
        members = _read_members(cursor, what, declared)
        _note_settings_without_effect(settings, cursor, what, declared)
    if "endpoints" in settings:
        endpoints = _read_endpoints(cursor, what, declared, settings.get("monitor", ()))
    keys = written(cursor)
    if isinstance(cursor.value, dict) and ("endpoints" in keys) == ("pools" in keys):
        is_whole = False
        if "pools" in keys:
            message = f"{what} has both endpoints and pools; move the endpoints to a pool of their own"
            declared.report.error("site-invalid-value", cursor.key_place_at(("pools",)), message)
        else:
            message = f"{what} lacks the key 'endpoints' (or pools, for a pool of pools)"
            declared.report.error("site-missing-key", cursor.key_place, message)
    min_healthy: MinHealthy | None = MinHealthy.model_construct()
    if "min_healthy" in settings:
        min_healthy = _read_min_healthy(cursor.child("min_healthy"), what, declared)
    if is_new and is_whole and None not in (endpoints, members, min_healthy):
        settings.pop("pools", None)
        settings["monitors"] = settings.pop("monitor", ())
        settings |= {"endpoints": endpoints, "members": members, "min_healthy": min_healthy}
        declared.pools.append(Pool(name=name, place=cursor.key_place, **settings))
        return
    declared.unread.add("pool")
    if not isinstance(cursor.value, dict) or "pools" in keys or "policy" in keys:
        declared.unread.add("member")


def _read_min_healthy(cursor: Cursor, what: str, declared: Declared) -> MinHealthy | None:
    """One need for everything, or one for each address family; ``None`` after noting every error in it."""
    what = f"min_healthy of {what}"
    if isinstance(cursor.value, dict):
        settings = read_form(MinHealthyForm, cursor, what, declared.report)
        return None if settings is None else MinHealthy(**settings)
    try:
        need = measures.need(cursor.value)
    except ValueError as error:
        declared.report.error("site-invalid-value", cursor.place, f"{what} {error}")
        return None
    return MinHealthy(ipv4=need, ipv6=need, other=need)


def _note_settings_without_effect(
    settings: dict[str, Any], cursor: Cursor, what: str, declared: Declared
) -> None:
    for key in _OF_ENDPOINTS:
        if key in settings:
            message = f"{key} of {what} has no effect on a pool of pools; set it where the endpoints are"
            declared.report.warning("site-setting-without-effect", cursor.key_place_at((key,)), message)


def _read_members(pool: Cursor, what: str, declared: Declared) -> tuple[Member, ...] | None:
    """The member pools of a pool, or ``None`` after noting every error in them."""
    listed = pool.child("pools")
    fits = 1 <= len(listed.value) <= MAXIMUM_MEMBERS
    if not fits:
        message = f"{what} must list 1 to {MAXIMUM_MEMBERS:,} pools, not {len(listed.value):,}"
        declared.report.error("site-invalid-value", listed.place, message)
    seen: dict[str, Place] = {}
    read = [_read_member(item, what, declared, seen) for item in listed.items()]
    members = tuple(member for member in read if member is not None)
    if not fits or len(members) < len(read):
        return None
    if not any(member.weight for member in members):
        message = f"every pool of {what} has weight 0; give at least one a weight"
        declared.report.error("site-weights-all-zero", pool.key_place, message)
    return members


def _read_member(cursor: Cursor, pool: str, declared: Declared, seen: dict[str, Place]) -> Member | None:
    """A pool's name, or ``{pool, weight}``; ``None`` after noting every error in it."""
    what = f"a member of {pool}"
    settings: dict[str, Any] = {}
    is_whole, named_at = True, cursor.place
    if isinstance(cursor.value, dict):
        settings, is_whole = read_parts(MemberForm, cursor, what, declared.report)
        named_at = cursor.place_at(("pool",))
    else:
        try:
            settings["pool"] = reference(cursor.value)
        except ValueError as error:
            message = f"{what} {error}, or a mapping with pool and weight"
            declared.report.error("site-invalid-value", cursor.place, message)
            return None
    if "pool" in settings:
        declared.refer("pool", settings["pool"], named_at, what)
        place = cursor.place
        first = seen.setdefault(settings["pool"], place)
        if first is not place:
            message = f"{pool} already lists pool {quote(settings['pool'])} at {first}; remove one of the two"
            declared.report.error("site-duplicate-member", cursor.place, message)
    return Member(place=cursor.place, **settings) if is_whole else None


def _read_endpoints(
    pool: Cursor, what: str, declared: Declared, monitors: tuple[str, ...]
) -> tuple[Endpoint, ...] | None:
    """The endpoints of a pool, or ``None`` after noting every error in them."""
    listed = pool.child("endpoints")
    fits = 1 <= len(listed.value) <= MAXIMUM_ENDPOINTS
    if not fits:
        message = f"{what} must list 1 to {MAXIMUM_ENDPOINTS:,} endpoints, not {len(listed.value):,}"
        declared.report.error("site-invalid-value", listed.place, message)
    reader = _EndpointReader(what, declared, monitors)
    read = [reader.read(item) for item in listed.items()]
    endpoints = tuple(endpoint for endpoint in read if endpoint is not None)
    if not fits or len(endpoints) < len(read):
        return None
    aliases = [endpoint for endpoint in endpoints if endpoint.cname]
    if aliases and len(aliases) < len(endpoints):
        other = next(endpoint for endpoint in endpoints if not endpoint.cname)
        message = (
            f"{what} has endpoints with and without a cname, but a CNAME stands alone; give this one a "
            "cname, or move those with one to a pool of their own"
        )
        declared.report.error("site-mixed-pool", other.place, message)
        return None
    weights: dict[int, int] = {}
    for endpoint in endpoints:
        for kind in endpoint.kinds:
            weights[kind] = max(weights.get(kind, 0), endpoint.weight)
    for kind, most in weights.items():
        if not most:
            noun = _FAMILIES.get(kind, f"endpoint with {present_type(kind)}")
            message = f"every {noun} of {what} has weight 0; give at least one a weight"
            declared.report.error("site-weights-all-zero", pool.key_place, message)
    return endpoints


class _EndpointReader:
    """Reads the endpoints of one pool."""

    def __init__(self, pool: str, declared: Declared, monitors: tuple[str, ...]) -> None:
        self._pool = pool
        self._declared = declared
        self._monitors = monitors
        self._seen: dict[Target, Place] = {}

    def read(self, cursor: Cursor) -> Endpoint | None:
        """One endpoint, or ``None`` after noting every error in it."""
        what = f"an endpoint of {self._pool}"
        settings, is_whole = read_parts(EndpointForm, cursor, what, self._declared.report)
        if "pop" in settings:
            self._declared.refer("pop", settings["pop"], cursor.place_at(("pop",)), what)
        for key in ("address", "cname"):
            if key in settings:
                self._note_twice(settings[key], cursor)
        if "records" in settings:
            records = read_records(cursor.child("records"), what, self._declared)
            is_whole = is_whole and records is not None
            settings["records"] = records
        is_whole = self._has_one_target(cursor, what) and is_whole
        return Endpoint(place=cursor.place, **settings) if is_whole else None

    def _note_twice(self, target: Target, cursor: Cursor) -> None:
        place = cursor.place
        first = self._seen.setdefault(target, place)
        if first is not place:
            message = f"{self._pool} already lists {target} at {first}; remove one of the two"
            self._declared.report.error("site-duplicate-endpoint", place, message)

    def _has_one_target(self, cursor: Cursor, what: str) -> bool:
        """Whether an endpoint says what to answer; ``False`` after an error."""
        report, keys = self._declared.report, written(cursor)
        if not isinstance(cursor.value, dict):
            return False
        if not {"address", "cname", "records"} & set(keys):
            message = f"{what} lacks the key 'address' (or cname, or records)"
            report.error("site-missing-key", cursor.key_place, message)
            return False
        if "cname" in keys and {"address", "records"} & set(keys):
            message = (
                f"{what} has a cname, beside which nothing else can stand; remove the other, or the cname"
            )
            report.error("site-mixed-pool", cursor.place, message)
            return False
        if self._monitors and "address" not in keys and "probe" not in keys:
            unprobed = Unprobed(cursor.key_place, what, "cname" in keys, self._monitors)
            self._declared.unprobed.append(unprobed)
        return True
