from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from gslb.errors import StateError
from gslb.model.change import StoredRRset
from gslb.model.health import Drain
from gslb.model.site import LatencyRow, LocationKind
from gslb.store.schema import MIGRATIONS
from gslb.store.store import LOG_ROWS, Store
from tests.unit.fakes import START

HOUR = timedelta(hours=1)


@pytest.fixture
async def store(tmp_path):
    store = await Store.open(tmp_path)
    yield store
    await store.close()


async def reopened(store, directory):
    await store.close()
    return await Store.open(directory)


def drain(pop="fra", reason="fibre cut", expires_at=None):
    return Drain(pop, reason, "ana", START, expires_at)


async def test_drains_outlive_a_restart(store, tmp_path):
    await store.put_drain(drain(expires_at=START + HOUR))
    await store.put_drain(drain("ams"))
    again = await reopened(store, tmp_path)
    assert await again.drains() == [drain("ams"), drain(expires_at=START + HOUR)]
    await again.close()


async def test_a_second_drain_of_a_pop_replaces_the_first(store):
    await store.put_drain(drain())
    await store.put_drain(drain(reason="maintenance"))
    assert await store.drains() == [drain(reason="maintenance")]


async def test_removing_a_drain_says_whether_there_was_one(store):
    await store.put_drain(drain())
    assert await store.remove_drain("fra", "bo", START)
    assert not await store.remove_drain("fra", "bo", START)
    assert await store.drains() == []


async def test_expired_drains_are_removed_and_returned(store):
    await store.put_drain(drain(expires_at=START + HOUR))
    await store.put_drain(drain("ams"))
    assert await store.expire_drains(START + HOUR - timedelta(seconds=1)) == []
    assert await store.expire_drains(START + HOUR) == [drain(expires_at=START + HOUR)]
    assert await store.drains() == [drain("ams")]


async def test_zone_changes_and_serials_outlive_a_restart(store, tmp_path):
    rows = [
        StoredRRset("example.com.", "www.example.com.", 1, 60, ("192.0.2.1", "192.0.2.2"), "ana", START),
        StoredRRset("example.com.", "old.example.com.", 16, 0, (), "ana", START),
    ]
    await store.put_rrsets("example.com.", 11, rows, "ana", START)
    newer = StoredRRset("example.com.", "www.example.com.", 1, 30, ("192.0.2.9",), "bo", START + HOUR)
    await store.put_rrsets("example.com.", 4_294_967_295, [newer], "bo", START + HOUR)
    again = await reopened(store, tmp_path)
    assert await again.rrsets() == [rows[1], newer]
    assert await again.serials() == {"example.com.": 4_294_967_295}
    await again.close()


async def test_latency_rows_are_set_and_forgotten(store):
    row = LatencyRow(kind=LocationKind.COUNTRY, value="DE", pop="fra", milliseconds=12.5)
    other = row.model_copy(update={"pop": "ams"})
    await store.put_latency([row, other], [], "ana", START)
    await store.put_latency([], [(LocationKind.COUNTRY, "DE", "ams")], "ana", START)
    assert await store.latency() == [row]
    assert [change.detail for change in await store.change_log()] == [
        {"set": 0, "removed": 1},
        {"set": 2, "removed": 0},
    ]


async def test_the_log_has_every_change_and_cannot_be_edited(store, tmp_path):
    await store.put_drain(drain())
    await store.remove_drain("fra", "bo", START + HOUR)
    latest, first = await store.change_log()
    assert (first.kind, first.author, first.at, first.detail["reason"]) == (
        "drain",
        "ana",
        START,
        "fibre cut",
    )
    assert (latest.kind, latest.author, latest.detail) == ("undrain", "bo", {"pop": "fra"})
    assert latest.number > first.number
    with sqlite3.connect(tmp_path / "state.db") as connection:
        for statement in ("DELETE FROM change_log", "UPDATE change_log SET author = 'eve'"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)
    connection.close()


