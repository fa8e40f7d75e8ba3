"""Serials compared with the last commit."""

import shutil
import subprocess

import pytest

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

ZONE = "$TTL 300\n@ SOA ns1.dns.test. h {} 7200 1800 1209600 300\n@ NS ns1.dns.test.\n@ NS ns2.dns.test.\n"
RULE = ["zone-serial-not-increased example.com:2"]


@pytest.fixture
def repository(checked, monkeypatch):
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "a")
        monkeypatch.setenv(f"{name}_EMAIL", "a@example.com")

    def git(*arguments):
        subprocess.run(["git", *arguments], cwd=checked.directory, check=True, capture_output=True)

    def commit(serial=5, more=""):
        checked.check({"example.com": ZONE.format(serial) + more})
        git("add", ".")
        git("commit", "-qm", "x")

    git("init", "-q")
    checked.commit = commit
    return checked


def check(site, serial, more=""):
    return site.check({"example.com": ZONE.format(serial) + more}, with_history=True)


def test_a_change_needs_a_newer_serial(repository):
    assert check(repository, 5) == []  # nothing is committed yet
    repository.commit()
    assert check(repository, 5) == []
    assert check(repository, 5, "a A 192.0.2.1\n") == RULE
    assert "its serial 5 is not newer than 5 was" in repository.messages
    assert check(repository, 6, "a A 192.0.2.1\n") == []
    assert check(repository, 4) == RULE


def test_serials_wrap_around(repository):
    repository.commit(4294967295)
    assert check(repository, 1, "a A 192.0.2.1\n") == []
    assert check(repository, 2147483647, "a A 192.0.2.1\n") == RULE


def test_comments_and_order_are_no_change(repository):
    repository.commit(5, "a A 192.0.2.1\nb A 192.0.2.2\n")
    assert check(repository, 5, "; reordered\nb A 192.0.2.2\na A 192.0.2.1\n") == []


def test_a_change_of_an_included_file_counts(repository):
    (repository.directory / "hosts.inc").write_text("a A 192.0.2.1\n")
    repository.commit(5, "$INCLUDE hosts.inc\n")
    (repository.directory / "hosts.inc").write_text("a A 192.0.2.2\n")
    assert check(repository, 5, "$INCLUDE hosts.inc\n") == RULE


def test_new_zones_and_other_checks_do_not_ask(repository):
    repository.commit()
    changed = {"example.com": ZONE.format(5) + "a A 192.0.2.1\n"}
    assert repository.check(changed) == []
    found = repository.check(changed | {"example.org": ZONE.format(1)}, with_history=True)
    assert found == RULE


def test_outside_a_repository(checked, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(checked.directory.parent))
    assert check(checked, 5, "a A 192.0.2.1\n") == []


def test_without_git(repository, monkeypatch):
    repository.commit()
    monkeypatch.setenv("PATH", "")
    assert check(repository, 5, "a A 192.0.2.1\n") == []
