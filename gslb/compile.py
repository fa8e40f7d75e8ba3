"""Compiles a loaded site, its steering and its zones: what the compilers refuse becomes findings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gslb.errors import SiteError, SteeringError
from gslb.steering.compile import compile_steering, steering_finding
from gslb.zones.compile import compile_zone

if TYPE_CHECKING:
    from collections.abc import Callable

    from gslb._dataplane import Steering, Zone
    from gslb.model.finding import Finding
    from gslb.model.site import SteeringConfig
    from gslb.zones.site import LoadedSite


@dataclass(frozen=True, slots=True)
class CompiledSite:
    """All that a site says, compiled: its zones are in the order of its zone texts."""

    steering: Steering = field(repr=False)
    zones: tuple[Zone, ...] = field(repr=False)


def compile_site(
    site: LoadedSite, compile_steering: Callable[[SteeringConfig], Steering] = compile_steering
) -> CompiledSite:
    """Compile, which reads the geo databases and may take seconds.

    Raises SiteError with an error for everything that does not compile, such as an unusable geo database or
    a zone with an RRset too large to answer; they show only here.
    """
    findings: list[Finding] = []
    steering: Steering | None = None
    try:
        steering = compile_steering(site.steering)
    except SteeringError as error:
        findings.append(steering_finding(site.steering, site.directory, str(error)))
    zones: list[Zone] = []
    for text in site.zone_texts:
        try:
            zones.append(compile_zone(text, site.steered.get(text.origin, ())))
        except SiteError as refused:
            findings += refused.findings
    if steering is None or findings:
        raise SiteError(findings)
    return CompiledSite(steering, tuple(zones))
