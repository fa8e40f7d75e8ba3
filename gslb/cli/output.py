"""What commands print: tables on a terminal, aligned text elsewhere, errors on standard error."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EXIT_REFUSED = 1
EXIT_USAGE = 2
EXIT_UNREACHABLE = 3

LABEL_WIDTH = len("generation")


def fail(message: str, code: int) -> NoReturn:
    """Say what went wrong on standard error and end with ``code``."""
    typer.echo(f"gslb: {clean(message, lines=True)}", err=True)
    raise typer.Exit(code)


def warn(message: str) -> None:
    """A warning on standard error."""
    typer.echo(f"warning: {clean(message)}", err=True)


def say(text: str) -> None:
    """A line on standard output."""
    typer.echo(clean(text))


def print_json(document: object) -> None:
    """A document as indented JSON."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def print_facts(facts: Iterable[tuple[str, str]], *, indent: int = 0) -> None:
    """A line for each label and what is to be said under it."""
    for label, text in facts:
        typer.echo(
            " " * indent + typer.style(f"{clean(label):<{LABEL_WIDTH}}", bold=True) + "  " + clean(text)
        )


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, indent: int = 0) -> None:
    """Rows under headings: a drawn table on a terminal, else columns that ``awk`` can take apart."""
    cells = [[clean(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        from rich import box  # noqa: PLC0415 - only terminals pay for it
        from rich.console import Console  # noqa: PLC0415
        from rich.padding import Padding  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        table = Table(*headings, box=box.SIMPLE_HEAD)
        for row in cells:
            table.add_row(*(Text(cell, style=_style(cell)) for cell in row))
        Console().print(Padding(table, (0, 0, 0, indent), expand=False))
        return
    lines = [list(headings), *cells]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    for row in lines:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo(" " * indent + line.rstrip())


def clean(text: str, *, lines: bool = False) -> str:
    """Text without control characters, which a terminal would obey; line breaks stay if ``lines``."""
    return "".join(
        c if c.isprintable() or (lines and c == "\n") else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def moment(stamp: object) -> str:
    """A time from the API, in UTC, to the second; ``-`` for none."""
    if not isinstance(stamp, str):
        return "-"
    return datetime.fromisoformat(stamp).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _style(cell: str) -> str:
    word = cell.partition(" ")[0]
    return {"serving": "green", "down": "bold red", "drained": "yellow", "drain": "yellow"}.get(word, "")
