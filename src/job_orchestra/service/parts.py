"""What handlers work with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.placement import WorkerSelector
from job_orchestra.domain.tick_times import LocalTimes
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
from job_orchestra.repositories.revision_runs import RevisionRuns
from job_orchestra.repositories.run_search import RunSearch
from job_orchestra.repositories.runs import Runs
from job_orchestra.repositories.schedules import Schedules
from job_orchestra.repositories.ticks import Ticks
from job_orchestra.repositories.workers import Workers
from job_orchestra.service.followers import Followers
from job_orchestra.service.foresight import Foresight
from job_orchestra.service.installation import Installation
from job_orchestra.service.masters import Masters
from job_orchestra.service.readiness import Readiness
from job_orchestra.service.repository_watch import RepositoryWatch
from job_orchestra.service.transformation import Transformation
from job_orchestra.service.webhook_secrets import WebhookSecrets
from job_orchestra.storage.log_port import LogStore

if TYPE_CHECKING:
    from job_orchestra.service.audit_trail import AuditTrail
    from job_orchestra.service.route import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceParts:
    accounts: Accounts
    projects: Projects
    jobs: Jobs
    concurrency: Concurrency
    runs: Runs
    pipeline_runs: PipelineRuns
    bound_runs: BoundRuns
    run_search: RunSearch
    revision_runs: RevisionRuns
    late_reports: LateReports
    schedules: Schedules
    ticks: Ticks
    workers: Workers
    log_store: LogStore
    local_times: LocalTimes
    selector: WorkerSelector
    foresight: Foresight
    transformation: Transformation
    clock: Clock
    masters: Masters
    followers: Followers
    readiness: Readiness
    webhook_secrets: WebhookSecrets
    audit: Audit
    trail: AuditTrail
    known_masters: KnownMasters
    measures: Measures
    installation: Installation
    repository_watch: RepositoryWatch
    routes: Sequence[Route]
    """The whole table, for what describes it."""
    url: str
    """Where others reach the service."""
