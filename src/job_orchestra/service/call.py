"""What a handler gets of a request, checked already; and what it may answer beside plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar, cast

from job_orchestra.domain.runs import Source, SourceKind
from job_orchestra.protocol.resources.answers import Body
from job_orchestra.repositories.accounts import Identity
from job_orchestra.service.parameter import Parameter

Value = TypeVar("Value")
BodyType = TypeVar("BodyType", bound=Body)


@dataclass(frozen=True, slots=True)
class Call:
    path: Mapping[str, str]
    """Values of the path's parameters."""
    identity: Identity | None = None
    """Never None where the route needs a permission."""
    values: Mapping[str, object] = field(default_factory=dict[str, object])
    """Of the declared query and header parameters."""
    body: Body | None = None
    is_head: bool = False
    content: bytes = b""
    """The body as it came, where the route takes one of any form."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """All of them, names in lower case, where the route takes a body of any form."""

    @property
    def caller(self) -> Identity:
        assert self.identity is not None, "the route is open to anyone"
        return self.identity

    @property
    def user(self) -> str:
        return self.caller.user.identifier

    @property
    def source(self) -> Source:
        """Of a run that the caller triggers."""
        run = self.caller.run
        return Source(SourceKind.USER, self.user) if run is None else Source(SourceKind.RUN, run.run)

    def value(self, parameter: Parameter[Value]) -> Value:
        """Of a parameter that the route declares."""
        return cast("Value", self.values[parameter.name])

    def body_as(self, kind: type[BodyType]) -> BodyType:
        """The body, of the type that the route declares."""
        assert isinstance(self.body, kind)
        return self.body


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer with a status or headers of its own."""

    content: object
    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
