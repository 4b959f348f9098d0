from __future__ import annotations

from job_orchestra.domain.late_reports import LateReport, blank_account
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.runs import Run
from job_orchestra.repositories.rows.columns import integer, moment, optional_microseconds, optional_moment, text
from job_orchestra.repositories.rows.runs import run_facts, with_facts
from job_orchestra.storage.port import Row

_LEFT_OUT: Row = dict.fromkeys(("assigned_at", "concurrency_slot", "expires_at", "past_attempts"))
"""Facts of the master, not of the attempt."""


def late_report_to_row(report: LateReport) -> Row:
    account = report.account
    return {
        "run": account.identifier,
        "attempt": account.attempt,
        "lost_at": to_microseconds(report.lost_at),
        "received_at": optional_microseconds(report.received_at),
        **late_facts(account),
    }


def late_facts(account: Run) -> Row:
    return {column: value for column, value in run_facts(account).items() if column not in _LEFT_OUT}


def late_report_from_row(row: Row, run: Run) -> LateReport:
    """`run` is the one that the report is about."""
    blank = blank_account(run, integer(row, "attempt"), text(row, "worker"))
    account = with_facts(blank, {**row, **_LEFT_OUT})
    return LateReport(account, moment(row, "lost_at"), optional_moment(row, "received_at"))
