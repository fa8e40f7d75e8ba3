"""Compiles a zone that was read and checked; what only the compiler finds becomes a finding."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gslb.config.files import display_path
from gslb.errors import SiteError
from gslb.model.finding import Finding, Place, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gslb._dataplane import Zone, ZoneText


def compile_zone(text: ZoneText, steered: Sequence[tuple[str, int]]) -> Zone:
    """The compiled zone; ``steered`` are its steered names with their index. Raises SiteError.

    What is refused here and not before is an RRset larger than any message.
    """
    try:
        return text.compile(list(steered))
    except ValueError as error:
        place = Place(display_path(Path(text.files[0])))
        raise SiteError([Finding("zone-rrset-too-large", Severity.ERROR, place, str(error))]) from error
