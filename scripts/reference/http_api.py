"""The page of the HTTP API, from the service's route table and the structs of its bodies and answers."""

from __future__ import annotations

import http
import typing
from collections.abc import Iterable
from itertools import groupby

from scripts.reference.markdown import code, page, table
from scripts.reference.source import SourceClass, read_classes

from job_orchestra.service.route import JSON, Route
from job_orchestra.service.routes import ROUTES

_RESOURCES = "protocol/resources/"
_MODULES = ("answers", "accounts", "projects", "logs", "runs", "repositories", "workers", "administration")

_INTRODUCTION = """\
JSON over HTTP, with an OpenAPI document at `/openapi.json` and a page made from it at `/docs`. Authentication is
`Authorization: Bearer TOKEN`, or basic authentication with user and token.

- Errors are problem documents (RFC 9457, `application/problem+json`) whose `errors` name each field at fault, those
  of query, headers and body together (at most 100 of a body): 400 and 422 wrong input, 401 who are you, 403 you may
  not, 404 there is no such thing, 409 its state does not allow this, 503 something is down and trying again may help.
  Addresses are UTF-8. What is no HTTP request at all is answered so, too, and its connection closed.
- Lists answer `{"items": [...], "next": ...}`. `next` is the `cursor` of the next page, null on the last.
- Dates are ISO 8601 in UTC to the millisecond, durations are seconds.
- A trigger that was answered with success is durable. With an `Idempotency-Key` header it can be repeated: the same
  key answers with the same run.
"""

_TITLES = {"": "The service", "me": "One's own account"}


def http_api_page() -> str:
    classes = [one for module in _MODULES for one in read_classes(f"{_RESOURCES}{module}.py")]
    return page(
        "HTTP API",
        f"`service/routes.py` and `{_RESOURCES}`",
        _INTRODUCTION.strip(),
        *_groups(ROUTES),
        "## Data",
        *_structs(one for one in classes if one.fields),
    )


def _groups(routes: Iterable[Route]) -> Iterable[str]:
    for title, members in groupby(routes, key=_title):
        yield f"## {title}"
        for route in members:
            yield from _route(route)


def _title(route: Route) -> str:
    parts = route.path.strip("/").split("/")
    first = parts[0] if parts[0] in {"me", "projects", "workers", "users", "runs", "audit"} else ""
    inner = parts[2] if first == "projects" and len(parts) > 2 else first
    return _TITLES.get(inner, inner.capitalize())


def _route(route: Route) -> Iterable[str]:
    yield f"### {route.method} {route.path}"
    yield route.summary
    facts = [f"Permission: {code(route.permission.value)}."]
    if route.body is not None:
        facts.append(f"Body: {_type(route.body)}.")
    if route.answer is not None:
        facts.append(f"Answer: {_type(route.answer)}{_status(route)}.")
    elif route.status == http.HTTPStatus.NO_CONTENT:
        facts.append("Answer: no content (204).")
    elif route.media_type != JSON:
        facts.append(f"Answer: {code(route.media_type)}.")
    yield " ".join(facts)
    yield table(
        ("parameter", "in", "meaning"),
        [
            *((code(one.name), "query", one.description) for one in route.query),
            *((code(one.name), "header", one.description) for one in route.headers),
        ],
    )


def _status(route: Route) -> str:
    return "" if route.status == http.HTTPStatus.OK else f" ({int(route.status)})"


def _type(annotation: object) -> str:
    """The name of a struct as a link to its table; `list of` and `page of` in words."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if arguments and origin is list:
        return f"list of {_type(arguments[0])}"
    name = getattr(origin or annotation, "__name__", "")
    if arguments and name == "Page":
        return f"page of {_type(arguments[0])}"
    return f"[{name}](#{name.lower()})" if name.endswith(("Answer", "Body")) else "a JSON object"


def _structs(classes: Iterable[SourceClass]) -> Iterable[str]:
    for one in classes:
        yield f"### {one.name}"
        yield one.text
        yield table(
            ("field", "type", "meaning"),
            [(code(field.name), code(field.annotation), field.text) for field in one.fields],
        )
