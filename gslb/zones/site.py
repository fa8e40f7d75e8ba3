"""A site directory as a whole: its steering, its zones, and the checks that need both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.rdatatype

from gslb.config.files import display_path
from gslb.config.loader import load_steering
from gslb.config.names import parent_names
from gslb.config.policy_tests import load_policy_tests
from gslb.config.report import Report, has_errors, sort_findings
from gslb.config.wording import did_you_mean, quote
from gslb.model.finding import Place
from gslb.model.pool_graph import PoolGraph
from gslb.zones.checks.owners import check_owner
from gslb.zones.checks.run import check_zones
from gslb.zones.checks.sieve import Sieve
from gslb.zones.source import load_zone_texts, read_zone_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gslb._dataplane import ZoneText
    from gslb.model.finding import Finding
    from gslb.model.policy_test import PolicyTest
    from gslb.model.site import SteeredName, SteeringConfig
    from gslb.zones.checks.owners import Rows
    from gslb.zones.source import ReadZone


@dataclass(frozen=True, slots=True)
class LoadedSite:
    """A site without errors, ready to compile.

    ``steered`` has, for each zone's origin, the owner names that steering answers in it, each with its index
    into ``steering.names``.
    """

    directory: Path
    steering: SteeringConfig
    zone_texts: tuple[ZoneText, ...]
    steered: Mapping[str, list[tuple[str, int]]]
    tests: tuple[PolicyTest, ...] = ()


@dataclass(frozen=True, slots=True)
class InspectedSite:
    """What inspecting a site found. ``site`` is ``None`` when one of the findings is an error.

    ``findings`` are sorted by place, without the ``silenced`` ones, of which only the number is known.
    """

    site: LoadedSite | None
    findings: tuple[Finding, ...]
    silenced: int = 0


def load_site(
    directory: Path, read_zone: ReadZone = read_zone_text
) -> tuple[LoadedSite | None, tuple[Finding, ...]]:
    """The site in ``directory`` and what was found, as ``inspect_site`` says, without looking into git."""
    inspected = inspect_site(directory, read_zone)
    return inspected.site, inspected.findings


def inspect_site(
    directory: Path, read_zone: ReadZone = read_zone_text, *, with_history: bool = False
) -> InspectedSite:
    """Read and check the site in ``directory``; ``with_history`` compares serials with the last git commit.

    Never raises for what the site says. Paths in findings are relative to the current directory when below.
    """
    if not _is_directory(directory):
        report = Report()
        message = "there is no such directory; give the directory that holds the zone and YAML files"
        report.error("site-no-directory", Place(display_path(directory)), message)
        return InspectedSite(None, tuple(report.findings))
    steering, steering_findings = load_steering(directory)
    tests, test_findings = load_policy_tests(directory, steering)
    zone_texts, zone_findings = load_zone_texts(directory, read_zone)
    report = Report()
    steered = _assign_names(steering, zone_texts, report)
    _check_owners(steering, zone_texts, steered, report)
    sieve = Sieve(steering.checks)
    sieve.add("", [*steering_findings, *test_findings, *zone_findings, *report.findings])
    check_zones(steering, zone_texts, steered, sieve)
    if with_history:
        from gslb.zones.checks.history import check_serials  # noqa: PLC0415 - runs git, which no server does

        for origin, finding in check_serials(directory, zone_texts, read_zone):
            sieve.add(origin, [finding])
    findings = sort_findings(sieve.findings())
    site = None if has_errors(findings) else LoadedSite(directory, steering, zone_texts, steered, tests)
    return InspectedSite(site, findings, sieve.silenced)


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # such as a parent that may not be entered
        return False


def _assign_names(
    steering: SteeringConfig, zone_texts: tuple[ZoneText, ...], report: Report
) -> dict[str, list[tuple[str, int]]]:
    """Each steered name to the zone nearest above it; those with errors are numbered after all others."""
    steered: dict[str, list[tuple[str, int]]] = {zone.origin: [] for zone in zone_texts}
    for index, name in enumerate((*steering.names, *steering.broken_names)):
        origin = next((parent for parent in parent_names(name.name) if parent in steered), None)
        if origin is not None:
            steered[origin].append((name.name, index))
        elif steered:
            guess = did_you_mean(name.name.partition(".")[2] or name.name, steered)
            message = f"name {quote(name.name)} lies in no zone of this site{guess or '; add its zone file'}"
            report.error("site-name-outside-zones", name.place, message)
    return steered


def _check_owners(
    steering: SteeringConfig,
    zone_texts: tuple[ZoneText, ...],
    steered: Mapping[str, list[tuple[str, int]]],
    report: Report,
) -> None:
    """What the zone files say at, and above, each steered name."""
    graph = PoolGraph(steering.pools)
    every = (*steering.names, *steering.broken_names)
    for zone in zone_texts:
        origin = zone.origin
        names = [every[index] for _, index in steered[origin]]
        if not names:
            continue
        rows = _rows_at(zone, names)
        for name in names:
            _check_delegation(name, origin, rows, report)
            check_owner(name, origin, rows[name.name], graph, report)


def _rows_at(zone: ZoneText, names: list[SteeredName]) -> dict[str, Rows]:
    """What stands at each steered name and at the names between it and the origin."""
    wanted: dict[str, None] = {}
    for name in names:
        wanted.update(dict.fromkeys(_names_below(name.name, zone.origin)))
    listed = list(wanted)
    rows = dict(zip(listed, zone.owners(listed), strict=True))
    return {name.name: [] for name in names} | rows | {zone.origin: zone.owners([zone.origin])[0]}


def _check_delegation(name: SteeredName, origin: str, rows: Mapping[str, Rows], report: Report) -> None:
    for parent in _names_below(name.name, origin):
        cut = next((row for row in rows[parent] if row[0] == dns.rdatatype.NS), None)
        if cut is not None:
            message = (
                f"name {quote(name.name)} is delegated away by the NS records of {parent} at "
                f"{Place(*cut[1:])}, so it is never steered"
            )
            report.warning("site-name-below-delegation", name.place, message)
            return


def _names_below(name: str, origin: str) -> list[str]:
    """``name`` and the names above it, down from but without ``origin``."""
    names = parent_names(name)
    return names[: names.index(origin)]
