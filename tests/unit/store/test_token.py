from __future__ import annotations

import pytest

from gslb.errors import StateError
from gslb.store.token import Token, load_or_create_token, read_token


def test_a_token_is_made_once_for_the_owner_alone(tmp_path):
    token = load_or_create_token(tmp_path)
    path = tmp_path / "token"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["token"]
    assert len(token.reveal()) >= 43
    assert load_or_create_token(tmp_path).reveal() == token.reveal() == read_token(tmp_path).reveal()


def test_tokens_of_two_servers_differ(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert load_or_create_token(tmp_path / "a").reveal() != load_or_create_token(tmp_path / "b").reveal()


def test_a_token_matches_itself_alone_and_does_not_show():
    token = Token("s3cret-s3cret-s3cret")
    assert token.matches("s3cret-s3cret-s3cret")
    for other in ("", "s3cret", "s3cret-s3cret-s3creT", "s3cret-s3cret-s3cret ", "é\udc80"):
        assert not token.matches(other)
    assert "s3cret" not in repr(token)
    assert "s3cret" not in f"{token} {[token]}"


def test_a_token_that_others_can_read_is_refused(tmp_path):
    load_or_create_token(tmp_path)
    (tmp_path / "token").chmod(0o644)
    with pytest.raises(StateError, match=r"other users can read.*chmod 600"):
        load_or_create_token(tmp_path)


@pytest.mark.parametrize("octets", [b"", b"short\n", b"two words in this token\n", b"\xff" * 40])
def test_a_spoilt_token_is_refused(tmp_path, octets):
    (tmp_path / "token").write_bytes(octets)
    (tmp_path / "token").chmod(0o600)
    with pytest.raises(StateError, match=r"is not a token.*remove it"):
        load_or_create_token(tmp_path)


def test_reading_where_there_is_none_says_what_to_do(tmp_path):
    with pytest.raises(StateError, match="no such file: name the server's state directory with --state"):
        read_token(tmp_path)
