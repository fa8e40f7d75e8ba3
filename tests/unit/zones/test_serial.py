"""Serial number arithmetic (RFC 1982)."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gslb.zones.serial import is_newer, next_serial, with_serial

serials = st.integers(0, 2**32 - 1)
HALF = 2**31


@given(serials, st.integers(1, HALF - 1))
@example(2**32 - 1, 1)
def test_what_is_up_to_half_the_circle_ahead_is_newer(serial, steps):
    ahead = (serial + steps) % 2**32
    assert is_newer(ahead, serial)
    assert not is_newer(serial, ahead)


@given(serials)
def test_a_serial_is_not_newer_than_itself_or_its_opposite(serial):
    assert not is_newer(serial, serial)
    opposite = (serial + HALF) % 2**32  # undefined by section 3.2; newer in neither direction here
    assert not is_newer(opposite, serial)
    assert not is_newer(serial, opposite)


@given(serials)
@example(2**32 - 1)
@example(0)
def test_the_next_serial_is_newer_and_never_zero(serial):
    following = next_serial(serial)
    assert is_newer(following, serial)
    assert 0 < following < 2**32


def test_the_numbers_of_section_5():
    assert is_newer(44, 0) is True
    assert is_newer(100, 44) is True
    assert is_newer(200, 100) is True
    assert is_newer(0, 2**32 - 1) is True
    assert is_newer(44, 200) is False


@given(serials, st.binary(min_size=2, max_size=510), st.binary(min_size=16, max_size=16))
def test_only_the_serial_of_an_soa_changes(serial, names, numbers):
    changed = with_serial(names + b"\0\0\0\1" + numbers, serial)
    assert changed == names + serial.to_bytes(4, "big") + numbers


@given(st.binary(max_size=21))
def test_what_is_too_short_is_refused(soa):
    with pytest.raises(ValueError, match="too short"):
        with_serial(soa, 1)
