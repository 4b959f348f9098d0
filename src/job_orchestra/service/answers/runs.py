from __future__ import annotations

from collections.abc import Iterable

from job_orchestra.domain.absences import Absence
from job_orchestra.domain.explanation import Explanation
from job_orchestra.domain.job_data import definition_to_data
from job_orchestra.domain.jobs import OnLost
from job_orchestra.domain.late_reports import LateReport
from job_orchestra.domain.losses import Outcome
from job_orchestra.domain.moments import from_microseconds
from job_orchestra.domain.reasons import Reason
from job_orchestra.domain.runs import PastAttempt, Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.protocol.resources.logs import LogAnswer
from job_orchestra.protocol.resources.projects import ObstacleAnswer
from job_orchestra.protocol.resources.runs import (
    CountAnswer,
    EventAnswer,
    LateReportAnswer,
    PastAttemptAnswer,
    ReasonAnswer,
    RunAnswer,
    RunSummaryAnswer,
    SourceAnswer,
    TransformationFailureAnswer,
    WhyAnswer,
)
from job_orchestra.repositories.rows.events import StoredEvent
from job_orchestra.service.answers.dates import iso, optional_iso
from job_orchestra.service.transformation import Transformed

_WHEN_LOST = {Outcome.END: OnLost.FAIL.value, Outcome.RETRY: OnLost.RETRY.value}


def run_answer(
    run: Run,
    shown: Transformed,
    is_worker_connected: bool | None = None,
    absence: Absence | None = None,
    late_reports: Iterable[LateReport] = (),
    no_longer_kept: Iterable[str] = (),
    warning: str | None = None,
) -> RunAnswer:
    request = run.request
    loss = absence.loss if absence else None
    return RunAnswer(
        project=request.project,
        job=request.job,
        identifier=run.identifier,
        status=run.status.value,
        reason=_reason(run.reason),
        attempt=run.attempt,
        source=SourceAnswer(run.source.kind.value, run.source.identifier),
        retry_of=run.retry_of,
        parameters=request.parameters,
        properties=request.properties,
        definition=definition_to_data(request.definition),
        results=shown.results,
        worker=run.worker,
        is_worker_connected=is_worker_connected,
        should_cancel=run.should_cancel,
        should_abort=run.should_abort,
        wished_by=run.wished_by,
        is_pinned=run.is_pinned,
        concurrency=request.concurrency,
        abort_with_run=request.abort_with_run,
        created_at=iso(run.created_at),
        assigned_at=optional_iso(run.assigned_at),
        started_at=optional_iso(run.started_at),
        ended_at=optional_iso(run.ended_at),
        duration=run.duration,
        log=LogAnswer(run.log.size, run.log.sha256),
        past_attempts=[_past_attempt_answer(past) for past in run.past_attempts],
        retries=request.retry.retries,
        waits_until=optional_iso(run.waits_until),
        worker_disconnected_at=optional_iso(absence.since if absence else None),
        lost_at=optional_iso(loss.at if loss else None),
        when_lost=_WHEN_LOST[loss.outcome] if loss else None,
        worker_absence=absence.sentence if absence else None,
        late_reports=[late_report_answer(report) for report in late_reports],
        transformation_failures=[TransformationFailureAnswer(one.transformer, one.message) for one in shown.failures],
        no_longer_kept=list(no_longer_kept),
        warning=warning,
    )


def late_report_answer(report: LateReport) -> LateReportAnswer:
    account = report.account
    return LateReportAnswer(
        attempt=account.attempt,
        worker=account.worker or "",
        lost_at=iso(report.lost_at),
        received_at=optional_iso(report.received_at),
        status=account.status.value,
        reason=_reason(account.reason),
        started_at=optional_iso(account.started_at),
        ended_at=optional_iso(account.ended_at),
        duration=account.duration,
        results=account.results,
        log=LogAnswer(account.log.size, account.log.sha256),
    )


def run_summary_answer(
    run: Run, is_worker_connected: bool | None = None, warning: str | None = None
) -> RunSummaryAnswer:
    return RunSummaryAnswer(
        project=run.request.project,
        job=run.request.job,
        identifier=run.identifier,
        status=run.status.value,
        reason=_reason(run.reason),
        attempt=run.attempt,
        source=SourceAnswer(run.source.kind.value, run.source.identifier),
        parameters=run.request.parameters,
        worker=run.worker,
        created_at=iso(run.created_at),
        started_at=optional_iso(run.started_at),
        ended_at=optional_iso(run.ended_at),
        duration=run.duration,
        is_pinned=run.is_pinned,
        is_worker_connected=is_worker_connected,
        warning=warning,
    )


def _past_attempt_answer(past: PastAttempt) -> PastAttemptAnswer:
    return PastAttemptAnswer(
        attempt=past.attempt,
        status=past.status.value,
        reason=ReasonAnswer(past.reason.code.value, past.reason.sentence),
        worker=past.worker,
        assigned_at=optional_iso(past.assigned_at),
        started_at=optional_iso(past.started_at),
        ended_at=iso(past.ended_at),
        duration=past.duration,
        log=LogAnswer(past.log.size, past.log.sha256),
    )


def _reason(reason: Reason | None) -> ReasonAnswer | None:
    return None if reason is None else ReasonAnswer(reason.code.value, reason.sentence)


def event_answer(event: StoredEvent) -> EventAnswer:
    record = event.record
    return EventAnswer(event.attempt, record.sequence, record.kind, iso(from_microseconds(record.date)), record.data)


def why_answer(run: Run, explanation: Explanation, holders: Iterable[Run] = ()) -> WhyAnswer:
    is_waiting = run.status is RunStatus.PENDING and run.worker is None
    return WhyAnswer(
        status=run.status.value,
        summary=explanation.summary,
        is_impossible=explanation.is_impossible,
        workers=[ObstacleAnswer(one.worker, list(one.sentences)) for one in explanation.workers],
        holders=[holder.identifier for holder in holders],
        runs_before=CountAnswer(explanation.queue.count, explanation.queue.is_exact) if is_waiting else None,
        first_runs=list(explanation.queue.first),
    )
