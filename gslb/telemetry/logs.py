"""Logs on standard error: JSON lines for machines, colours on a terminal, secrets nowhere."""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping

SECRET_KEYS = frozenset({"token", "authorization", "password", "secret"})
HIDDEN = "(hidden)"

_BEARER = re.compile(r"(?i)(bearer\s+)\S+")


def is_of_interest(record: logging.LogRecord) -> bool:
    """A filter: not aiohttp's tracebacks of what is not HTTP, which anybody could fill a log with."""
    if not record.exc_info:
        return True
    from aiohttp.http_exceptions import HttpProcessingError  # noqa: PLC0415 - slow to import

    return not isinstance(record.exc_info[1], HttpProcessingError)


def hide_secrets(
    _logger: object, _method: str, event: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    """A structlog processor: values of secret keys, and bearer tokens in any text, become ``(hidden)``."""
    for key, value in event.items():
        if key.lower() in SECRET_KEYS:
            event[key] = HIDDEN
        elif isinstance(value, str):
            event[key] = _BEARER.sub(rf"\g<1>{HIDDEN}", value)
    return event


def configure_logs(*, level: int = logging.INFO, terminal: bool | None = None) -> None:
    """Send gslb's logs and those of its libraries to standard error, one line each.

    ``terminal`` chooses coloured lines over JSON; by default when standard error is one.
    """
    if terminal is None:
        terminal = sys.stderr.isatty()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Plain tracebacks: decorated ones print local variables, and with them secrets.
    renderer: structlog.typing.Processor = structlog.dev.ConsoleRenderer(
        exception_formatter=structlog.dev.plain_traceback
    )
    if not terminal:
        renderer = structlog.processors.JSONRenderer()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                hide_secrets,
                renderer,
            ],
        )
    )
    handler.addFilter(is_of_interest)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
