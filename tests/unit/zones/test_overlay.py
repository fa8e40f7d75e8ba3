"""Laying the API's changes over a zone; what of them does not fit is in ``tests/unit/test_publish.py``."""

from __future__ import annotations

from types import SimpleNamespace

from gslb.zones.overlay import WITHOUT_LAST_RESORT, lay_over

CHANGES = 300


class CountedName(str):
    """A name that counts how often names are compared."""

    __slots__ = ()
    compared = 0

    def __eq__(self, other):
        CountedName.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


class FakeZone:
    origin = "example.com."

    def __init__(self, changes=()):
        self.changes = changes

    def with_rrsets(self, changes):
        return FakeZone(changes)


def test_removals_of_last_resorts_are_left_out_without_comparing_all_changes_with_all():
    removed = [(CountedName(f"n{number}.example.com."), 1, 0, []) for number in range(CHANGES)]
    added = [(CountedName(f"n{number}.example.com."), 16, 60, [b"\1a"]) for number in range(CHANGES)]

    def lost(zone, changes, _, *, are_stored):
        assert are_stored
        return {name: ("finding", {1}) for name, rtype, *_ in zone.changes if rtype == 1}

    zone, misfits, errors = lay_over(
        FakeZone(), [*removed, *added], SimpleNamespace(lost=lost), (), lambda _: True
    )
    assert sorted(zone.changes) == sorted(added)
    assert misfits == [(change, WITHOUT_LAST_RESORT) for change in removed]
    assert errors == []
    assert CountedName.compared < 50 * CHANGES
