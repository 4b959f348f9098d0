"""What the route table says of one route."""

from __future__ import annotations

import http
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from job_orchestra.domain.roles import Permission
from job_orchestra.protocol.resources.answers import Body
from job_orchestra.service.call import Call
from job_orchestra.service.parameter import Parameter
from job_orchestra.service.parts import ServiceParts

Handler: TypeAlias = Callable[[ServiceParts, Call], Awaitable[object]]
"""Answers data for the body, `Answered`, a response of its own, or None for an answer without content."""

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    method: str
    path: str
    permission: Permission
    handler: Handler
    summary: str
    answer: Any = None
    """Type of the answer; None: it has no content, or is no JSON."""
    status: int = http.HTTPStatus.OK
    body: type[Body] | None = None
    takes_anything: bool = False
    """The body may have any form: what it is, and who sent it, is for the handler to find out from all headers."""
    query: tuple[Parameter[Any], ...] = ()
    headers: tuple[Parameter[Any], ...] = ()
    media_type: str = JSON
    action: str = ""
    """What the audit trail calls it: `run.abort`. Empty: by method and path."""
    is_caller_told: bool = False
    """Of a route for anyone: it answers differently to who says who he is."""

    @property
    def changes(self) -> bool:
        """Whether it is there to change something, and belongs into the audit trail."""
        return self.method != "GET"

    @property
    def audited_as(self) -> str:
        return self.action or f"{self.method} {self.path}"

    @property
    def path_parameters(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)
