"""Which changes of files ask for a reload."""

from __future__ import annotations

from pathlib import Path

import pytest

from gslb.watch import counts, databases_outside

SITE = Path("/srv/site")
STATE = Path("/srv/site/state")
GEO = {Path("/srv/geo/city.mmdb"), Path("/srv/site/.geo/asn.mmdb")}


@pytest.mark.parametrize(
    "path",
    [
        "/srv/site/example.com.zone",
        "/srv/site/deep/er/pools.yaml",
        "/srv/site/latency.csv",
        "/srv/site/statement.yaml",
        "/srv/geo/city.mmdb",
        "/srv/site/.geo/asn.mmdb",
    ],
)
def test_what_the_site_is_made_of_counts(path):
    assert counts(Path(path), SITE, STATE, GEO)


@pytest.mark.parametrize(
    "path",
    [
        "/srv/site/.git/index",
        "/srv/site/.pools.yaml.swp",
        "/srv/site/pools.yaml~",
        "/srv/site/.hidden/pools.yaml",
        "/srv/site/state/state.db-wal",
        "/srv/site/state",
        "/srv/siteother/pools.yaml",
        "/srv/geo/other.mmdb",
        "/srv",
    ],
)
def test_what_cannot_change_answers_does_not(path):
    assert not counts(Path(path), SITE, STATE, GEO)


def test_databases_outside_the_site_are_watched_by_themselves(tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    within, outside, gone = site / "a.mmdb", tmp_path / "b.mmdb", tmp_path / "gone.mmdb"
    within.touch()
    outside.touch()
    assert databases_outside(site, {within, outside, gone}) == {outside}
