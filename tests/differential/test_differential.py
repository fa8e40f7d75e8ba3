"""The short form: a few thousand queries, answered as most of the installed servers answer them."""

from __future__ import annotations

import pytest

from tests.differential.compare import majority, parse
from tests.differential.known import KNOWN
from tests.differential.queries import ODD, header, opt, question
from tests.differential.run import Report, run_round
from tests.differential.servers import EXECUTABLES, installed

QUERIES = 700
SECTIONS_AGREE = 0.999


@pytest.fixture(scope="module")
def servers() -> list[str]:
    """The daemons that are here; two at least are needed for there to be a majority."""
    missing = [server for server in EXECUTABLES if not installed(server)]
    if len(missing) > 1:
        pytest.skip(f"needs two of nsd, knot and bind9 (Debian packages); missing: {', '.join(missing)}")
    return [server for server in EXECUTABLES if server not in missing]


@pytest.fixture(scope="module")
def report(servers: list[str]) -> Report:
    made = Report()
    for index in range(5):
        run_round(f"short:{index}", servers, QUERIES, made)
    return made


@pytest.mark.parametrize("server", list(EXECUTABLES))
def test_the_server_takes_part(server: str) -> None:
    if not installed(server):
        pytest.skip(f"{server} is not installed: {EXECUTABLES[server]} is missing")


def test_header_edns_and_question_agree_always(report: Report) -> None:
    assert report.strict_failures() == [], report.text(5)


def test_sections_agree(report: Report) -> None:
    assert report.sections_agree >= SECTIONS_AGREE * report.queries, report.text(5)


def test_sockets_answer_as_the_engine_does(report: Report) -> None:
    assert report.sockets_differ == []


def test_majority_needs_more_than_half() -> None:
    assert majority({"a": 1, "b": 1, "c": 2}) == (True, 1)
    assert not majority({"a": 1, "b": 2, "c": 3})[0]
    assert not majority({"a": 1, "b": 2})[0]


def test_parse_takes_silence_and_rubbish() -> None:
    assert parse(None).parts == {"reply": "silent"}
    assert parse(b"\0" * 5).parts["wellformed"] != "yes"
    assert parse(header() + question(b"\0", 1) + b"\0").parts["wellformed"] != "yes"


def test_parse_reads_the_parts() -> None:
    wire = header(0x8410, 0, (1, 0, 0, 1)) + question(b"\x01A\0", 1) + opt(1232, do=True)
    parts = parse(wire).parts
    assert parts["flags"] == "QR AA CD"
    assert parts["rcode"] == "NOERROR"
    assert parts["question"] == question(b"\x01A\0", 1)
    assert parts["edns"] == "version=0 DO options="
    assert parts["additional"] == ()


def test_every_known_difference_says_why() -> None:
    assert len({known.name for known in KNOWN}) == len(KNOWN)
    assert all(known.reason.endswith(".") for known in KNOWN)
    assert ODD
