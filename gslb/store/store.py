"""Everything durable: drains, zone changes, latency, and the log of who changed what.

Every method returns only once what it did is on disk. All raise StateError when the disk refuses; then
nothing changed. Times are aware UTC.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gslb.model.change import LoggedChange, StoredRRset
from gslb.model.health import Drain
from gslb.model.site import LatencyRow, LocationKind
from gslb.store.database import Database

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

DATABASE_NAME = "state.db"

LOG_ROWS = 100_000
"""Rows of the change log that are kept, the newest; a trigger in the schema forbids to remove those."""


class Store:
    """The state database. One server at a time: see ``gslb.store.directory.StateLock``."""

    def __init__(self, database: Database) -> None:
        """``open`` is the way to make one."""
        self._database = database

    @classmethod
    async def open(cls, directory: Path) -> Store:
        """Open or create the database in the state directory, which must exist. Raises StateError."""
        return cls(await Database.open(directory / DATABASE_NAME))

    async def close(self) -> None:
        """Close the database."""
        await self._database.close()

    async def drains(self) -> list[Drain]:
        """Every drain that was neither lifted nor removed by expiry, ordered by POP."""
        return await self._database.read(_read_drains)

    async def put_drain(self, drain: Drain) -> None:
        """Record a drain, replacing one of the same POP."""

        def work(connection: sqlite3.Connection) -> None:
            expires_at = _stamp(drain.expires_at) if drain.expires_at else None
            connection.execute(
                "INSERT OR REPLACE INTO drains (pop, reason, author, created_at, expires_at)"
                " VALUES (?, ?, ?, ?, ?)",
                (drain.pop, drain.reason, drain.author, _stamp(drain.created_at), expires_at),
            )
            detail = {"pop": drain.pop, "reason": drain.reason, "expires_at": expires_at}
            _log(connection, drain.created_at, drain.author, "drain", detail)

        await self._database.write(work)

    async def remove_drain(self, pop: str, author: str, at: datetime) -> bool:
        """Lift a POP's drain; whether there was one."""

        def work(connection: sqlite3.Connection) -> bool:
            removed = connection.execute("DELETE FROM drains WHERE pop = ?", (pop,)).rowcount > 0
            if removed:
                _log(connection, at, author, "undrain", {"pop": pop})
            return removed

        return await self._database.write(work)

    async def expire_drains(self, now: datetime) -> list[Drain]:
        """Remove the drains that no longer hold at ``now`` and return them."""

        def work(connection: sqlite3.Connection) -> list[Drain]:
            expired = [drain for drain in _read_drains(connection) if not drain.is_active(now)]
            for drain in expired:
                connection.execute("DELETE FROM drains WHERE pop = ?", (drain.pop,))
                _log(connection, now, "gslb", "drain-expired", {"pop": drain.pop, "reason": drain.reason})
            return expired

        return await self._database.write(work)

    async def rrsets(self) -> list[StoredRRset]:
        """Every RRset that the API set or removed, ordered by zone, name and type."""

        def work(connection: sqlite3.Connection) -> list[StoredRRset]:
            rows = connection.execute(
                "SELECT zone, name, type, ttl, records, author, changed_at FROM rrsets ORDER BY 1, 2, 3"
            )
            return [
                StoredRRset(zone, name, rtype, ttl, tuple(json.loads(records)), author, _time(changed_at))
                for zone, name, rtype, ttl, records, author, changed_at in rows
            ]

        return await self._database.read(work)

    async def serials(self) -> dict[str, int]:
        """The last serial handed out for each zone that the API changed."""
        return await self._database.read(
            lambda connection: dict(connection.execute("SELECT zone, serial FROM zone_serials").fetchall())
        )

    async def put_rrsets(
        self,
        zone: str,
        serial: int,
        rrsets: Sequence[StoredRRset],
        author: str,
        at: datetime,
        *,
        forgotten: Sequence[tuple[str, int]] = (),
    ) -> None:
        """Record changes of one zone and its new serial, in one transaction.

        Of each (name, type) in ``forgotten`` nothing is stored any more.
        """

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "INSERT OR REPLACE INTO rrsets (zone, name, type, ttl, records, author, changed_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (row.zone, row.name, row.rtype, row.ttl, _json(list(row.records)), author, _stamp(at))
                    for row in rrsets
                ],
            )
            connection.execute(
                "INSERT OR REPLACE INTO zone_serials (zone, serial, changed_at) VALUES (?, ?, ?)",
                (zone, serial, _stamp(at)),
            )
            connection.executemany(
                "DELETE FROM rrsets WHERE zone = ? AND name = ? AND type = ?",
                [(zone, name, rtype) for name, rtype in forgotten],
            )
            changes: list[dict[str, object]] = [
                {"name": row.name, "type": row.rtype, "ttl": row.ttl, "records": list(row.records)}
                for row in rrsets
            ]
            changes += [{"name": name, "type": rtype, "records": None} for name, rtype in forgotten]
            _log(connection, at, author, "rrsets", {"zone": zone, "serial": serial, "rrsets": changes})

        await self._database.write(work)

    async def latency(self) -> list[LatencyRow]:
        """The latency rows that the API set, ordered by location and POP."""

        def work(connection: sqlite3.Connection) -> list[LatencyRow]:
            rows = connection.execute("SELECT kind, value, pop, milliseconds FROM latency ORDER BY 1, 2, 3")
            return [
                LatencyRow(kind=LocationKind(kind), value=value, pop=pop, milliseconds=milliseconds)
                for kind, value, pop, milliseconds in rows
            ]

        return await self._database.read(work)

    async def put_latency(
        self,
        rows: Sequence[LatencyRow],
        removed: Sequence[tuple[LocationKind, str, str]],
        author: str,
        at: datetime,
    ) -> None:
        """Record latency rows and forget those of the (kind, value, POP) in ``removed``."""

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "DELETE FROM latency WHERE kind = ? AND value = ? AND pop = ?",
                [(str(kind), value, pop) for kind, value, pop in removed],
            )
            connection.executemany(
                "INSERT OR REPLACE INTO latency (kind, value, pop, milliseconds, author, changed_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [(str(row.kind), row.value, row.pop, row.milliseconds, author, _stamp(at)) for row in rows],
            )
            # Measurements come in thousands, again and again: the log says how many, not which.
            _log(connection, at, author, "latency", {"set": len(rows), "removed": len(removed)})

        await self._database.write(work)

    async def change_log(self, limit: int = 100) -> list[LoggedChange]:
        """The latest changes, newest first, at most ``limit``."""

        def work(connection: sqlite3.Connection) -> list[LoggedChange]:
            rows = connection.execute(
                "SELECT id, at, author, kind, detail FROM change_log ORDER BY id DESC LIMIT ?", (limit,)
            )
            return [
                LoggedChange(number, _time(at), author, kind, json.loads(detail))
                for number, at, author, kind, detail in rows
            ]

        return await self._database.read(work)


def _read_drains(connection: sqlite3.Connection) -> list[Drain]:
    rows = connection.execute("SELECT pop, reason, author, created_at, expires_at FROM drains ORDER BY pop")
    return [
        Drain(pop, reason, author, _time(created_at), _time(expires_at) if expires_at else None)
        for pop, reason, author, created_at, expires_at in rows
    ]


def _log(connection: sqlite3.Connection, at: datetime, author: str, kind: str, detail: object) -> None:
    number = connection.execute(
        "INSERT INTO change_log (at, author, kind, detail) VALUES (?, ?, ?, ?)",
        (_stamp(at), author, kind, _json(detail)),
    ).lastrowid
    connection.execute("DELETE FROM change_log WHERE id <= ?", ((number or 0) - LOG_ROWS,))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _time(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)
