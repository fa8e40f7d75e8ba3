"""What a site says its own steering must answer (``tests.yaml``)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gslb.model.declared import Declared
from gslb.model.finding import NOWHERE, Place
from gslb.model.site import LocationKind


class Client(Declared):
    """Who asks: an ``address``, or everyone at a location, as far as geo databases tell them apart."""

    address: str = ""
    kind: LocationKind | None = None
    value: str = ""

    def __str__(self) -> str:
        return self.address if self.kind is None else f"{self.kind.value} {self.value}"


class Conditions(Declared):
    """What is so for once, instead of what probes and operators say; all else serves.

    ``down`` and ``drain`` name POPs; ``down`` also a POP's endpoints in one pool, as ``pool/pop``. ``load``
    is of POPs, 1 being what they can carry.
    """

    down: tuple[str, ...] = ()
    drain: tuple[str, ...] = ()
    load: dict[str, Annotated[float, Field(ge=0, le=65)]] = Field(default_factory=dict)

    def __str__(self) -> str:
        parts = []
        if self.down:
            parts.append(f"{', '.join(self.down)} down")
        if self.drain:
            parts.append(f"{', '.join(self.drain)} drained")
        parts += [f"{pop} at load {load:g}" for pop, load in self.load.items()]
        return " and ".join(parts)


class Expectation(Declared):
    """What must be answered. ``None`` and ``()`` expect nothing.

    ``pops``: each answer has addresses of exactly these POPs. ``among``: of these only. ``never``: of none of
    these. ``records``: the records of the type asked for, in presentation format, in any order; empty for
    none. ``alias``: the addresses of this name, which is outside the site, by an ALIAS that leads to it.
    """

    pops: frozenset[str] = frozenset()
    among: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()
    records: frozenset[str] | None = None
    rcode: str = ""
    ttl: int | None = None
    scope: int | None = None
    alias: str = ""


class PolicyTest(Declared):
    """One expectation of a site. ``ask`` is absolute, in lower case, and ends with a dot."""

    title: str
    ask: str
    type: str = "A"
    client: Client
    conditions: Conditions = Conditions.model_construct()
    expect: Expectation
    place: Place = NOWHERE
