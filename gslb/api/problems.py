"""Errors as problem documents (RFC 9457), and the one place that turns exceptions into them."""

from __future__ import annotations

import json
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict

from gslb.errors import (
    ERRORS_SHOWN,
    ConflictError,
    GslbError,
    InvalidChangeError,
    NotFoundError,
    OperationError,
    SiteError,
    StateError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydantic import ValidationError

    from gslb.model.finding import Finding

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"

_STATUS_OF: tuple[tuple[type[GslbError], HTTPStatus, str], ...] = (
    (NotFoundError, HTTPStatus.NOT_FOUND, "not-found"),
    (InvalidChangeError, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-change"),
    (ConflictError, HTTPStatus.CONFLICT, "conflict"),
    (OperationError, HTTPStatus.UNPROCESSABLE_ENTITY, "refused"),
    (SiteError, HTTPStatus.UNPROCESSABLE_ENTITY, "site-does-not-load"),
    (StateError, HTTPStatus.SERVICE_UNAVAILABLE, "state-not-writable"),
    (GslbError, HTTPStatus.UNPROCESSABLE_ENTITY, "refused"),
)


class ProblemError(BaseModel):
    """One thing wrong: in the body (JSON pointer, RFC 6901), a query parameter, or a place in a file."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None
    rule: str | None = None
    file: str | None = None
    line: int | None = None


class Problem(BaseModel):
    """A problem document (RFC 9457). ``incident`` is to be found in the server's log."""

    model_config = ConfigDict(extra="forbid")

    type: str
    title: str
    status: int
    detail: str
    errors: list[ProblemError] | None = None
    incident: str | None = None


class ProblemException(Exception):  # noqa: N818 - it carries a response, as aiohttp's own do
    """Ends a request with a problem document."""

    def __init__(
        self,
        status: HTTPStatus,
        kind: str,
        detail: str,
        *,
        errors: Sequence[ProblemError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.response = problem_response(status, kind, detail, errors=errors, headers=headers)


def problem_response(
    status: HTTPStatus,
    kind: str,
    detail: str,
    *,
    errors: Sequence[ProblemError] = (),
    incident: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """The response; ``kind`` becomes the problem's type, ``urn:gslb:problem:KIND``."""
    problem = Problem(
        type=f"urn:gslb:problem:{kind}",
        title=status.phrase,
        status=int(status),
        detail=detail,
        errors=list(errors[:ERRORS_SHOWN]) or None,
        incident=incident,
    )
    body = json.dumps(problem.model_dump(exclude_none=True), ensure_ascii=False).encode()
    return web.Response(status=int(status), body=body, content_type=CONTENT_TYPE, headers=headers)


def response_of(error: Exception) -> web.Response:
    """The problem document for whatever a handler raised."""
    if isinstance(error, ProblemException):
        return error.response
    if isinstance(error, web.HTTPException):
        return _of_http(error)
    if isinstance(error, GslbError):
        for kind, status, name in _STATUS_OF:
            if isinstance(error, kind):
                return problem_response(status, name, str(error), errors=_errors_of(error))
    incident = secrets.token_hex(8)
    log.error("request failed", incident=incident, exc_info=error)
    return problem_response(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal",
        f"the server met an error that it did not expect; its log has it as incident {incident}",
        incident=incident,
    )


def validation_problem(
    error: ValidationError, *, query: bool, more: Sequence[ProblemError] = ()
) -> ProblemException:
    """Everything that is wrong with a body or a query string, and ``more``."""
    errors = []
    for found in error.errors(include_url=False, include_context=False, include_input=False):
        detail = _plain(found["msg"], found["type"])
        if query:
            errors.append(ProblemError(parameter=".".join(str(part) for part in found["loc"]), detail=detail))
        else:
            errors.append(ProblemError(pointer=pointer(found["loc"]), detail=detail))
    return invalid_problem("invalid-query" if query else "invalid-body", [*errors, *more])


def query_problem(error: InvalidChangeError) -> ProblemException:
    """What an operation found wrong with the parameters of a query string, which it has as JSON pointers."""
    errors = [ProblemError(parameter=where.lstrip("/"), detail=detail) for where, detail in error.problems]
    return invalid_problem("invalid-query", errors or [ProblemError(detail=str(error))])


def invalid_problem(kind: str, errors: Sequence[ProblemError]) -> ProblemException:
    """A 422 problem of at least one error, the first of which is its detail."""
    first = errors[0]
    where = first.parameter or first.pointer
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    detail = f"{where or 'the request'}: {first.detail}{more}"
    return ProblemException(HTTPStatus.UNPROCESSABLE_ENTITY, kind, detail, errors=errors)


def _plain(message: str, kind: str) -> str:
    if kind == "extra_forbidden":
        return "is not a known field"
    if kind == "missing":
        return "is missing"
    return message.removeprefix("Value error, ")


def pointer(location: Iterable[int | str]) -> str:
    """A place in a body as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def _errors_of(error: GslbError) -> list[ProblemError]:
    if isinstance(error, OperationError):
        pointed = [ProblemError(pointer=where, detail=detail) for where, detail in error.problems]
        return [*pointed, *map(_of_finding, error.findings[:ERRORS_SHOWN])]
    if isinstance(error, SiteError):
        return list(map(_of_finding, error.findings[:ERRORS_SHOWN]))
    return []


def _of_finding(finding: Finding) -> ProblemError:
    return ProblemError(
        detail=finding.message,
        rule=finding.rule,
        file=finding.place.file,
        line=finding.place.line or None,
    )


def _of_http(error: web.HTTPException) -> web.Response:
    status = HTTPStatus(error.status)
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return problem_response(
            status,
            "method-not-allowed",
            f"{error.method} is not possible here: {allowed}",
            headers={"Allow": allowed},
        )
    if isinstance(error, web.HTTPNotFound):
        return problem_response(status, "not-found", "there is no such resource; see /v1/openapi.json")
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return problem_response(status, "body-too-large", "the body is larger than 1 MiB; send it in parts")
    return problem_response(
        status, status.phrase.lower().replace(" ", "-"), status.description or status.phrase
    )
