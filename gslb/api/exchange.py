"""Requests read into models, reports written as JSON."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, TypeVar

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from gslb.api.problems import ProblemException, invalid_problem, validation_problem
from gslb.api.repeated_keys import repeated_keys

BODY_LIMIT = 1 << 20
"""Octets of a request's body."""

PAGE_LIMIT = 1_000
"""Rows of a list in one response."""


class Query(BaseModel):
    """Base of query strings: nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PageQuery(Query):
    """Which page of a list."""

    offset: Annotated[int, Field(ge=0, le=2**40, description="Rows to leave out at the beginning.")] = 0
    limit: Annotated[int, Field(ge=1, le=PAGE_LIMIT, description="Rows on the page.")] = 100


class Body(BaseModel):
    """Base of request bodies: nothing unknown, no guessing of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _one_line(text: str) -> str:
    text = text.strip()
    if not text:
        raise ValueError("must not be empty")
    if not text.isprintable():
        raise ValueError("must be one line without control characters")
    return text


Line = Annotated[str, AfterValidator(_one_line)]
"""Text for people: one line, not empty. Terminals show it, so it holds no control characters."""

Author = Annotated[Line, Field(max_length=100, description="Who asks; kept in the change log.")]

_Query = TypeVar("_Query", bound=Query)
_Body = TypeVar("_Body", bound=Body)


def query_of(request: web.Request, model: type[_Query]) -> _Query:
    """The query string as ``model``. Raises a 422 problem."""
    for name in request.query:
        if len(request.query.getall(name)) > 1:
            raise ProblemException(
                HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-query", f"{name}: is given more than once"
            )
    try:
        return model.model_validate(dict(request.query))
    except ValidationError as error:
        raise validation_problem(error, query=True) from None


async def body_of(request: web.Request, model: type[_Body], *, required: bool = True) -> _Body:
    """The JSON body as ``model``; no body is an empty object unless ``required``.

    Raises problems: 413 over 1 MiB, 415 for another media type or a content coding, 400 for what is not JSON
    (nested too deep included), 422 for what does not fit and for keys that stand twice.
    """
    raw = await request.read()
    if not raw and not required:
        raw = b"{}"
    elif request.content_type != "application/json":
        raise ProblemException(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "send the body as JSON, with the header Content-Type: application/json",
            headers={"Accept": "application/json"},
        )
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ProblemException(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "send the body without a content coding",
            headers={"Accept-Encoding": "identity"},
        )
    repeated = repeated_keys(raw)
    try:
        body = model.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        if first["type"] == "json_invalid":
            raise ProblemException(HTTPStatus.BAD_REQUEST, "malformed-json", first["msg"]) from None
        if not first["loc"]:
            raise ProblemException(
                HTTPStatus.BAD_REQUEST, "malformed-json", "the body is not a JSON object"
            ) from None
        raise validation_problem(error, query=False, more=repeated) from None
    if repeated:
        raise invalid_problem("invalid-body", repeated)
    return body


def reply(report: BaseModel) -> web.Response:
    """A report as JSON."""
    return web.Response(body=report.model_dump_json().encode(), content_type="application/json")
