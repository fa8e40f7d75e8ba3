"""What has been declared so far, by name, and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gslb.config.report import Report
from gslb.config.wording import quote
from gslb.model.finding import NOWHERE
from gslb.model.rules import RULES

if TYPE_CHECKING:
    from gslb.model.checks import PolicyRule
    from gslb.model.finding import Place, Severity
    from gslb.model.site import (
        GeoOverride,
        LatencyRow,
        LoadSettings,
        Milliseconds,
        Monitor,
        Percent,
        Policy,
        Pool,
        Pop,
        ResolverSettings,
        SteeredName,
    )


@dataclass(frozen=True, slots=True)
class Unprobed:
    """A monitored endpoint that has neither an address nor says what to probe."""

    place: Place
    what: str
    has_cname: bool
    monitors: tuple[str, ...]


@dataclass(slots=True)
class Declared:
    """The site as read so far.

    ``places`` knows every definition of a kind (``pop``, ``monitor``, ``pool``, ``policy``, ``name`` and
    ``check``), those with errors too, so that one error does not make others of everything that refers to it.
    ``silenced``, ``severities`` and ``zones`` are what ``checks`` says, see ``CheckSettings``.
    ``references`` are checked once all is read: kind, name, place and who refers. ``units`` are what policies
    refer to, a POP or a pool. ``unprobed`` are endpoints that only some types of monitor can probe.
    ``unread`` are the kinds of which something could not be read, so that nobody can say what all of them use
    or lack; ``database``, ``latency`` and ``member`` (a pool that uses pools or a policy) are such kinds too.
    ``broken_names`` are what could be read of names with errors.
    ``set_once`` is where each setting stands that a site has once.
    ``misnamed`` are definitions (kind, name) whose own name is in error: what refers to them is no error too.
    """

    report: Report = field(default_factory=Report)
    places: dict[str, dict[str, Place]] = field(default_factory=dict)
    references: list[tuple[str, str, Place, str]] = field(default_factory=list)
    units: list[tuple[str, Place, str]] = field(default_factory=list)
    unprobed: list[Unprobed] = field(default_factory=list)
    pops: list[Pop] = field(default_factory=list)
    monitors: list[Monitor] = field(default_factory=list)
    pools: list[Pool] = field(default_factory=list)
    policies: list[Policy] = field(default_factory=list)
    names: list[SteeredName] = field(default_factory=list)
    broken_names: list[SteeredName] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    misnamed: set[tuple[str, str]] = field(default_factory=set)
    databases: list[str] = field(default_factory=list)
    overrides: list[GeoOverride] = field(default_factory=list)
    table_files: list[str] = field(default_factory=list)
    latency: list[LatencyRow] = field(default_factory=list)
    latency_hysteresis: Milliseconds | Percent | None = None
    load: LoadSettings | None = None
    set_once: dict[str, Place] = field(default_factory=dict)
    rules: list[PolicyRule] = field(default_factory=list)
    silenced: set[tuple[str, str]] = field(default_factory=set)
    severities: dict[tuple[str, str], tuple[Severity, Place]] = field(default_factory=dict)
    zones: dict[str, Place] = field(default_factory=dict)
    resolver: ResolverSettings | None = None

    def names_of(self, kind: str) -> dict[str, Place]:
        """Every name defined of a kind, and where."""
        return self.places.setdefault(kind, dict.fromkeys(RULES, NOWHERE) if kind == "check" else {})

    def refer(self, kind: str, name: str, place: Place, referrer: str) -> None:
        """Note that ``referrer`` names something of a kind; ``unit`` is a POP or a pool."""
        if kind == "unit":
            self.units.append((name, place, referrer))
        elif name not in self.names_of(kind):
            self.references.append((kind, name, place, referrer))

    def set_only_once(self, setting: str, place: Place) -> bool:
        """Note a setting that a site has once; an error and ``False`` when it is set elsewhere already."""
        first = self.set_once.setdefault(setting, place)
        if first is not place:
            message = f"{setting} is already set at {first}; remove one of the two"
            self.report.error("site-duplicate-setting", place, message)
            return False
        return True

    def define(self, kind: str, name: str, place: Place, maximum: int) -> bool:
        """Note a definition; an error and ``False`` when it stands elsewhere already or is one too many."""
        places = self.names_of(kind)
        first = places.setdefault(name, place)
        if first is not place:
            message = f"{kind} {quote(name)} is already defined at {first}; remove one of the two"
            self.report.error(f"site-duplicate-{kind}", place, message)
            return False
        if len(places) > maximum:
            if len(places) == maximum + 1:
                message = f"the site defines more than {maximum:,} of: {kind}"
                self.report.error("site-too-many", place, message)
            return False
        return True
