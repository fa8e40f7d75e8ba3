from __future__ import annotations

from datetime import timedelta

import pytest

from gslb.api.durations import read_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1d12h", 129_600), ("1w", 604_800)]
)
def test_durations_are_read(text, seconds):
    assert read_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "2", "h", "-1h", "1.5h", "0s", "3651d", "1h ", "１h", "9" * 50 + "s"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="is not"):
        read_duration(text)
