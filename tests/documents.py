"""The files of the repository and the commands, for tests that hold documents against them."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gslb.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click import Command

ROOT = Path(__file__).resolve().parents[1]
GROUP = typer.main.get_command(app)
COMMANDS = GROUP.commands

_NOT_KEPT = {"__pycache__", "build", "dist", "state", "target", "work"}
"""Directories that .gitignore leaves out, beside hidden ones."""


def repository_files() -> list[Path]:
    """Every file that is kept in the repository, relative to its root."""
    found = []
    for directory, names, files in os.walk(ROOT):
        names[:] = [
            name
            for name in names
            if name not in _NOT_KEPT
            and not name.endswith(".egg-info")
            and (not name.startswith(".") or name == ".ci")
        ]
        here = Path(directory).relative_to(ROOT)
        found += [here / file for file in files if not file.endswith(".so") and file != ".git"]
    return found


def markdown_files() -> list[Path]:
    """Every page, relative to the root."""
    return [path for path in repository_files() if path.suffix == ".md"]


def text_of(path: Path | str) -> str:
    """A file of the repository as text."""
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def options_of(command: Command) -> set[str]:
    """The options and arguments of a command, and of the commands within it."""
    within = getattr(command, "commands", {}).values()
    return {name for parameter in command.params for name in parameter.opts}.union(*map(options_of, within))


def console_lines(text: str) -> Iterator[str]:
    """The commands of a page's ``console`` examples, continued lines joined."""
    for block in re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        joined = block.replace("\\\n", " ")
        yield from (line[2:] for line in joined.splitlines() if line.startswith("$ "))


def parse_gslb(words: list[str]) -> None:
    """Parse the words of a ``gslb`` command without running it. Raises click's UsageError."""
    name, *arguments = words
    assert name in COMMANDS, f"there is no command gslb {name}"
    with COMMANDS[name].make_context(name, arguments):
        pass


def gslb_words(line: str) -> list[str] | None:
    """The words after ``gslb`` of a line that runs it, perhaps from a directory or with sudo; else none."""
    words = shlex.split(line, comments=True)
    while words and (words[0] == "sudo" or "=" in words[0]):
        del words[0]
    return words[1:] if words and Path(words[0]).name == "gslb" else None
