"""The client of the control API that commands share. Failures end the command with one clear message."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from gslb.cli.output import EXIT_REFUSED, EXIT_UNREACHABLE, EXIT_USAGE, clean, fail
from gslb.errors import OTHERS, StateError
from gslb.store.directory import default_directory, read_api_url
from gslb.store.token import read_token

DEFAULT_URL = "http://127.0.0.1:8053"
TIMEOUT = 310.0
"""Seconds; longer than the server's own limit for a reload."""

ANSWER_LIMIT = 64 << 20


class RequestError(Exception):
    """A request failed; ``code`` is the exit status of a command that cannot do without its answer."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class Client:
    """Talks to one server. ``api`` is ``ADDR:PORT`` or a URL; without it the state directory says where."""

    def __init__(self, api: str | None, state: Path | None) -> None:
        self._state = state or default_directory()
        text = api or read_api_url(self._state) or DEFAULT_URL
        self._url = text if "://" in text else f"http://{text}"
        parts = urlsplit(self._url)
        try:
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError:
            self._host, self._port = "", None
        if parts.scheme not in ("http", "https") or not self._host:
            fail(
                f"{clean(text)!r} is not where an API can be: write ADDR:PORT or http://ADDR:PORT", EXIT_USAGE
            )
        self._secure = parts.scheme == "https"
        self._base = parts.path.rstrip("/")

    def get(self, path: str, **query: str | None) -> Any:
        """The JSON answer to a GET; parameters that are ``None`` are left out."""
        try:
            return self.try_get(path, **query)
        except RequestError as error:
            fail(str(error), error.code)

    def try_get(self, path: str, **query: str | None) -> Any:
        """As ``get``, for commands that can do without. Raises RequestError."""
        given = {key: value for key, value in query.items() if value is not None}
        return self._send("GET", f"{path}?{urlencode(given)}" if given else path, None)

    def post(self, path: str, body: dict[str, object]) -> Any:
        """The JSON answer to a POST."""
        try:
            return self._send("POST", path, json.dumps(body).encode())
        except RequestError as error:
            fail(str(error), error.code)

    def _send(self, method: str, path: str, body: bytes | None) -> Any:
        headers = {"Authorization": f"Bearer {self._token()}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection = self._connection()
        try:
            connection.request(method, self._base + path, body, headers)
            response = connection.getresponse()
            raw = response.read(ANSWER_LIMIT)
        except ssl.SSLError as error:
            message = f"cannot talk to {self._url}: TLS: {error.reason or error}"
            raise RequestError(message, EXIT_UNREACHABLE) from error
        except (OSError, http.client.HTTPException) as error:
            raise RequestError(self._unreachable(error), EXIT_UNREACHABLE) from error
        finally:
            connection.close()
        return self._read(response.status, raw)

    def _connection(self) -> http.client.HTTPConnection:
        if self._secure:
            return http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT)
        return http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT)

    def _token(self) -> str:
        token = os.environ.get("GSLB_TOKEN", "").strip()
        if not token:
            try:
                token = read_token(self._state).reveal()
            except StateError as error:
                raise RequestError(f"no API token: {error}", EXIT_UNREACHABLE) from error
        if not token.isascii() or not token.isprintable():
            raise RequestError("GSLB_TOKEN is not a token: it has characters that no token has", EXIT_USAGE)
        return token

    def _unreachable(self, error: Exception) -> str:
        reason = (
            "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        )
        if isinstance(error, ConnectionRefusedError):
            reason = "connection refused"
        if isinstance(error, socket.gaierror):
            reason = "the name does not resolve"
        return (
            f"cannot reach the server at {self._url}: {reason}: start it with `gslb serve`, "
            "or say where its API is with --api, or which state directory is its with --state"
        )

    def _read(self, status: int, raw: bytes) -> Any:
        try:
            document = json.loads(raw)
        except ValueError:
            document = None
        if status < 300 and document is not None:
            return document
        if not isinstance(document, dict) or "detail" not in document:
            raise RequestError(
                f"{self._url} answers, but not as gslb does (HTTP status {status}): check --api",
                EXIT_UNREACHABLE,
            )
        if status == 401:
            raise RequestError(
                f"{self._url} does not accept the token: set GSLB_TOKEN, or name the state directory "
                f"of that server with --state (now {self._state})",
                EXIT_REFUSED,
            )
        raise RequestError(_problem_text(document), EXIT_REFUSED)


def _problem_text(problem: dict[str, Any]) -> str:
    errors = [error for error in problem.get("errors") or [] if isinstance(error, dict)]
    lines = [str(problem["detail"])]
    others: list[str] = []
    if any(error.get("file") for error in errors):
        *_, last = lines[0].splitlines() or [""]
        others = [f"  {last}"] if last.startswith(OTHERS) else []
        lines = ["the site does not load; what was served goes on being served"]
    elif len(errors) == 1:
        return lines[0]
    for error in errors:
        where = error.get("file") or error.get("pointer") or error.get("parameter") or ""
        if error.get("line"):
            where += f":{error['line']}"
        rule = f" [{error['rule']}]" if error.get("rule") else ""
        lines.append(f"  {where}: {error.get('detail', '')}{rule}")
    return "\n".join([*lines, *others])
