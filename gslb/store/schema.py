"""The tables of the state database and how older ones become the present ones.

``PRAGMA user_version`` counts the migrations that were applied. A migration that was released is never
edited: a change of the tables is a new one at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

_INITIAL = (
    """
    CREATE TABLE drains (
        pop TEXT PRIMARY KEY,
        reason TEXT NOT NULL,
        author TEXT NOT NULL,
        created_at TEXT NOT NULL,
        expires_at TEXT
    ) STRICT
    """,
    """
    CREATE TABLE rrsets (
        zone TEXT NOT NULL,
        name TEXT NOT NULL,
        type INTEGER NOT NULL,
        ttl INTEGER NOT NULL,
        records TEXT NOT NULL,
        author TEXT NOT NULL,
        changed_at TEXT NOT NULL,
        PRIMARY KEY (zone, name, type)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE zone_serials (
        zone TEXT PRIMARY KEY,
        serial INTEGER NOT NULL,
        changed_at TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE latency (
        kind TEXT NOT NULL,
        value TEXT NOT NULL,
        pop TEXT NOT NULL,
        milliseconds REAL NOT NULL,
        author TEXT NOT NULL,
        changed_at TEXT NOT NULL,
        PRIMARY KEY (kind, value, pop)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE change_log (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL,
        author TEXT NOT NULL,
        kind TEXT NOT NULL,
        detail TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TRIGGER change_log_is_never_edited BEFORE UPDATE ON change_log
    BEGIN SELECT RAISE(ABORT, 'the change log is append-only'); END
    """,
    """
    CREATE TRIGGER change_log_is_never_shortened BEFORE DELETE ON change_log
    BEGIN SELECT RAISE(ABORT, 'the change log is append-only'); END
    """,
)

_LOG_HAS_AN_END = (
    "DROP TRIGGER change_log_is_never_shortened",
    """
    CREATE TRIGGER change_log_keeps_the_newest BEFORE DELETE ON change_log
    WHEN OLD.id > (SELECT max(id) FROM change_log) - 100000
    BEGIN SELECT RAISE(ABORT, 'the change log is append-only: the newest 100000 rows stay'); END
    """,
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_INITIAL, _LOG_HAS_AN_END)
"""Statements of each migration; migration *n* leads from version *n* to *n + 1*."""

VERSION = len(MIGRATIONS)


class NewerSchemaError(Exception):
    """The database was written by a later release; ``found`` is its version."""

    def __init__(self, found: int) -> None:
        self.found = found
        super().__init__(f"schema version {found} is newer than {VERSION}")


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the database up to ``VERSION``, all or nothing. The connection must be in autocommit mode.

    Raises NewerSchemaError, and sqlite3.Error as SQLite does.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if found > VERSION:
            raise NewerSchemaError(found)
        for statements in MIGRATIONS[found:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
