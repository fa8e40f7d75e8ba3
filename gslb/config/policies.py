"""Policies and their steps, from YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gslb.config import values
from gslb.config.declarations import define
from gslb.config.forms import FailoverForm, GeoForm, PolicyForm, read_form, read_parts
from gslb.config.locations import parse_location_value
from gslb.config.wording import did_you_mean, quote
from gslb.model.site import (
    DistanceStep,
    FailoverStep,
    GeoRule,
    GeoStep,
    LatencyStep,
    LocationKind,
    Policy,
    TakeStep,
    WeightedStep,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gslb.config.declared import Declared
    from gslb.config.report import Cursor
    from gslb.model.finding import Place
    from gslb.model.site import Step

MAXIMUM_POLICIES = 65_535
MAXIMUM_STEPS = 16
MAXIMUM_RULES = 65_536
MAXIMUM_TIERS = 256
MAXIMUM_TAKE = 32

_BARE_STEPS: dict[str, type[LatencyStep | DistanceStep | WeightedStep]] = {
    "latency": LatencyStep,
    "distance": DistanceStep,
    "weighted": WeightedStep,
}
_EXAMPLES = {
    "geo": "geo: {country: {DE: [fra]}}",
    "failover": "failover: [fra, [ams, iad]]",
    "take": "take: 2",
}
STEPS = ("geo", "latency", "distance", "failover", "weighted", "take")


def read_policy(name: str, cursor: Cursor, declared: Declared) -> None:
    """Read one entry of ``policies``: a list of steps, or a mapping with ``steps``."""
    is_whole = define(declared, "policy", name, cursor, MAXIMUM_POLICIES)
    report = declared.report
    what = f"policy {quote(name)}"
    listed = cursor
    if not isinstance(cursor.value, list):
        settings, without_errors = read_parts(PolicyForm, cursor, what, report)
        if "steps" not in settings:
            return
        is_whole = is_whole and without_errors
        listed = cursor.child("steps")
    if not 1 <= len(listed.value) <= MAXIMUM_STEPS:
        message = f"{what} must list 1 to {MAXIMUM_STEPS} steps, not {len(listed.value)}"
        report.error("site-invalid-value", listed.place, message)
        is_whole = False
    reader = _StepReader(declared, what)
    read = [reader.read(item) for item in listed.items()]
    steps = tuple(step for step in read if step is not None)
    if is_whole and len(steps) == len(read):
        declared.policies.append(Policy(name=name, steps=steps, place=cursor.key_place))


class _StepError(Exception):
    """A step, or a part of one, cannot be read."""

    def __init__(self, place: Place, message: str, rule: str = "site-invalid-value") -> None:
        self.place = place
        self.rule = rule
        super().__init__(message)


class _StepReader:
    """Reads the steps of one policy."""

    def __init__(self, declared: Declared, policy: str) -> None:
        self._declared = declared
        self._policy = policy

    def read(self, cursor: Cursor) -> Step | None:
        """One step, or ``None`` after noting every error in it."""
        try:
            return self._read_step(cursor)
        except _StepError as error:
            self._note(error)
            return None

    def _note(self, error: _StepError) -> None:
        self._declared.report.error(error.rule, error.place, f"{self._policy}: {error}")

    def _read_step(self, cursor: Cursor) -> Step | None:
        """One step: its bare name, or a mapping of its name to its settings."""
        settings: Cursor | None = None
        if isinstance(cursor.value, str):
            kind = cursor.value
        elif isinstance(cursor.value, dict) and len(cursor.value) == 1:
            kind, settings = next(cursor.children())
        else:
            self._read_joined(cursor)
            raise _StepError(cursor.place, f"a step must be one of {', '.join(STEPS)}, each a list item")
        if kind not in STEPS:
            hint = did_you_mean(kind, STEPS) or f"; use {', '.join(STEPS)}"
            raise _StepError(cursor.place, f"there is no step {quote(kind)}{hint}", "site-unknown-step")
        if settings is None or settings.value is None:
            if kind not in _BARE_STEPS:
                message = f"the step {kind} needs settings; write {_EXAMPLES[kind]}"
                raise _StepError(cursor.place, message)
            return _BARE_STEPS[kind]()
        if kind in _BARE_STEPS:
            raise _StepError(settings.place, f"the step {kind} takes no settings")
        return self._read_settings(kind, settings)

    def _read_joined(self, cursor: Cursor) -> None:
        """Steps that wrongly stand in one item, for the errors in each."""
        for kind, settings in cursor.children() if isinstance(cursor.value, dict) else ():
            if kind in STEPS and kind not in _BARE_STEPS and settings.value is not None:
                try:
                    self._read_settings(kind, settings)
                except _StepError as error:
                    self._note(error)

    def _read_settings(self, kind: str, settings: Cursor) -> Step | None:
        if kind == "geo":
            return self._read_geo(settings)
        if kind == "failover":
            return self._read_failover(settings)
        try:
            return TakeStep(count=values.integer(1, MAXIMUM_TAKE)(settings.value))
        except ValueError as error:
            raise _StepError(settings.place, f"take {error}") from None

    def _read_geo(self, cursor: Cursor) -> GeoStep | None:
        settings = read_form(GeoForm, cursor, f"the step geo of {self._policy}", self._declared.report)
        if not isinstance(cursor.value, dict):
            return None
        rules: list[GeoRule | None] = []
        for kind in LocationKind:
            if kind is LocationKind.DEFAULT and kind in cursor.value:
                rules.append(self._read_rule(kind, "", cursor.child(kind.value)))
            elif isinstance(cursor.value.get(kind), dict):
                rules.extend(self._read_rules(kind, cursor.child(kind.value)))
        if settings is None:
            return None
        if not 1 <= len(rules) <= MAXIMUM_RULES:
            message = f"geo must have 1 to {MAXIMUM_RULES:,} rules, not {len(rules):,}"
            raise _StepError(cursor.place, message)
        read = tuple(rule for rule in rules if rule is not None)
        return GeoStep(rules=read, **_mode(settings)) if len(read) == len(rules) else None

    def _read_rules(self, kind: LocationKind, cursor: Cursor) -> Iterator[GeoRule | None]:
        """The rules of one kind, ``{value: POPs}``; ``None`` after noting an error."""
        seen: dict[str, Place] = {}
        for text, pops in cursor.children():
            place = pops.key_place
            try:
                value = parse_location_value(kind, text)
            except ValueError as error:
                self._note(_StepError(place, f"geo: {error}", "site-invalid-location"))
                self._read_rule(kind, text, pops)
                yield None
                continue
            if value in seen:
                message = f"geo: {kind} {quote(value)} already has a rule at {seen[value]}"
                self._note(_StepError(place, message, "site-duplicate-rule"))
                self._read_rule(kind, value, pops)
                yield None
                continue
            seen[value] = place
            yield self._read_rule(kind, value, pops)

    def _read_rule(self, kind: LocationKind, value: str, cursor: Cursor) -> GeoRule | None:
        try:
            pops = self._read_pops(cursor, f"geo: {kind} {value}".rstrip())
        except _StepError as error:
            self._note(error)
            return None
        return GeoRule(kind=kind, value=value, pops=pops, place=cursor.key_place)

    def _read_failover(self, cursor: Cursor) -> FailoverStep | None:
        """Tiers, each a POP or a list of POPs; or a mapping with ``tiers`` and ``mode``."""
        settings: dict[str, Any] = {}
        listed, is_whole = cursor, True
        if not isinstance(cursor.value, list):
            what = f"the step failover of {self._policy}"
            settings, is_whole = read_parts(FailoverForm, cursor, what, self._declared.report)
            if "tiers" not in settings:
                return None
            listed = cursor.child("tiers")
        if not 1 <= len(listed.value) <= MAXIMUM_TIERS:
            message = f"failover must list 1 to {MAXIMUM_TIERS} tiers, not {len(listed.value)}"
            self._note(_StepError(listed.place, message))
            is_whole = False
        tiers: list[tuple[str, ...]] = []
        seen: set[str] = set()
        for item in listed.items():
            try:
                tier = self._read_pops(item, "a tier of failover")
                twice = sorted(seen.intersection(tier))
                if twice:
                    message = f"failover lists {quote(twice[0])} in two tiers; keep the first"
                    raise _StepError(item.place, message)
            except _StepError as error:
                self._note(error)
                continue
            seen.update(tier)
            tiers.append(tier)
        is_whole = is_whole and len(tiers) == len(listed.value)
        return FailoverStep(tiers=tuple(tiers), **_mode(settings)) if is_whole else None

    def _read_pops(self, cursor: Cursor, what: str) -> tuple[str, ...]:
        referred: set[str] = set()
        for index, pop in enumerate(cursor.value if isinstance(cursor.value, list) else [cursor.value]):
            if isinstance(pop, str) and pop and pop not in referred:
                referred.add(pop)
                self._declared.refer("pop", pop, cursor.place_at((index,)), self._policy)
        try:
            return values.references(cursor.value)
        except ValueError as error:
            raise _StepError(cursor.place, f"{what} {error}") from None


def _mode(settings: dict[str, Any]) -> dict[str, Any]:
    return {"mode": settings["mode"]} if "mode" in settings else {}
