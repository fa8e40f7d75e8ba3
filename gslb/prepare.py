"""Loads a site directory and compiles it whole, with what the API changed laid over it. Publishes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gslb.compile import compile_site
from gslb.config.named_files import NamedFiles
from gslb.config.rdata import present_type
from gslb.errors import SiteError
from gslb.model.finding import Finding, Place, Severity
from gslb.model.site import SteeringConfig
from gslb.steering.latency import with_latency
from gslb.zones.last_resort import LastResorts
from gslb.zones.overlay import lay_over
from gslb.zones.serial import with_serial_above
from gslb.zones.site import load_site

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gslb._dataplane import Steering, Zone
    from gslb.model.change import Overlay, RRsetKey
    from gslb.model.policy_test import PolicyTest
    from gslb.steering.moves import Moves
    from gslb.zones.overlay import Misfit
    from gslb.zones.site import LoadedSite

MISFITS_SHOWN = 100
"""Findings of one zone about changes of the API that do not fit it."""


@dataclass(frozen=True, slots=True)
class PreparedSite:
    """A site loaded and compiled, not yet published.

    ``moves`` is what moves to other POPs, where a geo database or override changed.
    """

    steering: SteeringConfig
    findings: tuple[Finding, ...]
    zones: dict[str, Zone] = field(repr=False)
    origins: tuple[str, ...] = field(repr=False)
    compiled: Steering = field(repr=False)
    site_steering: SteeringConfig = field(repr=False)
    tests: tuple[PolicyTest, ...] = field(default=(), repr=False)
    left_out: frozenset[RRsetKey] = frozenset()
    """The API's changes that do not fit their zone files and are not in ``zones``."""
    named: NamedFiles = field(default_factory=NamedFiles)
    moves: Moves | None = field(default=None, repr=False)

    def serial(self, origin: str) -> int | None:
        """The SOA serial of a zone; ``None`` when the site does not hold it."""
        zone = self.zones.get(origin)
        return None if zone is None else zone.serial


def prepare_site(
    directory: Path, overlay: Overlay, may_leave_out: Callable[[RRsetKey], bool]
) -> PreparedSite:
    """Load and compile the site at ``directory`` with ``overlay`` over it. Blocks; raises SiteError."""
    site, findings = load_site(directory)
    if site is None:
        raise SiteError(findings)
    steering = with_latency(site.steering, overlay.latency)
    try:
        compiled = compile_site(replace(site, steering=steering))
    except SiteError as error:
        raise SiteError([*findings, *error.findings]) from error
    zones: dict[str, Zone] = {}
    remarks: list[Finding] = []
    left_out: set[RRsetKey] = set()
    resorts = LastResorts(steering)
    for text, made in zip(site.zone_texts, compiled.zones, strict=True):
        origin, zone = text.origin, made
        if changes := overlay.rrsets.get(origin):
            zone, misfits, lost = lay_over(made, changes, resorts, site.steered, may_leave_out)
            remarks += lost
            left_out.update((origin, name, rtype) for (name, rtype, _, _), _ in misfits)
            remarks += _misfit_findings(origin, misfits, Place(text.files[0]), may_leave_out)
        last = overlay.serials.get(origin)
        zones[origin] = zone if last is None else with_serial_above(zone, last, equal=True)
    errors = [remark for remark in remarks if remark.severity is Severity.ERROR]
    if errors:
        raise SiteError([*findings, *errors])
    return PreparedSite(
        steering=steering,
        findings=(*findings, *compiled.findings, *remarks),
        zones=zones,
        origins=tuple(sorted(zones)),
        compiled=compiled.steering,
        site_steering=site.steering,
        tests=site.tests,
        left_out=frozenset(left_out),
        named=NamedFiles(_named_files(site, directory)),
    )


def _named_files(site: LoadedSite, directory: Path) -> frozenset[Path]:
    """Databases and tables wherever they are, included files that are not in the directory."""
    base = directory.resolve()
    included = {Path(file).absolute() for text in site.zone_texts for file in text.files[1:]}
    outside = {path for path in included if not path.resolve().is_relative_to(base)}
    return frozenset(map(Path, (*site.steering.databases, *site.steering.table_files))) | outside


def _misfit_findings(
    origin: str, misfits: Sequence[Misfit], place: Place, may_leave_out: Callable[[RRsetKey], bool]
) -> list[Finding]:
    """A finding for each, errors first; at most MISFITS_SHOWN, and one that counts the others."""
    findings = []
    for (name, rtype, _, _), problem in misfits:
        key = (origin, name, rtype)
        findings.append(_misfit(key, problem, place, may_leave_out(key)))
    findings.sort(key=lambda finding: finding.severity is not Severity.ERROR)
    others = findings[MISFITS_SHOWN:]
    if others:
        message = f"{len(others)} more RRsets that the API set no longer fit this zone"
        findings[MISFITS_SHOWN:] = [Finding("zone-api-change", others[0].severity, place, message)]
    return findings


def _misfit(key: RRsetKey, problem: str, place: Place, is_left_out: bool) -> Finding:
    origin, name, rtype = key
    what = f"{present_type(rtype)} RRset of {name}"
    help_ = (
        "mend the file, or set the RRset anew or give it back to the file through the API "
        f'(PATCH /v1/zones/{origin}/rrsets, "records": null)'
    )
    if is_left_out:
        message = f"the {what} that the API set no longer fits this zone and is inactive: {problem}; {help_}"
        return Finding("zone-api-change", Severity.WARNING, place, message)
    message = f"the {what} that the API set no longer fits this zone: {problem}; {help_}"
    return Finding("zone-api-change", Severity.ERROR, place, message)
