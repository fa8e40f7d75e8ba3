"""The files of a site, from what a configuration became: the same input gives the same octets."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gslb.importers.gdnsd.site import Endpoint, Pool, Site

MANY_RULES = 1_000
"""A policy with more rules has a file of its own."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*|[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+(?:/[0-9]+)?|[0-9]+[smhd%]")
_WORDS = frozenset({"true", "false", "null"})
_NUMBER = re.compile(r"[-+]?(?:[0-9]+|\.[0-9]|[0-9]+\.)")


def site_files(site: Site, source: str) -> dict[str, str]:
    """The YAML files by name. ``source`` says what the site was made of."""
    head = f"# Converted from {_comment(source)} by gslb import gdnsd.\n"
    big = [name for name, policy in site.policies.items() if _rules(policy.steps) > MANY_RULES]
    parts = {
        "pops.yaml": [_section("pops", _pops(site))],
        "pools.yaml": [_section("monitors", _monitors(site)), _section("pools", _pools(site))],
        "policies.yaml": [
            _section(
                "geo", [f"  databases: [{', '.join(map(scalar, site.databases))}]"] if site.databases else []
            ),
            _section("policies", _policies(site, [name for name in site.policies if name not in big])),
        ],
        "names.yaml": [_section("names", _names(site))],
    }
    parts |= {f"policy-{name}.yaml": [_section("policies", _policies(site, [name]))] for name in big}
    return {
        file: "\n".join([head, *filter(None, sections)]) for file, sections in parts.items() if any(sections)
    }


@lru_cache(maxsize=65_536, typed=True)
def scalar(value: str | float) -> str:
    """A text or number as YAML, in double quotes where it needs them."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) and value == int(value) else str(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS and not _NUMBER.fullmatch(text):
        return text
    escaped = "".join(
        f"\\{char}" if char in '"\\' else char if char.isprintable() else f"\\u{ord(char):04x}"
        for char in text
    )
    return f'"{escaped}"'


def _section(key: str, lines: Iterable[str]) -> str:
    listed = list(lines)
    return "\n".join([f"{key}:", *listed]) + "\n" if listed else ""


def _comment(text: str) -> str:
    """Text without line breaks or other characters that a comment must not have."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _flow(values: Iterable[tuple[str, object]]) -> str:
    return "{" + ", ".join(f"{key}: {_inline(value)}" for key, value in values) + "}"


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return _flow((scalar(key), inner) for key, inner in value.items())
    if isinstance(value, list):
        return _list(tuple(value))
    return scalar(value)


@lru_cache(maxsize=4_096, typed=True)
def _list(values: tuple[str | float, ...]) -> str:
    return "[" + ", ".join(map(scalar, values)) + "]"


def _pops(site: Site) -> Iterator[str]:
    for pop in site.pops.values():
        where = (
            []
            if pop.coordinates is None
            else list(zip(("latitude", "longitude"), pop.coordinates, strict=True))
        )
        yield f"  {scalar(pop.name)}:" + (f" {_flow(where)}" if where else "") + f"  # {_comment(pop.note)}"


def _monitors(site: Site) -> Iterator[str]:
    for monitor in site.monitors.values():
        yield f"  {scalar(monitor.name)}:  # {_comment(monitor.note)}"
        for key, value in monitor.settings.items():
            yield f"    {key}: {_inline(value)}"


def _pools(site: Site) -> Iterator[str]:
    roots = {name.pool for name in site.names}
    for pool in site.pools.values():
        yield f"  {scalar(pool.name)}:  # {_comment(pool.note)}"
        if pool.monitors:
            one = len(pool.monitors) == 1
            yield f"    monitor: {scalar(pool.monitors[0]) if one else _inline(list(pool.monitors))}"
        if pool.policy:
            yield f"    policy: {scalar(pool.policy)}"
        if pool.name in roots:
            yield "    when_all_down: serve_all"
        if pool.is_down:
            yield "    unknown_counts: down"
        if pool.min_healthy:
            yield f"    min_healthy: {_flow(pool.min_healthy.items())}"
        yield from _members(pool)


def _members(pool: Pool) -> Iterator[str]:
    if pool.members:
        listed = [
            scalar(name) if weight is None else _flow([("pool", name), ("weight", weight)])
            for name, weight in pool.members
        ]
        yield f"    pools: [{', '.join(listed)}]"
        return
    yield "    endpoints:"
    for endpoint in pool.endpoints:
        label = f"  # {_comment(endpoint.label)}" if endpoint.label else ""
        yield f"      - {_flow(_endpoint(endpoint))}{label}"


def _endpoint(endpoint: Endpoint) -> Iterator[tuple[str, object]]:
    yield "pop", endpoint.pop
    yield "cname" if endpoint.target.endswith(".") else "address", endpoint.target
    if endpoint.weight is not None:
        yield "weight", endpoint.weight
    if endpoint.probe:
        yield "probe", endpoint.probe


def _rules(steps: list[Any]) -> int:
    return sum(
        len(rules)
        for step in steps
        if isinstance(step, dict)
        for rules in step.get("geo", {}).values()
        if isinstance(rules, dict)
    )


def _policies(site: Site, names: list[str]) -> Iterator[str]:
    for name in names:
        policy = site.policies[name]
        yield f"  {scalar(name)}:  # {_comment(policy.note)}"
        for step in policy.steps:
            if isinstance(step, str):
                yield f"    - {step}"
                continue
            for word, settings in step.items():
                if word != "geo":
                    yield f"    - {word}: {_inline(settings)}"
                    continue
                yield "    - geo:"
                for key, value in settings.items():
                    yield f"        {key}:" + ("" if isinstance(value, dict) else f" {_inline(value)}")
                    if isinstance(value, dict):
                        yield from (
                            f"          {scalar(place)}: {_inline(units)}" for place, units in value.items()
                        )


def _names(site: Site) -> Iterator[str]:
    for name in site.names:
        keys = ("pool", "policy", "reflect")
        settings: list[tuple[str, object]] = [(key, value) for key in keys if (value := getattr(name, key))]
        is_fixed = name.ttl == name.min_ttl
        settings.append(("ttl", name.ttl if is_fixed else {"max": name.ttl, "min": name.min_ttl}))
        if not name.client_subnet:
            settings.append(("client_subnet", False))
        yield f"  {scalar(name.name.removesuffix('.'))}: {_flow(settings)}  # {_comment(name.note)}"
