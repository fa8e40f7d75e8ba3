"""Tables: CSV files with a header line. Blank lines and lines that begin with ``#`` are skipped."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gslb.config.files import UnreadableFileError, display_path, read_text
from gslb.model.finding import Place

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gslb.config.report import Report

MAXIMUM_OCTETS = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class TableForm:
    """What a table is called, its header, and the rules that errors in it have."""

    title: str
    header: tuple[str, ...]
    missing_rule: str
    syntax_rule: str


def read_table(
    path: Path, form: TableForm, named_at: Place, report: Report, read_row: Callable[[list[str], Place], bool]
) -> bool:
    """Give each row's cells and place to ``read_row``, which says whether it could read them.

    Every error is noted; whether there was none. The site names the table at ``named_at``.
    """
    file = display_path(path)
    try:
        text = read_text(path, MAXIMUM_OCTETS)
    except UnreadableFileError as error:
        report.error(form.missing_rule, named_at, f"the {form.title} {file} {error}")
        return False
    header = ",".join(form.header)
    header_seen, is_whole = False, True
    reader = csv.reader(text.split("\n"))
    try:
        for cells in reader:
            place = Place(file, reader.line_num)
            stripped = [cell.strip() for cell in cells]
            if not any(stripped) or stripped[0].startswith("#"):
                continue
            if not header_seen:
                header_seen = True
                if tuple(stripped) != form.header:
                    report.error(form.syntax_rule, place, f"the first line must be the header {header}")
                    return False
            elif len(stripped) != len(form.header):
                message = f"a row has {len(stripped)} cells, not {len(form.header)}: {header}"
                report.error(form.syntax_rule, place, message)
                is_whole = False
            else:
                is_whole = read_row(stripped, place) and is_whole
    except csv.Error as error:
        report.error(form.syntax_rule, Place(file, reader.line_num), f"not CSV: {error}")
        return False
    if not header_seen:
        report.error(form.syntax_rule, Place(file), f"empty; begin with the header {header}")
        return False
    return is_whole
