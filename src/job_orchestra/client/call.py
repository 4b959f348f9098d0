"""One request to the service as data: what is sent, and the type of what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import quote

import msgspec

from job_orchestra.protocol.resources import Body

Answered = TypeVar("Answered")


@dataclass(frozen=True, slots=True)
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
        return None if self.body is None else msgspec.json.encode(self.body)

    @property
    def all_headers(self) -> Mapping[str, str]:
        if self.body is None:
            return self.headers
        return {"Content-Type": "application/json", **self.headers}


def path(*segments: str) -> str:
    """`/projects/a%2Fb/runs`: each segment quoted whole, so that no identifier reaches another route."""
    # A segment of dots alone would be taken as a step up by whatever stands between us and the service.
    return "".join(
        "/" + (quote(segment, safe="") if segment.strip(".") else "%2E" * len(segment)) for segment in segments
    )


def query(**values: str | int | None) -> dict[str, str]:
    """Those that are given."""
    return {name: str(value) for name, value in values.items() if value is not None}
