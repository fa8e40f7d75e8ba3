"""Compiles a loaded site, its steering and its zones: what the compilers refuse becomes findings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gslb.config.report import has_errors
from gslb.errors import SiteError, SteeringError
from gslb.steering.compile import compile_steering, steering_finding
from gslb.steering.geo_checks import check_databases, check_places
from gslb.zones.checks.sieve import Sieve
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
    findings: tuple[Finding, ...] = ()
    """Without errors, and without those that the site silences, of which ``silenced`` is the number."""
    silenced: int = 0


def compile_site(
    site: LoadedSite, compile_steering: Callable[[SteeringConfig], Steering] = compile_steering
) -> CompiledSite:
    """Compile, which reads the geo databases and may take seconds.

    Raises SiteError with an error for everything that does not compile, such as an unusable geo database or
    a zone with an RRset too large to answer; they show only here.
    """
    sieve = Sieve(site.steering.checks)
    findings: list[Finding] = []
    steering: Steering | None = None
    try:
        steering = compile_steering(site.steering)
    except SteeringError as error:
        findings.append(steering_finding(site.steering, site.directory, str(error)))
    else:
        if site.steering.databases:
            sieve.add("", check_databases(site.steering, steering))
            sieve.add("", check_places(site.steering, steering))
            findings += sieve.findings()
    zones: list[Zone] = []
    for text in site.zone_texts:
        try:
            zones.append(compile_zone(text, site.steered.get(text.origin, ())))
        except SiteError as refused:
            findings += refused.findings
    if steering is None or has_errors(findings):
        raise SiteError(findings)
    return CompiledSite(steering, tuple(zones), tuple(findings), sieve.silenced)
