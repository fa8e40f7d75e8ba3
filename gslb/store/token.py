"""The API's bearer token: made at first start, kept in the state directory, never printed."""

from __future__ import annotations

import hmac
import secrets
import stat
from pathlib import Path

from gslb.errors import StateError
from gslb.store.directory import write_atomically

TOKEN_NAME = "token"  # noqa: S105
LEAST_LENGTH = 16


class Token:
    """A secret that can be compared, and does not show in logs or tracebacks."""

    __slots__ = ("_octets",)

    def __init__(self, text: str) -> None:
        self._octets = text.encode()

    def matches(self, candidate: str) -> bool:
        """Whether ``candidate`` is the token, in time that does not depend on where they differ."""
        return hmac.compare_digest(self._octets, candidate.encode("utf-8", "surrogateescape"))

    def reveal(self) -> str:
        """The token itself, for a client that has to send it."""
        return self._octets.decode()

    def __repr__(self) -> str:
        return "Token(…)"


def load_or_create_token(directory: Path) -> Token:
    """The token of the state directory, made if there is none. The caller holds the state lock.

    Raises StateError when it cannot be read or written, is too short, or others may read it.
    """
    path = directory / TOKEN_NAME
    if not path.exists():
        write_atomically(path, secrets.token_urlsafe(32) + "\n")
    token = read_token(directory)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise StateError(
            f"{path}: other users can read the API token: remove the file, so that the next start makes a "
            f"new one, or run: chmod 600 {path}"
        )
    return token


def read_token(directory: Path) -> Token:
    """The token of the state directory. Raises StateError when there is none or it cannot be read."""
    path = directory / TOKEN_NAME
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError as error:
        raise StateError(f"{path}: no such file: name the server's state directory with --state") from error
    except OSError as error:
        raise StateError(
            f"{path}: {error.strerror}: run as the server's user, or set GSLB_TOKEN to the token"
        ) from error
    except UnicodeDecodeError as error:
        raise StateError(f"{path}: is not a token: remove it, and the next start makes a new one") from error
    if len(text) < LEAST_LENGTH or not text.isprintable() or " " in text:
        raise StateError(
            f"{path}: is not a token of at least {LEAST_LENGTH} characters: remove it, "
            "and the next start makes a new one"
        )
    return Token(text)
