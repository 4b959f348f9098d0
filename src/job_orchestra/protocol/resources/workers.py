"""Workers, and which runs they refuse."""

from __future__ import annotations

from job_orchestra.domain.json import JsonObject
from job_orchestra.protocol.resources.answers import Answer


class RefusalAnswer(Answer, frozen=True):
    """A run that a worker did not take when it was given it."""

    run: str
    reason: str
    """The worker's."""
    date: str
    until: str
    """Before that it gets no other run."""


class WorkerAnswer(Answer, frozen=True):
    identifier: str
    display_name: str
    owner: str
    version: str
    properties: JsonObject
    executor_limit: int
    active_runs: int
    is_enabled: bool
    is_connected: bool
    is_draining: bool
    hindrance: str
    """Why it takes no new runs at present, by its own word, to be read behind its name; empty if it does."""
    refusal: RefusalAnswer | None
    """The last one, unless it has taken a run since."""
    registered_at: str
    connected_at: str | None
    disconnected_at: str | None
    skew: float | None
