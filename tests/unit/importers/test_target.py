"""The directory that a converted site is put into."""

from __future__ import annotations

from pathlib import Path

import pytest

from gslb.importers import target as module
from gslb.importers.target import ImportRefusedError, Target

NEW = {"pops.yaml": b"new", "zones/a.zone": b"zone"}


@pytest.fixture
def old(tmp_path):
    """A site that is there."""
    site = tmp_path / "site"
    (site / "sub").mkdir(parents=True)
    (site / "sub" / "old.yaml").write_bytes(b"old")
    return site


def contents(directory):
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def refused(out, message, *, force=True):
    with pytest.raises(ImportRefusedError, match=message) as caught:
        Target(out, force=force).put(NEW)
    assert str(caught.value).startswith(f"{out} ")
    assert ".gslb-import" not in str(caught.value)


def test_what_is_there_is_replaced_as_a_whole_and_nothing_is_left_beside(old):
    assert Target(old, force=True).put(NEW) == ""
    assert contents(old) == NEW
    assert list(old.parent.iterdir()) == [old]
    assert oct(old.stat().st_mode) == oct((old / "zones").stat().st_mode)


def test_directories_above_are_made_and_go_again_if_nothing_can_be_written(tmp_path):
    Target(tmp_path / "a/b", force=False).put(NEW)
    assert contents(tmp_path / "a/b") == NEW
    with pytest.raises(ImportRefusedError, match="File name too long"):
        Target(tmp_path / "c/d", force=False).put({"x" * 300: b""})
    assert not (tmp_path / "c").exists()


def test_a_link_stays_and_what_it_leads_to_is_replaced(old, tmp_path):
    link = tmp_path / "current"
    link.symlink_to("site")
    refused(link, "not empty", force=False)
    Target(link, force=True).put(NEW)
    assert link.readlink() == Path("site")
    assert contents(old) == NEW
    assert sorted(tmp_path.iterdir()) == [link, old]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("dangling", "leads nowhere"),
        ("loop", "leads nowhere"),
        ("loop/below", "symbolic links"),
        ("file", "is no directory"),
        ("file/below", "File exists"),
        ("n" * 300, "File name too long"),
    ],
)
def test_what_cannot_be_a_directory_is_refused_by_the_path_given(tmp_path, path, message):
    (tmp_path / "dangling").symlink_to("nothing")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_bytes(b"mine")
    before = sorted(tmp_path.iterdir())
    refused(tmp_path / path, message)
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_where_nothing_can_be_made_the_path_given_is_named():
    refused(Path("/proc/x"), "no directory can be made in /proc")


@pytest.mark.parametrize("path", [".", "..", "../../site", "/"])
def test_the_current_directory_is_refused(old, monkeypatch, path):
    monkeypatch.chdir(old / "sub")
    refused(Path(path), "current directory")
    assert contents(old) == {"sub/old.yaml": b"old"}


@pytest.mark.parametrize(("point", "message"), [("", "is a mount point"), ("/sub", "mounted in it")])
def test_mount_points_are_refused(old, tmp_path, monkeypatch, point, message):
    site = old.rename(tmp_path / "my site")
    mounts = tmp_path / "mountinfo"
    escaped = f"{site}{point}".replace(" ", "\\040")
    mounts.write_text(f"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n29 22 0:27 / {escaped} rw - tmpfs tmpfs rw\n")
    monkeypatch.setattr(module, "MOUNTS", mounts)
    refused(site, message)
    assert contents(site) == {"sub/old.yaml": b"old"}


def failing_renames(monkeypatch, *fails):
    """The n-th renaming fails for each n."""
    rename, calls = Path.rename, []

    def renamed(path, to):
        calls.append(path)
        if len(calls) in fails:
            raise OSError(16, "Device or resource busy", str(path))
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", renamed)


@pytest.mark.parametrize(("fails", "message"), [((1,), "cannot be put aside"), ((2,), "cannot be written")])
def test_a_swap_that_fails_leaves_all_as_it_was(old, monkeypatch, fails, message):
    failing_renames(monkeypatch, *fails)
    refused(old, f"{message}: Device or resource busy")
    assert contents(old) == {"sub/old.yaml": b"old"}
    assert list(old.parent.iterdir()) == [old]


def test_what_cannot_be_put_back_is_kept_and_named(old, monkeypatch):
    failing_renames(monkeypatch, 2, 3)
    with pytest.raises(ImportRefusedError, match="move it back") as caught:
        Target(old, force=True).put(NEW)
    (work,) = old.parent.iterdir()
    assert contents(work) == {"old/sub/old.yaml": b"old"}
    assert f"is in {work / 'old'} now" in str(caught.value)


def test_an_interruption_between_the_renames_puts_the_old_site_back(old, monkeypatch):
    rename = Path.rename

    def renamed(path, to):
        made = rename(path, to)
        if path == old:
            raise KeyboardInterrupt
        return made

    monkeypatch.setattr(Path, "rename", renamed)
    with pytest.raises(KeyboardInterrupt):
        Target(old, force=True).put(NEW)
    assert contents(old) == {"sub/old.yaml": b"old"}
    assert list(old.parent.iterdir()) == [old]


def test_what_cannot_be_deleted_is_named(old, monkeypatch):
    def undeletable(path, *, ignore_errors=False):
        if not ignore_errors:
            raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(module.shutil, "rmtree", undeletable)
    left = Target(old, force=True).put(NEW)
    (work,) = set(old.parent.iterdir()) - {old}
    assert left.startswith(f"what is left of the old site in {work}/old cannot be deleted: Permission denied")
    assert contents(old) == NEW
    assert contents(work) == {"old/sub/old.yaml": b"old"}
