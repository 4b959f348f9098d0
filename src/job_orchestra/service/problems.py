"""The one place where errors become problem documents (RFC 9457)."""

from __future__ import annotations

import http
import logging
import secrets
from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from job_orchestra.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    OrchestraError,
    Unauthenticated,
    Unavailable,
)
from job_orchestra.protocol.http_server import MalformedAnswer
from job_orchestra.protocol.resources.answers import MistakeAnswer, Problem

_logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Of every answer that is data."""


class Refused(OrchestraError):
    """A request that HTTP itself has a status for: malformed, too large, no such method."""

    def __init__(self, status: http.HTTPStatus, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})


_STATUSES: tuple[tuple[type[OrchestraError], http.HTTPStatus], ...] = (
    (Invalid, http.HTTPStatus.UNPROCESSABLE_ENTITY),
    (NotFound, http.HTTPStatus.NOT_FOUND),
    (Conflict, http.HTTPStatus.CONFLICT),
    (Unauthenticated, http.HTTPStatus.UNAUTHORIZED),
    (Forbidden, http.HTTPStatus.FORBIDDEN),
    (Unavailable, http.HTTPStatus.SERVICE_UNAVAILABLE),
)


def status_of(error: Exception) -> http.HTTPStatus:
    """Of the answer that it becomes."""
    if isinstance(error, Refused):
        return error.status
    otherwise = (
        http.HTTPStatus.BAD_REQUEST if isinstance(error, OrchestraError) else http.HTTPStatus.INTERNAL_SERVER_ERROR
    )
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), otherwise)


def problem_response(error: OrchestraError) -> Response:
    """With the headers that its status asks for."""
    status = status_of(error)
    headers = error.headers if isinstance(error, Refused) else {}
    if status is http.HTTPStatus.UNAUTHORIZED:
        headers = {"WWW-Authenticate": 'Basic realm="Job Orchestra", charset="UTF-8"'}
    elif status is http.HTTPStatus.SERVICE_UNAVAILABLE:
        headers = {"Retry-After": "1"}
    errors = (
        [MistakeAnswer(mistake.place, mistake.message) for mistake in error.mistakes]
        if isinstance(error, Invalid)
        else []
    )
    return _response(Problem(title=status.phrase, status=status, detail=error.message, errors=errors), headers)


def unexpected_response(error: Exception) -> Response:
    """Tells nothing of the inside; the log has it all under the reference that both name."""
    reference = secrets.token_hex(4)
    _logger.error("Unexpected error, reference %s.", reference, exc_info=error)
    status = http.HTTPStatus.INTERNAL_SERVER_ERROR
    detail = f"Something unexpected happened; the log of the service has it under the reference {reference}."
    return _response(Problem(title=status.phrase, status=status, detail=detail), {})


def malformed_answer() -> MalformedAnswer:
    """To what is no HTTP request."""
    response = problem_response(Refused(http.HTTPStatus.BAD_REQUEST, "This is not a well-formed HTTP request."))
    return MalformedAnswer(response.raw_headers, bytes(response.body))


def _response(problem: Problem, headers: Mapping[str, str]) -> Response:
    content = msgspec.json.encode(problem)
    return Response(content, problem.status, {**HEADERS, **headers}, media_type=MEDIA_TYPE)
