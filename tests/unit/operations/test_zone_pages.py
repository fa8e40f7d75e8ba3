from __future__ import annotations

import pytest

from gslb.operations.zone_pages import rrset_page
from tests.engine import APEX, Engine

A, TXT = 1, 16
NAMES = 5_000


@pytest.fixture(scope="module")
def zone(tmp_path_factory):
    """A zone with an A at each of many names and a TXT at every hundredth."""
    lines = [
        f"n{number} A 192.0.2.1\n{f'n{number} TXT x' if number % 100 == 0 else ''}\n"
        for number in range(NAMES)
    ]
    return Engine(tmp_path_factory.mktemp("pages"), {"example.com.": APEX + "".join(lines)}).zones[0]


class CountedZone:
    """A zone that records what is read of it."""

    def __init__(self, zone):
        self._zone, self.reads = zone, []

    def rrsets(self, *asked):
        self.reads.append(asked)
        return self._zone.rrsets(*asked)

    def rrset(self, name, rtype):
        return self._zone.rrset(name, rtype)


def pages(zone, limit, name=None, rtype=None):
    """The rows of each page."""
    found, offset = [], 0
    while offset is not None:
        rows, following = rrset_page(zone, offset, limit, name, rtype)
        assert following is None or following > offset
        found.append([(row.name, row.type) for row in rows])
        offset = following
    return found


def test_pages_are_the_whole_zone(zone):
    (whole,) = pages(zone, 10 * NAMES)
    assert len(set(whole)) == len(whole) == NAMES + NAMES // 100 + 3
    found = pages(zone, 1_000)
    assert [row for page in found for row in page] == whole
    assert {len(page) for page in found[:-1]} == {1_000}


def test_a_type_is_looked_for_with_one_read_a_page_that_goes_on_where_the_last_one_ended(zone):
    counted = CountedZone(zone)
    (whole,) = pages(zone, 10 * NAMES)
    found = pages(counted, 7, rtype=TXT)
    assert [row for page in found for row in page] == [row for row in whole if row[1] == "TXT"]
    assert len(counted.reads) == len(found) == 8
    begins = [offset for offset, _, _ in counted.reads]
    assert begins == [0, *(whole.index(page[0]) for page in found[1:])]
    assert pages(zone, 7, rtype=15) == [[]]


def test_pages_of_one_name(zone):
    assert pages(zone, 1, "n100.example.com.") == [
        [("n100.example.com.", "A")],
        [("n100.example.com.", "TXT")],
    ]
    assert pages(zone, 9, "n100.example.com.", TXT) == [[("n100.example.com.", "TXT")]]
    assert pages(zone, 9, "nowhere.example.com.", A) == [[]]
