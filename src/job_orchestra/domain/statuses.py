"""The status of a run, and the one table of what may follow what."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from job_orchestra.domain.errors import Conflict


class RunStatus(StrEnum):
    PENDING = "pending"
    """Waits for a worker; left when the worker reports the start, counts as lost, or by cancel."""
    RUNNING = "running"
    """The worker reported the start; left when it reports the end, or counts as lost: a retried run waits again."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """A command returned non-zero."""
    ABORTED = "aborted"
    """Stopped while running: request, time limit, log limit, shutdown."""
    EXCEPTION = "exception"
    """The system or the definition was at fault."""
    CANCELLED = "cancelled"
    """Ended before it started: request, or expired in the queue."""

    @property
    def is_terminal(self) -> bool:
        return not TRANSITIONS[self]


TRANSITIONS: Mapping[RunStatus, frozenset[RunStatus]] = {
    RunStatus.PENDING: frozenset({RunStatus.RUNNING, RunStatus.CANCELLED}),
    RunStatus.RUNNING: frozenset(
        {RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.ABORTED, RunStatus.EXCEPTION, RunStatus.PENDING}
    ),
    RunStatus.SUCCEEDED: frozenset(),
    RunStatus.FAILED: frozenset(),
    RunStatus.ABORTED: frozenset(),
    RunStatus.EXCEPTION: frozenset(),
    RunStatus.CANCELLED: frozenset(),
}


class ElementStatus(StrEnum):
    """Of an element of a pipeline: those of its runs, and two for elements that have none."""

    WAITING = "waiting"
    """For the elements before it."""
    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABORTED = "aborted"
    EXCEPTION = "exception"
    """Of its run; or no run could be triggered."""
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    """Its conditions cannot be met any more."""

    @property
    def is_final(self) -> bool:
        return self not in (ElementStatus.WAITING, ElementStatus.PENDING, ElementStatus.RUNNING)


FINAL_ELEMENT_STATUSES = tuple(status for status in ElementStatus if status.is_final)

ACTIVE = tuple(status for status in RunStatus if TRANSITIONS[status])
TERMINAL = tuple(status for status in RunStatus if not TRANSITIONS[status])


def advance(current: RunStatus, following: RunStatus) -> RunStatus:
    """`following`, where the table allows it; Conflict otherwise, so that no terminal status ever changes (P6)."""
    if following not in TRANSITIONS[current]:
        raise Conflict(f"A run that is {current} cannot become {following}.")
    return following
