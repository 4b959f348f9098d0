"""The plain form of what is retried, in a table that may have other fields beside it."""

from __future__ import annotations

from job_orchestra.domain.checking import Reader, Table, nearest
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.domain.retries import RetryPolicy
from job_orchestra.domain.statuses import RunStatus

MOST_RETRIES = 100
"""Each attempt leaves a line in the record of its run."""
_LONGEST_DELAY = 366 * 86_400.0

CAUSES: tuple[RunStatus | ReasonCode, ...] = (
    RunStatus.FAILED,
    RunStatus.EXCEPTION,
    ReasonCode.COMMAND_FAILED,
    ReasonCode.TIME_LIMIT,
    ReasonCode.LOG_LIMIT,
    ReasonCode.SHUTDOWN,
    ReasonCode.FORMAT_ERROR,
    ReasonCode.PROGRAM_MISSING,
    ReasonCode.ARGUMENTS_TOO_LONG,
    ReasonCode.SETUP_FAILED,
    ReasonCode.TEARDOWN_FAILED,
    ReasonCode.RESULTS_INVALID,
    ReasonCode.RESULT_LIMIT,
    ReasonCode.WORKSPACE_FAILED,
    ReasonCode.DEFINITION_UNKNOWN,
    ReasonCode.EXECUTOR_HOST_LOST,
    ReasonCode.HOST_RESTARTED,
    ReasonCode.LOG_DAMAGED,
    ReasonCode.INTERNAL_ERROR,
)
"""Of another attempt: statuses and reasons that a run may end with, but for wishes of users and lost workers."""
_BY_NAME: dict[str, RunStatus | ReasonCode] = {cause.value: cause for cause in CAUSES}


def retry_to_data(retry: RetryPolicy) -> JsonObject:
    return {"retries": retry.retries, "retry_on": [cause.value for cause in retry.on], "retry_delay": retry.delay}


RETRY_FIELDS = tuple(retry_to_data(RetryPolicy()))


def read_retry(table: Table) -> RetryPolicy:
    defaults = RetryPolicy()
    retries = table.read("retries", _retries, 0)
    for name in RETRY_FIELDS[1:]:
        if (field := table.field(name)) is not None and "retries" not in table:
            field.wrong("says nothing without retries, how often another attempt is made")
    return RetryPolicy(
        retries=retries,
        on=table.read("retry_on", _causes, defaults.on),
        delay=table.read("retry_delay", _delay, defaults.delay),
    )


def _retries(reader: Reader) -> int:
    return reader.integer(0, MOST_RETRIES)


def _causes(reader: Reader) -> tuple[RunStatus | ReasonCode, ...]:
    items = reader.items("a list of statuses and reasons")
    if not items and isinstance(reader.value, (list, tuple)):
        reader.wrong("is empty, so nothing would be retried")
    found = (_cause(item) for item in items)
    return tuple(dict.fromkeys(cause for cause in found if cause is not None))


def _cause(reader: Reader) -> RunStatus | ReasonCode | None:
    if reader.value == ReasonCode.WORKER_LOST:
        reader.wrong('worker_lost is the business of on_lost: with on_lost="retry" runs of lost workers are retried')
        return None
    cause = _BY_NAME.get(reader.value) if isinstance(reader.value, str) else None
    if cause is None:
        reader.expected(f"one of {', '.join(_BY_NAME)}", nearest(reader.value, tuple(_BY_NAME)))
    return cause


def _delay(reader: Reader) -> float:
    seconds = reader.number()
    if seconds > _LONGEST_DELAY:
        reader.wrong(f"{seconds:g} seconds are more than a year")
        return 0.0
    return seconds
