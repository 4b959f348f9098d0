from __future__ import annotations

from job_orchestra.domain.run_logs import RecordedLog
from job_orchestra.domain.runs import LogFacts
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.repositories.rows.columns import integer, optional_text, text
from job_orchestra.storage.port import Row


def run_log_from_row(row: Row) -> RecordedLog:
    """Of a run, without what only the program that stored it may understand."""
    return _run_log(row, text(row, "project"), text(row, "identifier"), is_late=False)


def late_log_from_row(row: Row, project: str) -> RecordedLog:
    """Of a late report, in the project of its run."""
    return _run_log(row, project, text(row, "run"), is_late=True)


def _run_log(row: Row, project: str, run: str, *, is_late: bool) -> RecordedLog:
    facts = LogFacts(integer(row, "log_size"), optional_text(row, "log_sha256"))
    return RecordedLog(project, run, integer(row, "attempt"), RunStatus(text(row, "status")), facts, is_late)
