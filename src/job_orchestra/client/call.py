"""One request to the service as data: what is sent, and the type of what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import quote

import msgspec

from job_orchestra.domain.errors import Invalid
from job_orchestra.protocol.resources.answers import Body

Answered = TypeVar("Answered")


@dataclass(frozen=True)  # without slots, with which Call[T](...) fails in Python 3.11
class Call(Generic[Answered]):
    """`answer` is the type that the body is decoded to; NoneType where there is no body."""

    method: str
    path: str
    answer: type[Answered]
    body: Body | None = None
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def content(self) -> bytes | None:
        """Invalid if the body holds what is no text, such as a file's name that is no UTF-8."""
        try:
            return None if self.body is None else msgspec.json.encode(self.body)
        except UnicodeEncodeError:
            raise Invalid.at("", "Something of what was given is no text in UTF-8.") from None

    @property
    def all_headers(self) -> Mapping[str, str]:
        if self.body is None:
            return self.headers
        return {"Content-Type": "application/json", **self.headers}


def idempotency(key: str | None) -> Mapping[str, str]:
    """The headers that let a call be repeated; Invalid for a key that no header can hold."""
    if key is None:
        return {}
    if not (key.isascii() and key.isprintable()):
        raise Invalid.at("Idempotency-Key", "takes printable ASCII characters only")
    return {"Idempotency-Key": key}


def path(*segments: str) -> str:
    """`/projects/a%2Fb/runs`: each segment quoted whole, so that no identifier reaches another route."""
    return "".join("/" + _quoted(segment) for segment in segments)


def _quoted(segment: str) -> str:
    if not segment.strip("."):
        # Dots alone would be taken as a step up by whatever stands between us and the service.
        return "%2E" * len(segment)
    return quote(segment, safe="", errors="surrogateescape")


def query(**values: str | int | None) -> dict[str, str]:
    """Those that are given."""
    return {name: str(value) for name, value in values.items() if value is not None}
