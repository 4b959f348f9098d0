"""What a master reads and keeps: the repositories that it shares with nobody else in its process."""

from __future__ import annotations

from dataclasses import dataclass

from job_orchestra.repositories.accounts import Accounts
from job_orchestra.repositories.audit import Audit
from job_orchestra.repositories.bound_runs import BoundRuns
from job_orchestra.repositories.concurrency import Concurrency
from job_orchestra.repositories.jobs import Jobs
from job_orchestra.repositories.late_reports import LateReports
from job_orchestra.repositories.masters import KnownMasters
from job_orchestra.repositories.measures import Measures
from job_orchestra.repositories.pipeline_runs import PipelineRuns
from job_orchestra.repositories.projects import Projects
from job_orchestra.repositories.pruning import Pruning
from job_orchestra.repositories.result_index import ResultIndex
from job_orchestra.repositories.retentions import Retentions
from job_orchestra.repositories.run_progress import RunProgress
from job_orchestra.repositories.run_queue import RunQueue
from job_orchestra.repositories.run_tokens import RunTokens
from job_orchestra.repositories.runs import Runs
from job_orchestra.repositories.schedules import Schedules
from job_orchestra.repositories.ticks import Ticks
from job_orchestra.repositories.workers import Workers
from job_orchestra.storage.log_port import LogStore


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterRecords:
    accounts: Accounts
    projects: Projects
    jobs: Jobs
    concurrency: Concurrency
    schedules: Schedules
    ticks: Ticks
    runs: Runs
    run_queue: RunQueue
    pipeline_runs: PipelineRuns
    bound_runs: BoundRuns
    run_progress: RunProgress
    result_index: ResultIndex
    late_reports: LateReports
    run_tokens: RunTokens
    workers: Workers
    retentions: Retentions
    pruning: Pruning
    log_store: LogStore
    audit: Audit
    known_masters: KnownMasters
    measures: Measures
