"""Fills an empty database with a history, in the bulk way of imports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice

from benchmarks.history_rows import INDEXED, RETIRED, WORKERS, history
from job_orchestra.domain.audit import AuditEntry, AuditOrigin
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.queries.parsing import parse_result_key
from job_orchestra.domain.queries.paths import Missing, look_up
from job_orchestra.domain.queries.value_keys import key_of
from job_orchestra.domain.runs import Run
from job_orchestra.domain.workers import WorkerDescription
from job_orchestra.repositories.revision_runs import REVISION_KEY
from job_orchestra.repositories.rows.audit import entry_to_row
from job_orchestra.repositories.rows.result_keys import KeyState, ResultKey, result_key_to_row
from job_orchestra.repositories.rows.runs import run_to_row
from job_orchestra.repositories.rows.workers import description_to_data
from job_orchestra.storage.port import Load, Row, StorageAdministration
from job_orchestra.storage.schema import AUDIT, RESULT_KEYS, RUN_VALUES, RUNS
from job_orchestra.storage.schema import WORKERS as WORKER_RECORDS

_AT_ONCE = 2000
_KEYS = (*INDEXED, REVISION_KEY)


def fill(administration: StorageAdministration, count: int, now: datetime, revisions: Sequence[str]) -> None:
    """Conflict if there is anything in the database."""
    with administration.load() as load:
        load.insert(WORKER_RECORDS.name, [_worker_row(worker, now) for worker in (*WORKERS, RETIRED)])
        load.insert(RESULT_KEYS.name, [result_key_to_row(ResultKey(key, KeyState.COMPLETE, "", now)) for key in _KEYS])
        runs = history(count, now, revisions)
        while some := list(islice(runs, _AT_ONCE)):
            _insert(load, some)


def _insert(load: Load, runs: Sequence[Run]) -> None:
    load.insert(RUNS.name, [run_to_row(run) for run in runs])
    load.insert(AUDIT.name, [_entry_row(run) for run in runs])
    load.insert(RUN_VALUES.name, [row for run in runs for row in _value_rows(run)])


def _value_rows(run: Run) -> Iterable[Row]:
    for key in _KEYS:
        value = look_up(run.results, parse_result_key(key).steps)
        if not isinstance(value, Missing):
            yield {"path": key, "value": key_of(value), "run": run.identifier}


def _entry_row(run: Run) -> Row:
    """As if everybody had triggered by the service."""
    identifier, request = f"{run.identifier}00000000", run.request
    details: JsonObject = {"made": {"run": run.identifier}}
    target: JsonObject = {"job": request.job}
    return entry_to_row(
        AuditEntry(
            identifier, run.created_at, AuditOrigin.SERVICE, "job.trigger", run.source.identifier[:64],
            project=request.project, target=target, status=201, details=details,
        )
    )  # fmt: skip


def _worker_row(identifier: str, now: datetime) -> Row:
    return {
        "identifier": identifier,
        "owner": "worker",
        "instance": identifier,
        "description": description_to_data(WorkerDescription("1", executor_limit=4)),
        "registered_at": to_microseconds(now.astimezone(UTC)),
    }
