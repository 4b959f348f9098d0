from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.job_data import run_request_from_data, run_request_to_data
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import LogFacts, Run, Source, SourceKind, expiry_of, queue_key
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.repositories.rows.columns import (
    flag,
    integer,
    json_object,
    moment,
    optional_microseconds,
    optional_moment,
    optional_number,
    optional_text,
    text,
)
from job_orchestra.repositories.rows.past_attempts import past_attempts_from_row, past_attempts_to_value
from job_orchestra.storage.port import Row

_logger = logging.getLogger(__name__)

WAITING_FOR_A_MOMENT = ""
"""The queue key of runs that do: a group of their own, in the order of the moments."""


def run_to_row(run: Run) -> Row:
    request = run.request
    return {
        "identifier": run.identifier,
        "project": request.project,
        "job": request.job,
        "request": run_request_to_data(request),
        **queue_place(run),
        "source_kind": run.source.kind.value,
        "source_identifier": run.source.identifier,
        "idempotency_key": run.idempotency_key,
        "retry_of": run.retry_of,
        "created_at": to_microseconds(run.created_at),
        "should_cancel": run.should_cancel,
        "should_abort": run.should_abort,
        "wished_by": run.wished_by,
        "is_pinned": run.is_pinned,
        "attempt": run.attempt,
        **run_facts(run),
    }


def queue_place(run: Run) -> Row:
    """The columns that say where it stands in the queue, which the master alone writes."""
    if run.waits_until is not None:
        return {"queue_key": WAITING_FOR_A_MOMENT, "urgency": to_microseconds(run.waits_until)}
    return {"queue_key": queue_key(run.request), "urgency": -run.request.priority}


def run_facts(run: Run) -> Row:
    """The columns that the master alone writes, but for the attempt and its place in the queue."""
    return {
        "status": run.status.value,
        "reason_code": None if run.reason is None else run.reason.code.value,
        "reason": None if run.reason is None else run.reason.sentence,
        "worker": run.worker,
        # With its end a run lets go of its slot, whoever ends it: one change of one row, so none is ever left over.
        "concurrency_slot": None if run.status.is_terminal else run.slot,
        "expires_at": optional_microseconds(expiry_of(run)),
        "past_attempts": past_attempts_to_value(run.past_attempts),
        "assigned_at": optional_microseconds(run.assigned_at),
        "started_at": optional_microseconds(run.started_at),
        "ended_at": optional_microseconds(run.ended_at),
        "duration": run.duration,
        "results": run.results,
        "journal_sequence": run.journal_sequence,
        "log_size": run.log.size,
        "log_sha256": run.log.sha256,
    }


def run_from_row(row: Row) -> Run:
    run = Run(
        identifier=text(row, "identifier"),
        request=run_request_from_data(json_object(row, "request")),
        source=Source(SourceKind(text(row, "source_kind")), text(row, "source_identifier")),
        created_at=moment(row, "created_at"),
        idempotency_key=optional_text(row, "idempotency_key"),
        retry_of=optional_text(row, "retry_of"),
        should_cancel=flag(row, "should_cancel"),
        should_abort=flag(row, "should_abort"),
        wished_by=optional_text(row, "wished_by"),
        is_pinned=flag(row, "is_pinned"),
        attempt=integer(row, "attempt"),
        waits_until=moment(row, "urgency") if text(row, "queue_key") == WAITING_FOR_A_MOMENT else None,
    )
    return with_facts(run, row)


def with_facts(run: Run, row: Row) -> Run:
    """The run with the columns of `run_facts`."""
    code = optional_text(row, "reason_code")
    return replace(
        run,
        status=RunStatus(text(row, "status")),
        reason=None if code is None else Reason(ReasonCode(code), optional_text(row, "reason") or ""),
        worker=optional_text(row, "worker"),
        slot=optional_text(row, "concurrency_slot"),
        past_attempts=past_attempts_from_row(row),
        assigned_at=optional_moment(row, "assigned_at"),
        started_at=optional_moment(row, "started_at"),
        ended_at=optional_moment(row, "ended_at"),
        duration=optional_number(row, "duration"),
        results=json_object(row, "results"),
        journal_sequence=integer(row, "journal_sequence"),
        log=LogFacts(integer(row, "log_size"), optional_text(row, "log_sha256")),
    )


def readable_runs(rows: Iterable[Row]) -> list[Run]:
    """Without those that this program cannot read (another version's, say): one of them must not stop all others."""
    runs: list[Run] = []
    for row in rows:
        try:
            runs.append(run_from_row(row))
        except (Invalid, ValueError) as error:
            _logger.error("Run %s is left alone, because its record cannot be read: %s", row["identifier"], error)
    return runs
