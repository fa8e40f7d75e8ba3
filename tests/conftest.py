"""Fixtures that every test may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def engine(tmp_path: Path) -> Callable[..., Engine]:
    """Makes engines that keep their files in the test's own directory."""

    def make(zones: dict[str, str], steering: dict | None = None) -> Engine:
        return Engine(tmp_path, zones, steering)

    return make
