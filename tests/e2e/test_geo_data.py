"""Geo databases, overrides and included files that change while they are served."""

import os
import threading

import pytest

from tests.e2e.server import texts_of
from tests.e2e.site import AMS, FRA, IAD, ZONE
from tests.e2e.test_reload import Asker
from tests.e2e.waiting import eventually
from tests.geo import write_countries, write_database

CLIENT, BESIDE = "10.49.1.0/24", "10.50.1.0/24"
GERMAN, DUTCH = {"10.49.0.0/16": "DE", "10.50.0.0/16": "DE"}, {"10.49.0.0/16": "NL", "10.50.0.0/16": "NL"}


@pytest.fixture
def database(site, tmp_path):
    """The site's database, which is not in its directory."""
    path = tmp_path / "elsewhere" / "city.mmdb"
    path.parent.mkdir()
    write_countries(path, GERMAN)
    steering = (site.path / "steering.yaml").read_text()
    site.write("steering.yaml", steering.replace("[geo/city.mmdb]", f"[{path}]"))
    return path


@pytest.fixture
def server(site, database, start):
    server = start(site.path)
    assert server.address("www.example.com", CLIENT) == FRA
    return server


def becomes(server, address, client=CLIENT):
    eventually(
        lambda: server.address("www.example.com", client) == address, f"{client} is answered {address}", 15
    )


def test_a_database_that_is_renamed_over_is_in_force_by_itself_and_what_moves_is_logged(server, database):
    write_countries(database, DUTCH)
    becomes(server, AMS)
    log = server.log()
    assert "geo data changed" in log
    assert "networks are answered with other POPs" in log


def test_a_database_that_is_written_over_in_place_is_in_force_by_itself(server, database, tmp_path):
    new = write_countries(tmp_path / "new.mmdb", DUTCH).read_bytes()
    with database.open("r+b") as file:
        file.truncate(0)
        file.write(new[:100])
        file.flush()
        os.fsync(file.fileno())
        eventually(lambda: "reload refused" in server.log(), "half a file is refused", 15)
        assert server.address("www.example.com", CLIENT) == FRA
        file.write(new[100:])
    becomes(server, AMS)


@pytest.mark.parametrize("octets", [b"", b"no database\n", None])
def test_a_broken_database_is_refused_by_name_and_the_old_one_serves_on(server, database, octets):
    generation = server.done("GET", "/v1/status")["generation"]
    whole = database.read_bytes()
    if octets is None:
        database.unlink()
    else:
        database.write_bytes(octets)
    eventually(lambda: "reload refused" in server.log(), "the log says why", 15)
    assert str(database) in server.log()
    status = server.done("GET", "/v1/status")
    assert (status["generation"], status["last_reload"]["success"]) == (generation, False)
    assert str(database) in status["last_reload"]["message"]
    assert server.address("www.example.com", CLIENT) == FRA
    database.write_bytes(whole)
    eventually(
        lambda: server.done("GET", "/v1/status")["last_reload"]["success"], "the whole file is taken up", 15
    )


def test_a_database_of_another_kind_is_refused_and_the_old_one_serves_on(server, database):
    write_database(database, {"10.49.0.0/16": {"autonomous_system_number": 64500}}, kind="GeoLite2-ASN")
    eventually(lambda: "reload refused" in server.log(), "the log says why", 15)
    message = server.done("GET", "/v1/status")["last_reload"]["message"]
    assert message.startswith(f"{database}: error: policy 'regional' ")
    assert "city.mmdb has AS numbers" in message
    assert server.address("www.example.com", CLIENT) == FRA


def test_queries_during_the_swap_see_one_generation(server, database):
    """Each generation has one answer, and both networks, which are always in the same country, get it."""
    asker = Asker(server, "udp")
    answers: dict[int, set[str]] = {}
    stop = threading.Event()

    def explain():
        while not stop.is_set():
            for client in (CLIENT, BESIDE):
                query = f"name=www.example.com&type=A&client=192.0.2.9&subnet={client}"
                report = server.done("GET", f"/v1/explain?{query}")
                found = {record["data"] for record in report["answer"]["answer"]}
                answers.setdefault(report["generation"], set()).update(found)

    thread = threading.Thread(target=explain)
    thread.start()
    try:
        for number in range(6):
            write_countries(database, GERMAN if number % 2 else DUTCH)
            server.done("POST", "/v1/reload")
            assert server.address("www.example.com", CLIENT) == (FRA if number % 2 else AMS)
    finally:
        stop.set()
        thread.join()
        asker.stop()
    assert len(answers) > 1
    assert {frozenset(found) for found in answers.values()} <= {frozenset({FRA}), frozenset({AMS})}
    assert asker.wrong == []
    assert asker.asked > 20


def test_overrides_elsewhere_are_watched_and_refused_when_broken(site, database, start, tmp_path):
    overrides = tmp_path / "elsewhere" / "overrides.csv"
    header = "network,continent,country,subdivision,asn,latitude,longitude\n"
    overrides.write_text(header)
    steering = (site.path / "steering.yaml").read_text()
    site.write(
        "steering.yaml", steering.replace("geo:\n  databases", f"geo:\n  overrides: {overrides}\n  databases")
    )
    server = start(site.path)
    assert server.address("www.example.com", CLIENT) == FRA
    overrides.write_text(header + "10.49.0.0/16,,NL,,,,\n")
    becomes(server, AMS)
    assert server.address("www.example.com", BESIDE) == FRA
    overrides.write_text(header + "10.49.0.0/99,,NL,,,,\n")
    eventually(lambda: "reload refused" in server.log(), "the row is refused", 15)
    assert "overrides.csv:2" in server.log()
    assert server.address("www.example.com", CLIENT) == AMS
    overrides.write_text(header + "10.49.0.0/16,,US,,,,\n")
    becomes(server, IAD)


def test_an_included_file_elsewhere_is_watched(site, database, start, tmp_path):
    included = tmp_path / "elsewhere" / "version.inc"
    included.write_text('version IN TXT "first"\n')
    site.write("example.com.zone", ZONE.replace('version       IN TXT  "1"', f"$INCLUDE {included}"))
    server = start(site.path)
    included.write_text('version IN TXT "second"\n')
    eventually(
        lambda: texts_of(server.ask("version.example.com", "TXT")) == ["second"],
        "the included file is read",
        15,
    )
