"""How the events of a journal move a run on: the only place where facts of an execution become fields of a run."""

from __future__ import annotations

from dataclasses import replace

from job_orchestra.domain.errors import Conflict
from job_orchestra.domain.events import Ended, Event, ResultsChanged, Started
from job_orchestra.domain.reasons import Reason, ReasonCode
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


def apply_damaged_end(run: Run, ended: Ended, stored_size: int) -> Run:
    """As `apply_event`, where the log that came is not, and will not become, the one that the run ended with."""
    sentence = (
        f"The log was changed after the run had ended ({ended.status}: {ended.reason.sentence.rstrip('.')}). It had "
        f"{ended.log_size} bytes then; the {stored_size} that are stored are what is left."
    )
    damaged = replace(ended, status=RunStatus.EXCEPTION, reason=Reason(ReasonCode.LOG_DAMAGED, sentence))
    return replace(apply_event(run, damaged), log=LogFacts(stored_size))


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
