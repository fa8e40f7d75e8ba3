"""Whether the serial of each changed zone is newer than that of the zone as last committed (RFC 1982).

Git is only asked for objects (``ls-tree``, ``cat-file``): nothing in a repository's settings can make it run
filters, hooks or helpers.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from gslb.zones.checks.records import SOA, Record, records_of
from gslb.zones.pending import resolve_pending
from gslb.zones.serial import is_newer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gslb._dataplane import ZoneText
    from gslb.model.finding import Finding
    from gslb.zones.source import ReadZone

TIMEOUT = 60.0
"""Seconds for each call of git."""

_HASHES = {40: "sha1", 64: "sha256"}


def _environment() -> dict[str, str]:
    """Ours, without what a git hook that runs a check would say about its own repository."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}


class _GitError(Exception):
    """Git is not there, or there is no repository or commit."""


class _Commit:
    """The files of the last commit below a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.root = Path(os.fsdecode(self._git("rev-parse", "--show-toplevel").rstrip(b"\n"))).resolve()
        self._blobs: dict[str, str] = {}
        for entry in self._git("ls-tree", "-r", "-z", "--full-name", "HEAD", "--", ".").split(b"\0"):
            head, _, path = entry.partition(b"\t")
            if path and head.split(b" ")[1:2] == [b"blob"]:
                self._blobs[os.fsdecode(path)] = head.split(b" ")[2].decode()

    def path_of(self, file: str) -> str:
        """The path of a committed file in the tree; empty when it is not in the commit."""
        try:
            path = Path(file).resolve().relative_to(self.root).as_posix()
        except (OSError, RuntimeError, ValueError):
            return ""
        return path if path in self._blobs else ""

    def differs(self, path: str) -> bool:
        """Whether a committed file is not any more what it was."""
        blob = self._blobs[path]
        try:
            octets = (self.root / path).read_bytes()
        except OSError:
            return True
        return hashlib.new(_HASHES[len(blob)], b"blob %d\0" % len(octets) + octets).hexdigest() != blob

    def read(self, path: str) -> bytes:
        """A file as it was committed."""
        return self._git("cat-file", "blob", self._blobs[path])

    def _git(self, *arguments: str) -> bytes:
        git = which("git")
        if git is None:
            raise _GitError
        try:
            done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
                [git, "-C", str(self._directory), *arguments],
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=TIMEOUT,
                check=True,
                env=_environment(),
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise _GitError from error
        return done.stdout


def check_serials(
    directory: Path, zones: Sequence[ZoneText], read_zone: ReadZone
) -> Iterator[tuple[str, Finding]]:
    """Compare the zones with the last commit of the git work tree that ``directory`` is in, if any."""
    try:
        commit = _Commit(directory)
        for zone in zones:
            paths = {file: commit.path_of(file) for file in zone.files}
            if paths.get(zone.files[0]) and any(path and commit.differs(path) for path in paths.values()):
                finding = _compare(zone, commit, paths, read_zone)
                if finding:
                    yield zone.origin, finding
    except _GitError:
        return


def _compare(zone: ZoneText, commit: _Commit, paths: dict[str, str], read_zone: ReadZone) -> Finding | None:
    with TemporaryDirectory(prefix="gslb-check-") as name:
        for path in filter(None, paths.values()):
            file = Path(name, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(commit.read(path))
        committed = read_zone(str(Path(name, paths[zone.files[0]])), zone.origin)
    resolve_pending(committed)
    soa, before = _soa(zone), _soa(committed)
    if soa is None or before is None:
        return None
    serial, old = _serial(soa), _serial(before)
    if is_newer(serial, old) or (serial == old and zone.digest() == committed.digest()):
        return None
    message = (
        f"the zone has changed since the last commit, but its serial {serial} is not newer than {old} was: "
        "raise it, or secondaries will not take the change over (RFC 1982)"
    )
    return soa.finding("zone-serial-not-increased", message)


def _soa(zone: ZoneText) -> Record | None:
    return next((one for one in records_of(zone, (SOA,), 1, [zone.origin]) if len(one.rdata) > 20), None)


def _serial(soa: Record) -> int:
    return int.from_bytes(soa.rdata[-20:-16], "big")
