"""The state directory: who may use it, and where its server listens.

::

    state/           0700
    ├── lock         held by the running server; its pid
    ├── token        the API's bearer token, 0600
    ├── api.json     where the running server's API listens
    └── state.db     drains and changes, 0600 (with -wal and -shm)
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gslb.errors import StateError

if TYPE_CHECKING:
    from types import TracebackType

LOCK_NAME = "lock"
API_NAME = "api.json"


def default_directory() -> Path:
    """The state directory when none is named: systemd's, else ``./state``."""
    return Path(os.environ.get("STATE_DIRECTORY", "").partition(":")[0] or "state")


def prepare_directory(directory: Path) -> None:
    """Create the state directory, mode 0700, unless it is there already. Raises StateError."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StateError(
            f"{directory}: cannot be the state directory: {error.strerror}: name another with --state"
        ) from error


class StateLock:
    """Keeps a second server out of the state directory for as long as it is held.

    The kernel lets go of it when the process ends, however it ends.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / LOCK_NAME
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock at once. Raises StateError, with the pid of the holder, when another has it."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(
                f"{self._path}: {error.strerror}: check that this user may write the state directory, "
                "or name another with --state"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            who = f"pid {holder}" if holder.isdigit() else "another process"
            raise StateError(
                f"{self._path.parent}: in use by a running gslb ({who}): stop it, "
                "or name another directory with --state"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go of the lock; without one, nothing happens. The file stays."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> StateLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def write_api_url(directory: Path, url: str) -> None:
    """Leave word where the API listens, such as ``http://127.0.0.1:8053``. Raises StateError."""
    write_atomically(directory / API_NAME, json.dumps({"url": url}) + "\n")


def read_api_url(directory: Path) -> str | None:
    """Where the API of the server that uses ``directory`` listens, if a server left word."""
    try:
        document = json.loads((directory / API_NAME).read_text())
    except (OSError, ValueError):
        return None
    url = document.get("url") if isinstance(document, dict) else None
    return url if isinstance(url, str) else None


def remove_api_url(directory: Path) -> None:
    """Take the word back, at shutdown."""
    with suppress(OSError):
        (directory / API_NAME).unlink()


def write_atomically(path: Path, text: str) -> None:
    """Write a file of mode 0600 that others see whole or not at all, durably. Raises StateError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with suppress(FileNotFoundError):
            temporary.unlink()
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(descriptor)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise StateError(f"{path}: cannot be written: {error.strerror}: check the state directory") from error
