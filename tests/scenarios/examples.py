"""How many examples hypothesis makes: always the same few, or as many new ones as the environment says."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

WANTED = int(os.environ.get("GSLB_EXAMPLES", "0"))
"""Examples of each test; with 0, few and always the same ones."""


def examples(few: int) -> settings:
    """Settings for one test that makes ``few`` examples unless more are asked for."""
    return settings(
        max_examples=WANTED or few,
        derandomize=not WANTED,
        database=None,
        deadline=None,
        print_blob=bool(WANTED),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