async def test_the_log_keeps_its_newest_rows(store, tmp_path):
    def fill(connection):
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO change_log (at, author, kind, detail) SELECT ?, 'ana', 'drain', '{}' FROM n",
            (LOG_ROWS, START.isoformat()),
        )

    def bounds(connection):
        return connection.execute("SELECT min(id), max(id), count(*) FROM change_log").fetchone()

    await store._database.write(fill)
    assert await store._database.read(bounds) == (1, LOG_ROWS, LOG_ROWS)
    await store.put_drain(drain())
    await store.remove_drain("fra", "bo", START)
    assert await store._database.read(bounds) == (3, LOG_ROWS + 2, LOG_ROWS)
    connection = sqlite3.connect(tmp_path / "state.db")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute("DELETE FROM change_log WHERE id = 3")
    connection.close()


async def test_a_database_of_the_first_release_is_migrated(tmp_path):
    connection = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    for statement in MIGRATIONS[0]:
        connection.execute(statement)
    connection.execute("INSERT INTO change_log (at, author, kind, detail) VALUES ('x', 'ana', 'drain', '{}')")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    store = await Store.open(tmp_path)
    await store.put_drain(drain())
    assert [row.number for row in await store.change_log(1)] == [2]
    await store.close()


async def test_a_failed_change_changes_nothing(store):
    row = StoredRRset("example.com.", "www.example.com.", 1, 60, ("192.0.2.1",), "ana", START)
    unstorable = StoredRRset("example.com.", "x.example.com.", 1, 2**70, (), "ana", START)
    with pytest.raises((StateError, OverflowError)):
        await store.put_rrsets("example.com.", 11, [row, unstorable], "ana", START)
    assert await store.rrsets() == []
    assert await store.serials() == {}
    assert await store.change_log() == []


async def test_files_are_for_the_owner_alone(store, tmp_path):
    await store.put_drain(drain())
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert set(modes) >= {"state.db", "state.db-wal"}
    assert set(modes.values()) == {0o600}


async def test_commits_are_synced_to_disk(store):
    pragmas = await store._database.read(
        lambda connection: [
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
        ]
    )
    assert pragmas == ["wal", 2]


async def test_a_file_that_is_no_database_is_named_with_what_to_do(tmp_path):
    (tmp_path / "state.db").write_bytes(b"this is not a database" * 100)
    with pytest.raises(StateError, match=r"state\.db: .*not a database.*move it"):
        await Store.open(tmp_path)


async def test_a_damaged_database_is_refused(store, tmp_path):
    for number in range(200):
        await store.put_drain(drain(f"pop{number}", reason="x" * 400))
    await store.close()
    path = tmp_path / "state.db"
    octets = bytearray(path.read_bytes())
    octets[4096:] = b"\xa5" * (len(octets) - 4096)
    path.write_bytes(octets)
    with pytest.raises(StateError, match=r"state\.db.*restore it from a backup"):
        await Store.open(tmp_path)


async def test_a_database_of_a_newer_release_is_left_alone(store, tmp_path):
    await store.close()
    connection = sqlite3.connect(tmp_path / "state.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StateError, match=r"newer gslb .schema 99, this one knows 2"):
        await Store.open(tmp_path)


async def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(StateError, match=r"nowhere/state\.db.*check that the directory exists"):
        await Store.open(tmp_path / "nowhere")


async def test_a_closed_store_says_so(tmp_path):
    store = await Store.open(tmp_path)
    await store.close()
    await store.close()
    with pytest.raises(StateError, match="the store is closed"):
        await store.drains()


WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from gslb.model.health import Drain
from gslb.store.store import Store

async def main():
    store = await Store.open(Path(sys.argv[1]))
    for number in range(1_000_000):
        await store.put_drain(Drain(f"pop{number}", "r", "a", datetime.now(UTC)))
        print(number, flush=True)

asyncio.run(main())
"""


def test_what_was_acknowledged_survives_kill_9(tmp_path):
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as process:
        acknowledged = -1
        while acknowledged < 25:
            acknowledged = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split("\n")
        acknowledged = max([acknowledged, *(int(line) for line in rest[:-1])])

    async def read():
        store = await Store.open(tmp_path)
        drains = await store.drains()
        log = await store.change_log(10_000)
        await store.close()
        return {drain.pop for drain in drains}, len(log)

    pops, logged = asyncio.run(read())
    assert pops >= {f"pop{number}" for number in range(acknowledged + 1)}
    assert logged == len(pops)
