"""From a request to a handler and back: route, authorisation, parameters, body, answer, errors, each at one place."""

from __future__ import annotations

import http
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Router
from starlette.routing import Route as Path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from job_orchestra.domain.errors import Invalid, Mistake, NotFound, OrchestraError
from job_orchestra.protocol.addresses import path_mistakes
from job_orchestra.protocol.resources.answers import Body
from job_orchestra.service.audit_trail import Deed
from job_orchestra.service.authorization import authorize, identify
from job_orchestra.service.bodies import MOST_RAW_BYTES, read_body, read_bounded
from job_orchestra.service.call import Answered, Call
from job_orchestra.service.followers import Stopping
from job_orchestra.service.parameter import read_headers, read_query
from job_orchestra.service.parts import ServiceParts
from job_orchestra.service.problems import HEADERS, Refused, problem_response, unexpected_response
from job_orchestra.service.route import JSON, Route

_logger = logging.getLogger(__name__)

_LONGEST_PATH_VALUE = 200
_encoder = msgspec.json.Encoder()


def build_app(parts: ServiceParts) -> ASGIApp:
    """The service as an ASGI application."""

    def path_of(route: Route) -> str:
        return route.path

    endpoints: list[BaseRoute] = [
        Path(path, _Endpoint({route.method: route for route in routes}, parts))
        for path, routes in groupby(sorted(parts.routes, key=path_of), key=path_of)
    ]
    router = Router(endpoints, redirect_slashes=False, default=_nothing_there)
    return _ErrorBoundary(router)


class _ErrorBoundary:
    """Turns whatever is raised into a problem document."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def watched_send(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except (ClientDisconnect, Stopping):
            # Nobody is left to be told; or the answer is cut off, so that its reader knows it to be incomplete.
            return
        except Exception as error:  # the last resort of every request: answered, logged, and no harm to others
            response = problem_response(error) if isinstance(error, OrchestraError) else unexpected_response(error)
            if not has_begun:
                await response(scope, receive, send)
            elif isinstance(error, OrchestraError):
                # The reader sees an answer that is cut off, and cannot be told why.
                _logger.warning("The answer to %s %s is cut off: %s", scope["method"], scope["path"], error.message)


async def _nothing_there(scope: Scope, _receive: Receive, _send: Send) -> None:
    raise NotFound("page", str(scope["path"])[:_LONGEST_PATH_VALUE])


class _Endpoint:
    """All methods of one path."""

    def __init__(self, routes: Mapping[str, Route], parts: ServiceParts) -> None:
        self._routes = routes
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        is_head = request.method == "HEAD"
        route = self._routes.get("GET" if is_head else request.method)
        if route is None:
            methods = _methods(self._routes)
            raise Refused(
                http.HTTPStatus.METHOD_NOT_ALLOWED,
                f"{request.url.path} does not take {request.method}; it takes {methods}.",
                {"Allow": methods},
            )
        response = await self._respond(route, request, is_head)
        await response(scope, receive, send)

    async def _respond(self, route: Route, request: Request, is_head: bool) -> Response:
        """What changes something is in the audit trail before its answer goes out, and so is who may not."""
        deed = self._parts.trail.begin(route, request.path_params)
        try:
            response = await self._carry_out(route, request, is_head, deed)
        except (ClientDisconnect, Stopping):
            raise
        except Exception as error:
            await deed.failed(error)
            raise
        await deed.done(response.status_code)
        return response

    async def _carry_out(self, route: Route, request: Request, is_head: bool, deed: Deed) -> Response:
        identity = await identify(self._parts.accounts, route, request.headers.get("authorization"))
        deed.is_by(identity)
        authorize(identity, route, request.path_params.get("project"))
        path = _path_values(request)
        values, body = await _given(route, request)
        call = Call(path, identity, values, body, is_head)
        if route.takes_anything:
            content = await read_bounded(request, MOST_RAW_BYTES)
            call = replace(call, content=content, headers=request.headers)
        with deed.under_way(call):
            return _response(route, await route.handler(self._parts, call))


def _path_values(request: Request) -> Mapping[str, str]:
    values: Mapping[str, str] = request.path_params
    if mistakes := path_mistakes(request.scope["raw_path"], values):
        raise Invalid(mistakes)
    for kind, value in values.items():
        # What no identifier can be is not even looked for: databases refuse some of it.
        if len(value) > _LONGEST_PATH_VALUE or not value.isprintable():
            raise NotFound(kind, value[:_LONGEST_PATH_VALUE])
    return values


async def _given(route: Route, request: Request) -> tuple[dict[str, object], Body | None]:
    """Values of the parameters, and the body; Invalid with the mistakes of query, headers and body together."""
    values: dict[str, object] = {}
    body: Body | None = None
    mistakes: list[Mistake] = []
    try:
        values |= read_query(route.query, request.scope["query_string"])
    except Invalid as error:
        mistakes += error.mistakes
    try:
        values |= read_headers(route.headers, request.headers)
    except Invalid as error:
        mistakes += error.mistakes
    try:
        body = await read_body(request, route.body) if route.body else None
    except Invalid as error:
        mistakes += error.mistakes
    if mistakes:
        raise Invalid(mistakes)
    return values, body


def _response(route: Route, result: object) -> Response:
    if isinstance(result, Response):
        return result
    if result is None:
        return Response(status_code=http.HTTPStatus.NO_CONTENT, headers=HEADERS)
    if isinstance(result, Answered):
        content, status, headers = result.content, result.status, {**HEADERS, **result.headers}
    else:
        content, status, headers = result, route.status, HEADERS
    return Response(_encoder.encode(content), status, headers, media_type=JSON)


def _methods(routes: Mapping[str, Route]) -> str:
    methods: Sequence[str] = [*routes, "HEAD"] if "GET" in routes else [*routes]
    return ", ".join(sorted(methods))
