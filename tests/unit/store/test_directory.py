from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gslb.errors import StateError
from gslb.store.directory import StateLock, prepare_directory, read_api_url, remove_api_url, write_api_url


def test_the_directory_is_created_for_the_owner_alone(tmp_path):
    prepare_directory(tmp_path / "a" / "state")
    assert (tmp_path / "a" / "state").stat().st_mode & 0o777 == 0o700
    prepare_directory(tmp_path / "a" / "state")


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(StateError, match=r"state: cannot be the state directory: File exists.*--state"):
        prepare_directory(tmp_path / "state")


def test_a_second_server_is_kept_out_with_the_pid_of_the_first(tmp_path):
    with StateLock(tmp_path):
        code = (
            "import sys; from pathlib import Path; from gslb.store.directory import StateLock\n"
            "try: StateLock(Path(sys.argv[1])).acquire()\n"
            "except Exception as error: print(error)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        )
        assert f"in use by a running gslb (pid {os.getpid()})" in done.stdout
        with pytest.raises(StateError, match="in use"):
            StateLock(tmp_path).acquire()
    with StateLock(tmp_path):
        pass


def test_a_lock_in_a_directory_that_is_missing_says_so(tmp_path):
    with pytest.raises(StateError, match="nowhere/lock: No such file"):
        StateLock(tmp_path / "nowhere").acquire()


def test_the_api_url_is_left_read_and_taken_back(tmp_path):
    assert read_api_url(tmp_path) is None
    write_api_url(tmp_path, "http://127.0.0.1:8053")
    write_api_url(tmp_path, "http://[::1]:9")
    assert read_api_url(tmp_path) == "http://[::1]:9"
    assert [path.name for path in tmp_path.iterdir()] == ["api.json"]
    remove_api_url(tmp_path)
    remove_api_url(tmp_path)
    assert read_api_url(tmp_path) is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"url": 3}'])
def test_a_spoilt_api_file_is_as_good_as_none(tmp_path, text):
    (tmp_path / "api.json").write_text(text)
    assert read_api_url(tmp_path) is None
