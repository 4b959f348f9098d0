"""The attempts of a run that are over, as one JSON value of its row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import LogFacts, PastAttempt
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.repositories.rows.columns import (
    integer,
    json_objects,
    moment,
    optional_microseconds,
    optional_moment,
    optional_number,
    optional_text,
    text,
)
from job_orchestra.storage.port import Row, Value


def past_attempts_to_value(attempts: Sequence[PastAttempt]) -> Value:
    """None where there are none, as for nearly every run."""
    return [_to_data(attempt) for attempt in attempts] or None


def past_attempts_from_row(row: Row) -> tuple[PastAttempt, ...]:
    return tuple(_from_data(one) for one in json_objects(row, "past_attempts"))


def _to_data(past: PastAttempt) -> JsonValue:
    return {
        "attempt": past.attempt,
        "status": past.status.value,
        "reason_code": past.reason.code.value,
        "reason": past.reason.sentence,
        "worker": past.worker,
        "assigned_at": optional_microseconds(past.assigned_at),
        "started_at": optional_microseconds(past.started_at),
        "ended_at": to_microseconds(past.ended_at),
        "duration": past.duration,
        "log_size": past.log.size,
        "log_sha256": past.log.sha256,
    }


def _from_data(data: JsonObject) -> PastAttempt:
    row = cast("Row", data)
    return PastAttempt(
        attempt=integer(row, "attempt"),
        status=RunStatus(text(row, "status")),
        reason=Reason(ReasonCode(text(row, "reason_code")), text(row, "reason")),
        worker=optional_text(row, "worker"),
        assigned_at=optional_moment(row, "assigned_at"),
        started_at=optional_moment(row, "started_at"),
        ended_at=moment(row, "ended_at"),
        duration=optional_number(row, "duration"),
        log=LogFacts(integer(row, "log_size"), optional_text(row, "log_sha256")),
    )
