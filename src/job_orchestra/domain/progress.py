"""How the events of a journal move a run on: the only place where facts of an execution become fields of a run."""

from __future__ import annotations

from dataclasses import replace

from job_orchestra.domain.errors import Conflict
from job_orchestra.domain.events import Ended, Event, ResultsChanged, Started
from job_orchestra.domain.runs import LogFacts, Run
from job_orchestra.domain.statuses import RunStatus, advance


def apply_event(run: Run, event: Event) -> Run:
    """The run after `event`, which has to be the next of its journal; Conflict where it cannot follow."""
    if event.sequence != run.journal_sequence + 1:
        raise Conflict(f"Event {event.sequence} of run {run.identifier} cannot follow event {run.journal_sequence}.")
    run = replace(run, journal_sequence=event.sequence)
    match event:
        case Started():
            return replace(run, status=advance(run.status, RunStatus.RUNNING), started_at=event.date)
        case ResultsChanged():
            return replace(run, results=event.results)
        case Ended():
            return _end(run, event)
        case _:
            return run


def _end(run: Run, ended: Ended) -> Run:
    status = run.status
    if status is RunStatus.PENDING and ended.status is not RunStatus.CANCELLED:
        # It came to an end without a command being executed (its host restarted, say): it was taken up all the same.
        status = advance(status, RunStatus.RUNNING)
    return replace(
        run,
        status=advance(status, ended.status),
        reason=ended.reason,
        ended_at=ended.date,
        duration=ended.duration,
        log=LogFacts(ended.log_size, ended.log_sha256),
    )
