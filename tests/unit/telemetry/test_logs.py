from __future__ import annotations

import json
import logging

import pytest
import structlog
from aiohttp.http_exceptions import BadStatusLine

from gslb.telemetry.logs import HIDDEN, configure_logs, hide_secrets


@pytest.fixture(autouse=True)
def _restore():
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_machines_get_json_lines_on_standard_error(capsys):
    configure_logs(terminal=False)
    structlog.get_logger("x").info("POP drained", pop="fra", token="s3cret")
    logging.getLogger("library").warning("with Bearer s3cret in it")
    logging.getLogger("library").debug("not shown")
    captured = capsys.readouterr()
    assert captured.out == ""
    first, second = (json.loads(line) for line in captured.err.splitlines())
    assert (first["event"], first["pop"], first["level"], first["token"]) == (
        "POP drained",
        "fra",
        "info",
        HIDDEN,
    )
    assert second["event"] == f"with Bearer {HIDDEN} in it"
    assert first["timestamp"].endswith("Z")


@pytest.mark.parametrize("terminal", [True, False])
def test_tracebacks_do_not_show_local_variables(capsys, terminal):
    configure_logs(terminal=terminal)

    def fail(password):
        raise RuntimeError("Bearer s3cret-in-message")

    local = "-".join(["s3cret", "in", "local"])
    try:
        fail(local)
    except RuntimeError as error:
        structlog.get_logger("x").error("request failed", exc_info=error)
    text = capsys.readouterr().err
    assert "RuntimeError" in text
    assert "s3cret-in-local" not in text
    assert text.count("s3cret-in-message") <= text.count('raise RuntimeError("Bearer s3cret-in-message")')
    if not terminal:
        assert len(text.splitlines()) == 1


def test_secrets_are_hidden_wherever_they_stand():
    event = hide_secrets(
        None, "", {"event": "x", "Authorization": "a", "detail": "bearer abc.def, rest", "n": 1}
    )
    assert event == {"event": "x", "Authorization": HIDDEN, "detail": f"bearer {HIDDEN} rest", "n": 1}


def test_what_anybody_sends_that_is_not_http_leaves_no_traceback(capsys):
    configure_logs(terminal=False)
    logger = logging.getLogger("aiohttp.server")
    for error in (BadStatusLine("nonsense"), ValueError("a bug")):
        try:
            raise error
        except Exception:
            logger.exception("Error handling request")
    (line,) = capsys.readouterr().err.splitlines()
    assert "a bug" in json.loads(line)["exception"]
