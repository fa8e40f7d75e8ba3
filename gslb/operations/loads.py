"""Reports of POPs' loads, read and checked before anything happens, and how they are shown."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from gslb.config.wording import quote
from gslb.model.report import LoadReport
from gslb.operations.problems import Problems
from gslb.steering.loads import MAXIMUM_LOAD

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from gslb.steering.loads import Load, LoadTable

LOADS_LIMIT = 4096
"""Loads of one request: as many as there may be POPs."""


def check_load(load: float | None) -> None:
    """Raise InvalidChangeError unless ``load`` may be that of a POP."""
    problems = Problems()
    _check(load, "/load", problems)
    problems.raise_any()


def check_loads(loads: Mapping[str, float | None], pops: Collection[str]) -> None:
    """Raise InvalidChangeError with everything that is wrong with loads by POP."""
    problems = Problems()
    if not 1 <= len(loads) <= LOADS_LIMIT:
        problems.add("/loads", f"holds {len(loads)} loads; a request has 1 to {LOADS_LIMIT}")
        problems.raise_any()
    for pop, load in loads.items():
        pointer = "/loads/" + pop.replace("~", "~0").replace("/", "~1")  # RFC 6901 section 3
        if pop not in pops:
            problems.add(pointer, f"no POP is named {quote(pop)}")
        _check(load, pointer, problems)
    problems.raise_any()


def _check(load: float | None, pointer: str, problems: Problems) -> None:
    if load is not None and not 0 <= load <= MAXIMUM_LOAD:
        problems.add(pointer, f"is {load}; a load is 0 to {MAXIMUM_LOAD:g}, 1 for a POP that is full")


def load_reports(table: LoadTable, monotonic: float, now: datetime) -> dict[str, LoadReport]:
    """The loads that are known, by POP. ``monotonic`` and ``now`` are the same moment."""
    return {
        pop: _load_report(load, table.max_age, monotonic, now) for pop, load in table.known(monotonic).items()
    }


def _load_report(load: Load, max_age: float, monotonic: float, now: datetime) -> LoadReport:
    age = monotonic - load.at
    return LoadReport(
        load=load.value,
        reported=load.reported,
        age=round(age, 3),
        expires_at=now + timedelta(seconds=max_age - age),
    )
