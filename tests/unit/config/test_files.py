"""The files of a site, and how their paths are shown."""

from pathlib import Path

import pytest

from gslb.config.files import display_path, stamps


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Path.cwd()


def test_a_path_below_the_current_directory_is_shown_relative_to_it(here):
    for path in (here / "zones" / "a.zone", Path("zones/a.zone"), Path("zones/../zones/./a.zone")):
        assert display_path(path) == "zones/a.zone"
    assert display_path(here) == "."


def test_other_paths_are_shown_absolute(here):
    beside = here.with_name(f"{here.name}-too") / "a.zone"
    assert display_path(beside) == str(beside)
    assert display_path(Path("../a.zone")) == str(here.parent / "a.zone")


def test_everything_is_below_the_root(monkeypatch):
    monkeypatch.chdir("/")
    assert display_path(Path("/etc/gslb/a.zone")) == "etc/gslb/a.zone"


def test_without_a_current_directory_paths_are_shown_absolute(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert display_path(Path("/etc/gslb/a.zone")) == "/etc/gslb/a.zone"


def test_files_changed_lately_can_be_left_out_and_links_that_lead_elsewhere_since(tmp_path):
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("text")
    link.symlink_to("file")
    changed = link.lstat().st_ctime_ns
    assert stamps([file, link, tmp_path / "absent"], changed + 1) == stamps([file, link])
    assert stamps([link], changed) == frozenset()
    assert stamps([file], file.stat().st_ctime_ns) == frozenset()
