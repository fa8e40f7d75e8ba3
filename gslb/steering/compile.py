"""Compiles declared steering natively; what the compiler refuses becomes a finding with its place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from gslb.config.files import display_path
from gslb.errors import SteeringError
from gslb.model.finding import Finding, Place, Severity
from gslb.steering.document import steering_document

if TYPE_CHECKING:
    from gslb._dataplane import Steering
    from gslb.model.site import SteeringConfig

_PLACE = re.compile(r"(?P<file>[^\n]+?):(?P<line>[0-9]{1,9}): (?P<message>.+)", re.DOTALL)
"""How the compiler begins an error about something declared in the site."""


def compile_steering(steering: SteeringConfig) -> Steering:
    """Compile, which reads the geo databases and may take seconds. Raises SteeringError."""
    from gslb._dataplane import Steering  # noqa: PLC0415 - only a site that loads is compiled

    try:
        return Steering.compile(steering_document(steering))
    except ValueError as error:
        raise SteeringError(str(error)) from error


def steering_finding(steering: SteeringConfig, directory: Path, message: str) -> Finding:
    """An error of the compiler, at the geo database or the place in the site that it names, if any."""
    for database in steering.databases:
        if database in message:
            return Finding("site-geo-database", Severity.ERROR, Place(display_path(Path(database))), message)
    named = _PLACE.fullmatch(message)
    if named:
        place = Place(named["file"], int(named["line"]))
        return Finding("site-steering", Severity.ERROR, place, named["message"])
    return Finding("site-steering", Severity.ERROR, Place(display_path(directory)), message)
