"""Attempts that were given up, as their workers tell of them: read for answers, never applied to the run."""

from __future__ import annotations

from dataclasses import replace

from job_orchestra.domain.errors import NotFound
from job_orchestra.domain.late_reports import LateReport, is_given_up
from job_orchestra.domain.runs import LogFacts, Run
from job_orchestra.service.parts import ServiceParts
from job_orchestra.storage.log_port import LogKey


async def late_reports_of(parts: ServiceParts, run: Run) -> list[LateReport]:
    """By attempt. The log of one that has not ended is as long as what is stored of it."""
    if not any(is_given_up(run, attempt) for attempt in range(1, run.attempt + 1)):
        return []  # the usual case costs nothing
    found = [report for report in await parts.late_reports.of(run) if is_given_up(run, report.account.attempt)]
    sizes = await parts.log_store.sizes([late_log_key(report.account) for report in found])
    return [_with_size(report, size) for report, size in zip(found, sizes, strict=True)]


async def find_late_report(parts: ServiceParts, run: Run, attempt: str) -> LateReport:
    """`attempt` as it stands in the path; NotFound if no such attempt was given up."""
    for report in await late_reports_of(parts, run):
        if attempt == str(report.account.attempt):
            return report
    raise NotFound("late report", f"{run.identifier}/{attempt}")


def late_log_key(account: Run) -> LogKey:
    return LogKey(account.request.project, account.identifier, account.attempt, is_late=True)


def _with_size(report: LateReport, size: int) -> LateReport:
    account = report.account
    if account.status.is_terminal:
        return report
    return replace(report, account=replace(account, log=LogFacts(size)))
