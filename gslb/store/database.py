"""One SQLite database, one thread that talks to it, transactions that are durable once awaited.

WAL with ``synchronous=FULL``: a commit returns after the log was synced, so what was acknowledged survives
kill -9 and loss of power.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gslb.errors import StateError
from gslb.store.schema import VERSION, NewerSchemaError, migrate

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

BUSY_SECONDS = 5.0


class Database:
    """Runs functions of a connection on the one thread that owns it."""

    def __init__(self, path: Path) -> None:
        """``open`` is the way to make one."""
        self._path = path
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gslb-store")
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    @classmethod
    async def open(cls, path: Path) -> Database:
        """Open or create the database at ``path``, mode 0600, and migrate it.

        Raises StateError that names the path when it is damaged, not writable or from a newer release.
        """
        database = cls(path)
        try:
            await database._run(database._connect)
        except BaseException:
            database._executor.shutdown(wait=False)
            raise
        return database

    async def read(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run ``work``, which only reads. Raises StateError."""
        return await self._run(lambda: work(self._opened()))

    async def write(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run ``work`` in a transaction, return once that is durable. Raises StateError: nothing changed."""
        return await self._run(lambda: self._transact(work))

    async def close(self) -> None:
        """Close the connection and end the thread. Closing twice does nothing."""
        if not self._closed:
            await self._run(self._disconnect)
            self._closed = True
            self._executor.shutdown(wait=False)

    async def _run(self, work: Callable[[], Result]) -> Result:
        if self._closed:
            raise StateError(f"{self._path}: the store is closed: the server is shutting down")
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._guarded, work)

    def _guarded(self, work: Callable[[], Result]) -> Result:
        try:
            return work()
        except NewerSchemaError as error:
            raise StateError(
                f"{self._path}: written by a newer gslb (schema {error.found}, this one knows {VERSION}): "
                "run that release, or restore a backup made before the upgrade"
            ) from error
        except (
            sqlite3.Error,
            OSError,
            ValueError,
        ) as error:  # ValueError: a row that cannot be what we wrote
            raise StateError(f"{self._path}: {error}: {_advice(error)}") from error

    def _connect(self) -> None:
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._path.chmod(0o600)
        connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA trusted_schema = OFF")
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise sqlite3.DatabaseError(f"damaged: {' '.join(verdict.split())}")
            migrate(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.ProgrammingError("the store is closed")
        return self._connection

    def _transact(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        connection = self._opened()
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result


def _advice(error: BaseException) -> str:
    text = str(error).lower()
    if "malformed" in text or "not a database" in text or "damaged" in text:
        return "restore it from a backup, or move it and its -wal and -shm files away to start with no state"
    if "full" in text or "no space" in text:
        return "nothing was changed; free space on that disk and try again"
    return "nothing was changed; check that the directory exists and that this user may write it"
