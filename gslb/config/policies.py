"""Policies and their steps, from YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gslb.config import measures, values
from gslb.config.declarations import define
from gslb.config.forms import (
    DistanceForm,
    FailoverForm,
    GeoForm,
    LatencyStepForm,
    PolicyForm,
    ShedForm,
    StickyForm,
    read_form,
    read_parts,
)
from gslb.config.locations import parse_location_value
from gslb.config.wording import did_you_mean, quote
from gslb.model.site import (
    DistanceStep,
    FailoverStep,
    GeoRule,
    GeoStep,
    LatencyStep,
    LocationKind,
    Mode,
    Policy,
    SamePopStep,
    ShedStep,
    ShuffleStep,
    StickyStep,
    TakeStep,
    WeightedStep,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gslb.config.declared import Declared
    from gslb.config.report import Cursor
    from gslb.model.finding import Place
    from gslb.model.site import Step

MAXIMUM_POLICIES = 65_535
MAXIMUM_STEPS = 16
MAXIMUM_RULES = 65_536
MAXIMUM_TIERS = 256
MAXIMUM_TAKE = 32

_BARE_STEPS: dict[str, Callable[[], Step]] = {
    "latency": LatencyStep,
    "distance": DistanceStep,
    "weighted": WeightedStep,
    "sticky": StickyStep,
    "shuffle": ShuffleStep,
    "same_pop": SamePopStep,
}
"""Steps that may stand without settings."""
_NEVER_SET = ("weighted", "shuffle", "same_pop")
_EXAMPLES = {
    "geo": "geo: {country: {DE: [fra]}}",
    "asn": "asn: {64511: [fra]}",
    "subnet": "subnet: {192.0.2.0/24: [fra]}",
    "failover": "failover: [fra, [ams, iad]]",
    "shed": "shed: {low: 0.7, high: 0.95}",
    "take": "take: 2",
}
STEPS = (
    "geo",
    "asn",
    "subnet",
    "latency",
    "distance",
    "failover",
    "weighted",
    "sticky",
    "shed",
    "take",
    "shuffle",
    "same_pop",
)


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
    _check_same_pop(listed, read, what, declared)
    if is_whole and len(steps) == len(read):
        declared.policies.append(Policy(name=name, steps=steps, place=cursor.key_place))


def _check_same_pop(cursor: Cursor, steps: list[Step | None], what: str, declared: Declared) -> None:
    """``same_pop`` is first, and nothing draws anew for each query: A would not know what AAAA drew."""
    found = [index for index, step in enumerate(steps) if isinstance(step, SamePopStep)]
    for index in found:
        if index:
            message = f"{what}: same_pop must be the first step, and stand once; it is about all that follow"
            declared.report.error("site-same-pop", cursor.child(index).place, message)
    takes = [index for index, step in enumerate(steps) if isinstance(step, TakeStep)]
    for index, step in enumerate(steps) if found else ():
        cut = any(index < take for take in takes)
        if isinstance(step, WeightedStep | ShedStep) or (isinstance(step, ShuffleStep) and cut):
            message = (
                f"{what}: {step.step} draws anew for each query, so A and AAAA would part in spite of "
                "same_pop; use sticky, or remove one of the two"
            )
            declared.report.error("site-same-pop", cursor.child(index).place, message)


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
        return self._read_settings(kind, settings)

    def _read_joined(self, cursor: Cursor) -> None:
        """Steps that wrongly stand in one item, for the errors in each."""
        for kind, settings in cursor.children() if isinstance(cursor.value, dict) else ():
            if kind in STEPS and kind not in _NEVER_SET and settings.value is not None:
                try:
                    self._read_settings(kind, settings)
                except _StepError as error:
                    self._note(error)

    def _read_settings(self, kind: str, settings: Cursor) -> Step | None:
        readers: dict[str, Callable[[str, Cursor], Step | None]] = {
            "geo": self._read_geo,
            "asn": self._read_rules_of,
            "subnet": self._read_rules_of,
            "failover": self._read_failover,
            "latency": self._read_latency,
            "distance": self._read_distance,
            "sticky": self._read_sticky,
            "shed": self._read_shed,
            "take": self._read_take,
        }
        if kind not in readers:
            raise _StepError(settings.place, f"the step {kind} takes no settings")
        return readers[kind](kind, settings)

    def _read_form(self, form: type, kind: str, cursor: Cursor) -> dict[str, Any] | None:
        return read_form(form, cursor, f"the step {kind} of {self._policy}", self._declared.report)

    def _read_latency(self, kind: str, cursor: Cursor) -> LatencyStep | None:
        settings = self._read_form(LatencyStepForm, kind, cursor)
        return None if settings is None else LatencyStep(**settings)

    def _read_sticky(self, kind: str, cursor: Cursor) -> StickyStep | None:
        settings = self._read_form(StickyForm, kind, cursor)
        return None if settings is None else StickyStep(**settings)

    def _read_take(self, _: str, cursor: Cursor) -> TakeStep:
        try:
            return TakeStep(count=values.integer(1, MAXIMUM_TAKE)(cursor.value))
        except ValueError as error:
            raise _StepError(cursor.place, f"take {error}") from None

    def _read_shed(self, kind: str, cursor: Cursor) -> ShedStep | None:
        settings = self._read_form(ShedForm, kind, cursor)
        if settings is None:
            return None
        low, high = settings["low"], settings["high"]
        if low >= high:
            message = f"shed: low ({low:g}) must be less than high ({high:g})"
            raise _StepError(cursor.place_at(("low",)), message)
        return ShedStep(low=low, high=high)

    def _read_distance(self, kind: str, cursor: Cursor) -> DistanceStep | None:
        settings = self._read_form(DistanceForm, kind, cursor)
        if settings is None:
            return None
        bias: list[tuple[str, float]] = []
        listed = list(cursor.child("bias").children()) if "bias" in settings else []
        for unit, added in listed:
            self._declared.refer("unit", unit, added.key_place, self._policy)
            try:
                bias.append((unit, measures.kilometres(added.value)))
            except ValueError as error:
                self._note(_StepError(added.place, f"distance: the bias of {quote(unit)} {error}"))
        return DistanceStep(bias=tuple(bias)) if len(bias) == len(listed) else None

    def _read_rules_of(self, step: str, cursor: Cursor) -> GeoStep | None:
        """``{value: units}`` of the one kind that the step is named after, and ``mode`` among them."""
        if not isinstance(cursor.value, dict):
            raise _StepError(cursor.place, f"{step} must be a mapping; write {_EXAMPLES[step]}")
        settings: dict[str, Any] = {"step": step}
        rules = list(self._read_rules(step, LocationKind(step), cursor))
        if "mode" in cursor.value:
            try:
                settings["mode"] = values.choice(list(Mode))(cursor.value["mode"])
            except ValueError as error:
                raise _StepError(cursor.place_at(("mode",)), f"mode of {step} {error}") from None
        return self._geo_step(rules, cursor, **settings)

    def _geo_step(self, rules: list[GeoRule | None], cursor: Cursor, **settings: Any) -> GeoStep | None:
        if not 1 <= len(rules) <= MAXIMUM_RULES:
            step = settings.get("step", "geo")
            message = f"{step} must have 1 to {MAXIMUM_RULES:,} rules, not {len(rules):,}"
            raise _StepError(cursor.place, message)
        read = tuple(rule for rule in rules if rule is not None)
        return GeoStep(rules=read, **settings) if len(read) == len(rules) else None

    def _read_geo(self, _: str, cursor: Cursor) -> GeoStep | None:
        settings = read_form(GeoForm, cursor, f"the step geo of {self._policy}", self._declared.report)
        if not isinstance(cursor.value, dict):
            return None
        rules: list[GeoRule | None] = []
        for kind in LocationKind:
            if kind is LocationKind.DEFAULT and kind in cursor.value:
                rules.append(self._read_rule("geo", kind, "", cursor.child(kind.value)))
            elif isinstance(cursor.value.get(kind), dict):
                rules.extend(self._read_rules("geo", kind, cursor.child(kind.value)))
        return None if settings is None else self._geo_step(rules, cursor, **_mode(settings))

    def _read_rules(self, step: str, kind: LocationKind, cursor: Cursor) -> Iterator[GeoRule | None]:
        """The rules of one kind, ``{value: units}``; ``None`` after noting an error.

        A step that is named after the kind has its ``mode`` among them.
        """
        seen: dict[str, Place] = {}
        for text, units in cursor.children():
            if step == kind and text == "mode":
                continue
            place = units.key_place
            try:
                value = parse_location_value(kind, text)
            except ValueError as error:
                self._note(_StepError(place, f"{step}: {error}", "site-invalid-location"))
                self._read_rule(step, kind, text, units)
                yield None
                continue
            if value in seen:
                message = f"{_rule_of(step, kind, quote(value))} already has a rule at {seen[value]}"
                self._note(_StepError(place, message, "site-duplicate-rule"))
                self._read_rule(step, kind, value, units)
                yield None
                continue
            seen[value] = place
            yield self._read_rule(step, kind, value, units)

    def _read_rule(self, step: str, kind: LocationKind, value: str, cursor: Cursor) -> GeoRule | None:
        try:
            units = self._read_units(cursor, _rule_of(step, kind, value))
        except _StepError as error:
            self._note(error)
            return None
        return GeoRule(kind=kind, value=value, units=units, place=cursor.key_place)

    def _read_failover(self, _: str, cursor: Cursor) -> FailoverStep | None:
        """Tiers, each a unit or a list of units; or a mapping with ``tiers`` and ``mode``."""
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
                tier = self._read_units(item, "a tier of failover")
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

    def _read_units(self, cursor: Cursor, what: str) -> tuple[str, ...]:
        """One unit, a POP or a pool, or a list of them."""
        referred: set[str] = set()
        for index, unit in enumerate(cursor.value if isinstance(cursor.value, list) else [cursor.value]):
            if isinstance(unit, str) and unit and unit not in referred:
                referred.add(unit)
                self._declared.refer("unit", unit, cursor.place_at((index,)), self._policy)
        try:
            return values.references(cursor.value)
        except ValueError as error:
            raise _StepError(cursor.place, f"{what} {error}") from None


def _rule_of(step: str, kind: LocationKind, value: str) -> str:
    """How errors name a rule: ``geo: country DE``, but ``asn: 64511`` in a step of that one kind."""
    return f"{step}: {value}" if step == kind else f"{step}: {kind} {value}".rstrip()


def _mode(settings: dict[str, Any]) -> dict[str, Any]:
    return {"mode": settings["mode"]} if "mode" in settings else {}
