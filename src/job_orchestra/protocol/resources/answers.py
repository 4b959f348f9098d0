"""What all answers and bodies are made of, and the answers about the service itself."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

Item = TypeVar("Item")


class Answer(msgspec.Struct, frozen=True):
    """Sent by the service. Unknown fields are ignored by the client, so that the service can be newer."""


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sent to the service. Unknown fields are mistakes."""


class Page(Answer, Generic[Item], frozen=True):
    items: list[Item]
    next: str | None = None
    """Cursor of the next page; None on the last."""


class MistakeAnswer(Answer, frozen=True):
    field: str
    message: str


class Problem(Answer, frozen=True):
    """RFC 9457; `type` is `about:blank`, `errors` names each field at fault."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
    errors: list[MistakeAnswer] = []


class VersionAnswer(Answer, frozen=True):
    name: str
    version: str


class HealthAnswer(Answer, frozen=True):
    status: str
    """`alive`; for /ready `ready`, or `unavailable` with status 503 and the reasons in `waiting_for`."""
    waiting_for: list[str] = []


class RouteAnswer(Answer, frozen=True):
    method: str
    path: str
    permission: str
    is_allowed: bool
    summary: str
