from __future__ import annotations

from job_orchestra.domain.run_logs import RecordedLog
from job_orchestra.domain.runs import LogFacts
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.repositories.rows.columns import integer, json_objects, optional_text, text
from job_orchestra.storage.port import Row


def run_logs_from_row(row: Row) -> list[RecordedLog]:
    """Of a run, its present attempt first, without what only the program that stored it may understand."""
    project, run = text(row, "project"), text(row, "identifier")
    attempts: list[Row] = [row, *json_objects(row, "past_attempts")]
    return [_run_log(one, project, run, is_late=False) for one in attempts]


def late_log_from_row(row: Row, project: str) -> RecordedLog:
    """Of a late report, in the project of its run."""
    return _run_log(row, project, text(row, "run"), is_late=True)


def _run_log(row: Row, project: str, run: str, *, is_late: bool) -> RecordedLog:
    facts = LogFacts(integer(row, "log_size"), optional_text(row, "log_sha256"))
    return RecordedLog(project, run, integer(row, "attempt"), RunStatus(text(row, "status")), facts, is_late)
