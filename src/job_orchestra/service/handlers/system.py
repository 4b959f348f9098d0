"""The service itself: version, health, and what its routes are."""

from __future__ import annotations

import http

from starlette.responses import HTMLResponse, Response

from job_orchestra.protocol.resources.answers import HealthAnswer, RouteAnswer, VersionAnswer
from job_orchestra.service.authorization import may_use
from job_orchestra.service.call import Answered, Call
from job_orchestra.service.documentation import documentation_page
from job_orchestra.service.openapi import openapi_document
from job_orchestra.service.parts import ServiceParts
from job_orchestra.version import __version__

_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"


async def version(parts: ServiceParts, call: Call) -> VersionAnswer:
    return VersionAnswer("Job Orchestra", __version__)


async def health(parts: ServiceParts, call: Call) -> HealthAnswer:
    return HealthAnswer("alive")


async def ready(parts: ServiceParts, call: Call) -> HealthAnswer | Answered:
    if waiting_for := await parts.readiness.waiting_for():
        answer = HealthAnswer("unavailable", waiting_for)
        return Answered(answer, http.HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "1"})
    return HealthAnswer("ready", parts.masters.troubles)


async def routes(parts: ServiceParts, call: Call) -> list[RouteAnswer]:
    return [
        RouteAnswer(route.method, route.path, route.permission.value, may_use(call.identity, route), route.summary)
        for route in parts.routes
    ]


async def openapi(parts: ServiceParts, call: Call) -> dict[str, object]:
    return openapi_document(parts.routes, parts.url)


async def documentation(parts: ServiceParts, call: Call) -> Response:
    return HTMLResponse(documentation_page(parts.routes), headers={"Content-Security-Policy": _PAGE_POLICY})
