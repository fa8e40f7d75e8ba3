from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from gslb.health.schedule import FIRST_SPACING, LEAST_PAUSE, first_delay, pause
from gslb.model.site import Monitor


def monitor(interval=10.0, jitter=0.1):
    return Monitor(name="m", type="tcp", port=80, interval=interval, jitter=jitter)


def test_a_few_targets_are_probed_at_once_and_a_thousand_over_the_interval():
    assert [first_delay(monitor(), position, 3) for position in range(3)] == [
        0,
        FIRST_SPACING,
        2 * FIRST_SPACING,
    ]
    delays = [first_delay(monitor(), position, 1000) for position in range(1000)]
    assert max(delays) < 10
    assert sum(1 for delay in delays if delay < 1) == 100


@given(st.floats(0.1, 3600), st.floats(0, 1), st.floats(0, 60), st.integers())
def test_jitter_only_shortens_and_the_time_a_probe_took_is_part_of_the_interval(
    interval, jitter, elapsed, seed
):
    wait = pause(monitor(interval, jitter), Random(seed), elapsed)
    assert wait >= LEAST_PAUSE
    assert wait + elapsed <= max(interval, elapsed + LEAST_PAUSE) + 1e-9
    assert wait + elapsed >= interval * (1 - jitter) - 1e-9
