"""The OpenAPI 3.1 document, from the route table and the models."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from gslb.api.problems import CONTENT_TYPE, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel

    from gslb.api.routes import Route

_REFERENCE = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"{(\w+)}")
_PATH_PARAMETERS = {
    "pop": "Name of a POP.",
    "zone": "Name of a zone, with or without its final dot.",
}


def openapi_document(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """The document; ``version`` is the server's."""
    routes = list(routes)
    bodies = {route.body for route in routes if route.body is not None}
    reports = {route.report for route in routes if route.report is not None} | {Problem}
    inputs = [(model, "validation") for model in sorted(bodies, key=_name)]
    outputs = [(model, "serialization") for model in sorted(reports, key=_name)]
    _, definitions = models_json_schema([*inputs, *outputs], ref_template=_REFERENCE)  # type: ignore[list-item]
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "gslb",
            "version": version,
            "description": "The control API of gslb. Errors are problem documents (RFC 9457).",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.tag],
        "security": [{"token": []}] if route.needs_token else [],
        "responses": {
            "200": {
                "description": "Done.",
                "content": {route.media_type: {"schema": _response_schema(route)}},
            },
            "default": {
                "description": "A problem document.",
                "content": {CONTENT_TYPE: {"schema": _reference(Problem)}},
            },
        },
    }
    parameters = [*_path_parameters(route), *_query_parameters(route)]
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        operation["requestBody"] = {
            "required": route.body_required,
            "content": {"application/json": {"schema": _reference(route.body)}},
        }
    return operation


def _response_schema(route: Route) -> dict[str, Any]:
    if route.report is not None:
        return _reference(route.report)
    return {"type": "object" if route.media_type == "application/json" else "string"}


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PATH_PARAMETERS[name],
            "schema": {"type": "string"},
        }
        for name in _PARAMETER.findall(route.path)
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    schema = route.query.model_json_schema(ref_template=_REFERENCE)
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": field.get("description", ""),
            "schema": {key: value for key, value in field.items() if key != "description"},
        }
        for name, field in schema["properties"].items()
    ]


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(model=model.__name__)}


def _name(model: type[BaseModel]) -> str:
    return model.__name__
