"""Problem documents become the errors again that the service translated, and answers become typed."""

from __future__ import annotations

import http
from collections.abc import Callable, Mapping
from types import NoneType
from typing import cast

import msgspec

from job_orchestra.client.call import Answered, Call
from job_orchestra.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    Mistake,
    NotFound,
    OrchestraError,
    Unauthenticated,
    Unavailable,
)
from job_orchestra.protocol.resources.answers import HealthAnswer, Problem

_ERRORS: Mapping[int, Callable[[str], OrchestraError]] = {
    http.HTTPStatus.UNAUTHORIZED: Unauthenticated,
    http.HTTPStatus.FORBIDDEN: Forbidden,
    http.HTTPStatus.NOT_FOUND: NotFound.saying,
    http.HTTPStatus.CONFLICT: Conflict,
}


def error_of(url: str, status: int, content: bytes) -> OrchestraError:
    """What an answer with a status of 400 or above means."""
    try:
        problem = msgspec.json.decode(content, type=Problem)
    except msgspec.MsgspecError:
        return _undocumented(url, status, content)
    if problem.errors:
        return Invalid(Mistake(error.field, error.message) for error in problem.errors)
    if status in _ERRORS:
        return _ERRORS[status](problem.detail or problem.title)
    if status < http.HTTPStatus.INTERNAL_SERVER_ERROR:
        return Invalid.at("", problem.detail or problem.title)
    return Unavailable(problem.detail or problem.title)


def _undocumented(url: str, status: int, content: bytes) -> OrchestraError:
    try:
        health = msgspec.json.decode(content, type=HealthAnswer)
    except msgspec.MsgspecError:
        return Unavailable(f"{url} answered with status {status}, not as the service does; is that its address?")
    return Unavailable(
        f"The service at {url} is {health.status}: {'; '.join(health.waiting_for) or 'no reason given'}."
    )


def decode(url: str, call: Call[Answered], content: bytes) -> Answered:
    """The typed answer; Unavailable where the other side does not speak like the service."""
    if call.answer is NoneType:
        return cast("Answered", None)
    try:
        return msgspec.json.decode(content, type=call.answer)
    except msgspec.MsgspecError as error:
        raise Unavailable(f"{url} answered {call.method} {call.path} not as the service does: {error}.") from None
