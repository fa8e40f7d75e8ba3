"""Geo overrides: CSV files that say of a network where it is, over what the databases say."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from gslb.config.locations import parse_location_value
from gslb.config.tables import TableForm, read_table
from gslb.config.wording import quote
from gslb.model.site import GeoOverride, LocationKind

if TYPE_CHECKING:
    from pathlib import Path

    from gslb.config.declared import Declared
    from gslb.config.report import Report
    from gslb.model.finding import Place

FORM = TableForm(
    "override file",
    ("network", "continent", "country", "subdivision", "asn", "latitude", "longitude"),
    "site-missing-overrides",
    "site-override-syntax",
)

_CODES = {
    "continent": LocationKind.CONTINENT,
    "country": LocationKind.COUNTRY,
    "subdivision": LocationKind.SUBDIVISION,
    "asn": LocationKind.ASN,
}
_DEGREES = {"latitude": 90, "longitude": 180}


def read_overrides(path: Path, named_at: Place, declared: Declared) -> None:
    """Add the rows of a file, which the site names at ``named_at``."""

    def read_row(cells: list[str], place: Place) -> bool:
        row = _read_row(dict(zip(FORM.header, cells, strict=True)), place, declared.report)
        if row is not None:
            declared.overrides.append(row)
        return row is not None

    if not read_table(path, FORM, named_at, declared.report, read_row):
        declared.unread.add("database")


def report_duplicate_overrides(rows: list[GeoOverride], report: Report) -> None:
    """Note every network that has two rows."""
    seen: dict[str, Place] = {}
    for row in rows:
        first = seen.setdefault(row.network, row.place)
        if first is not row.place:
            message = f"{row.network} already has an override at {first}; remove one of the two"
            report.error("site-duplicate-override", row.place, message)


def _read_row(cells: dict[str, str], place: Place, report: Report) -> GeoOverride | None:
    """A row, or ``None`` after noting every error in it."""
    read: dict[str, Any] = {}
    is_whole = True
    for key, kind in {"network": LocationKind.SUBNET, **_CODES}.items():
        if not cells[key] and key != "network":
            continue
        try:
            code = parse_location_value(kind, cells[key])
        except ValueError as error:
            report.error("site-invalid-location", place, f"{key}: {error}")
            is_whole = False
        else:
            read[key] = int(code) if key == "asn" else code
    if "subdivision" in read and not read["subdivision"].startswith(read.get("country", "")):
        message = (
            f"subdivision {read['subdivision']} is not in country {read['country']}; correct one of the two"
        )
        report.error("site-invalid-location", place, message)
        is_whole = False
    for key, most in _DEGREES.items():
        if not cells[key]:
            continue
        degrees = _number(cells[key])
        if degrees is None or abs(degrees) > most:
            message = f"{key} must be degrees from -{most} to {most}, not {quote(cells[key])}"
            report.error("site-override-syntax", place, message)
            is_whole = False
        else:
            read[key] = degrees
    if bool(cells["latitude"]) != bool(cells["longitude"]):
        message = "a row has only one of latitude and longitude; give both or neither"
        report.error("site-override-syntax", place, message)
        is_whole = False
    if not any(cells[key] for key in FORM.header[1:]):
        report.error("site-override-syntax", place, "a row says nothing of its network; fill in a cell")
        is_whole = False
    return GeoOverride(**read, place=place) if is_whole else None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None
