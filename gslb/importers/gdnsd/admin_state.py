"""The states that an operator forced, gdnsd(8) "ADMIN STATE FILE": no part of a site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gslb.config.wording import quote
from gslb.importers.gdnsd.vscf import Hash, Text, VscfError, read_file

if TYPE_CHECKING:
    from pathlib import Path

    from gslb.config.report import Report
    from gslb.importers.gdnsd.model import Configuration


def report_admin_state(configuration: Configuration, directory: Path, report: Report) -> None:
    """Name every forced state, and how to force the like here."""
    state = configuration.options.state
    candidates = ([directory / state / "admin_state"] if state else []) + [directory / "admin_state"]
    path = next((one for one in candidates if one.is_file()), None)
    if path is None:
        return
    try:
        entries = read_file(path)
    except VscfError as error:
        report.error("import-unreadable", error.place, str(error))
        return
    if not isinstance(entries, Hash):
        return
    for key, value in entries.values.items():
        wanted = value.text if isinstance(value, Text) else ""
        where, _, last = key.rpartition("/")
        if wanted.upper().startswith("UP"):
            hint = (
                "nothing forces an endpoint up here: what probes say counts, unless its pool has no monitor"
            )
        elif where.startswith(("geoip/", "metafo/")) or where == "*":
            hint = (
                f"when the server runs: gslb drain {last} --reason ...; that drains the POP for every name, "
                "not for one map or resource"
            )
        else:
            hint = "take the endpoint out of its pool, or drain its POP when the server runs: gslb drain"
        message = f"the forced state {quote(f'{key} => {wanted}')} is not part of a site; {hint}"
        report.error("import-admin-state", entries.place_of(key), message)
