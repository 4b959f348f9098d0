"""The OpenAPI document, made from the route table and the types of bodies and answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from job_orchestra.domain.roles import Permission
from job_orchestra.protocol.resources.answers import Problem
from job_orchestra.service.parameter import Parameter
from job_orchestra.service.problems import MEDIA_TYPE
from job_orchestra.service.route import JSON, Route
from job_orchestra.version import __version__

_REFERENCE = "#/components/schemas/{name}"


def openapi_document(routes: Sequence[Route], url: str) -> dict[str, object]:
    """OpenAPI 3.1."""
    types = [Problem, *dict.fromkeys(kind for route in routes for kind in (route.answer, route.body) if kind)]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    by_type = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, object]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_type)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Job Orchestra", "version": __version__},
        "servers": [{"url": url}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "userAndToken": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _operation(route: Route, schemas: dict[Any, dict[str, Any]]) -> dict[str, object]:
    operation: dict[str, object] = {
        "summary": route.summary,
        "operationId": f"{route.handler.__module__.rpartition('.')[2]}_{route.handler.__name__}",
        "tags": [route.handler.__module__.rpartition(".")[2]],
        "parameters": [*_path_parameters(route), *_given(route.query, "query"), *_given(route.headers, "header")],
        "responses": _responses(route, schemas),
        "security": [] if route.permission is Permission.ANYONE else [{"token": []}, {"userAndToken": []}],
        "x-permission": route.permission.value,
    }
    if route.body:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": schemas[route.body]}}}
    elif route.takes_anything:
        operation["requestBody"] = {"required": True, "content": {"*/*": {}}}
    return operation


def _path_parameters(route: Route) -> Iterable[dict[str, object]]:
    for name in route.path_parameters:
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _given(parameters: Iterable[Parameter[Any]], place: str) -> Iterable[dict[str, object]]:
    for one in parameters:
        yield {"name": one.name, "in": place, "description": one.description, "schema": one.schema}


def _responses(route: Route, schemas: dict[Any, dict[str, Any]]) -> dict[str, object]:
    success: dict[str, object] = {"description": route.summary}
    if route.answer is not None:
        success["content"] = {JSON: {"schema": schemas[route.answer]}}
    elif route.media_type != JSON:
        success["content"] = {route.media_type: {}}
    problem = {"description": "A problem document.", "content": {MEDIA_TYPE: {"schema": schemas[Problem]}}}
    return {str(int(route.status)): success, "default": problem}
