"""The resolver of ALIAS targets, from its YAML mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.config.durations import format_duration
from gslb.config.forms import ResolverForm, read_form
from gslb.model.site import Nameserver, ResolverSettings

if TYPE_CHECKING:
    from gslb.config.declared import Declared
    from gslb.config.report import Cursor


def read_resolver(cursor: Cursor, declared: Declared) -> None:
    """Read ``resolver`` at the top of a file; a site has one."""
    if not declared.set_only_once("resolver", cursor.key_place):
        return
    settings = read_form(ResolverForm, cursor, "resolver", declared.report)
    if settings is None:
        return
    servers = tuple(Nameserver(address=address, port=port) for address, port in settings["nameservers"])
    resolver = ResolverSettings(place=cursor.key_place, **settings | {"nameservers": servers})
    if resolver.min_ttl > resolver.max_ttl:
        message = (
            f"min_ttl of resolver ({format_duration(resolver.min_ttl)}) must not be more than "
            f"its max_ttl ({format_duration(resolver.max_ttl)})"
        )
        written = "min_ttl" if "min_ttl" in settings else "max_ttl"
        declared.report.error("site-invalid-value", cursor.place_at((written,)), message)
        return
    declared.resolver = resolver
