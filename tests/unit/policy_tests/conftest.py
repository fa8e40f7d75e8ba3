"""A site written into a directory of its own."""

from __future__ import annotations

import pytest

from tests.unit.policy_tests.sites import (
    BY_COUNTRY,
    test_file,
)
from tests.unit.sites import write_site


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(*tests, site=BY_COUNTRY):
        directory = write_site(tmp_path / "site", site=site)
        (directory / "tests.yaml").write_text(test_file(*tests))
        return directory

    return write
