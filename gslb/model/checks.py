"""How a site has its zones checked: what is silenced, and the rules that a company adds."""

from __future__ import annotations

from pydantic import Field

from gslb.model.declared import Declared
from gslb.model.finding import NOWHERE, Place, Severity


class CheckSettings(Declared):
    """What the key ``checks`` says. Keys are (origin, rule); the origin is empty for the whole site.

    ``zones`` are the origins named, and where.
    """

    silenced: frozenset[tuple[str, str]] = frozenset()
    severities: dict[tuple[str, str], Severity] = Field(default_factory=dict)
    zones: tuple[tuple[str, Place], ...] = ()


class Bounds(Declared):
    """TTLs in seconds that a type may have; type 0 stands for every type without bounds of its own."""

    rtype: int
    minimum: int | None = None
    maximum: int | None = None


class Patterns(Declared):
    """What owners, or targets and addresses, may be: globs in lower case without a final dot, and networks.

    ``types`` are the RR types looked at; all when empty.
    """

    types: tuple[int, ...] = ()
    allow: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()


class Required(Declared):
    """What each apex must have: CAA issuers, TXT records that match globs, a number of NS records."""

    caa: tuple[str, ...] = ()
    txt: tuple[str, ...] = ()
    ns: int = 0


class PolicyRule(Declared):
    """A rule that a company adds. ``zones`` are globs of the origins, without a final dot, that it is for."""

    name: str
    severity: Severity = Severity.WARNING
    message: str = ""
    zones: tuple[str, ...] = ("*",)
    ttl: tuple[Bounds, ...] = ()
    targets: Patterns | None = None
    owners: Patterns | None = None
    forbidden_types: tuple[int, ...] = ()
    required: Required | None = None
    place: Place = NOWHERE
