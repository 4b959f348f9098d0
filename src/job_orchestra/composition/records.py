"""Parts over the database and the log files: for the master, the service, and commands on the host."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import cached_property

from job_orchestra.composition.base import ApplicationComposition
from job_orchestra.composition.databases import open_administration, open_storage
from job_orchestra.domain.placement import WorkerSelector
from job_orchestra.domain.retention import Retention
from job_orchestra.domain.tick_times import LocalTimes
from job_orchestra.repositories.accounts import Accounts
from job_orchestra.repositories.audit import Audit
from job_orchestra.repositories.audited_storage import AuditedStorage
from job_orchestra.repositories.bound_runs import BoundRuns
from job_orchestra.repositories.concurrency import Concurrency
from job_orchestra.repositories.expired_runs import ExpiredRuns
from job_orchestra.repositories.jobs import Jobs
from job_orchestra.repositories.late_reports import LateReports
from job_orchestra.repositories.log_check import LogCheck
from job_orchestra.repositories.log_disk_watch import LogDiskWatch
from job_orchestra.repositories.masters import KnownMasters
from job_orchestra.repositories.measures import Measures
from job_orchestra.repositories.pipeline_runs import PipelineRuns
from job_orchestra.repositories.projects import Projects
from job_orchestra.repositories.pruning import Pruning
from job_orchestra.repositories.removals import Removals
from job_orchestra.repositories.retentions import Retentions
from job_orchestra.repositories.runs import Runs
from job_orchestra.repositories.schedules import Schedules
from job_orchestra.repositories.ticks import Ticks
from job_orchestra.repositories.workers import Workers
from job_orchestra.storage.files import open_log_inventory, open_log_pulse, open_log_store
from job_orchestra.storage.log_port import LogInventory, LogStore
from job_orchestra.storage.port import Storage, StorageAdministration
from job_orchestra.storage.schema_check import require_current
from job_orchestra.storage.transfer.transfer import Transfer


class RecordsComposition(ApplicationComposition):
    @cached_property
    def storage(self) -> Storage:
        """What an action changes that goes into the audit trail, is changed together with its entry there."""
        storage = open_storage(self.settings.database.url, self.settings.directory)
        self.close_with(storage.close)
        return AuditedStorage(storage)

    @cached_property
    def administration(self) -> StorageAdministration:
        """Creates and upgrades the schema."""
        return open_administration(self.settings.database.url, self.settings.directory)

    @cached_property
    def transfer(self) -> Transfer:
        """Exports and imports."""
        return Transfer(self.administration)

    @cached_property
    def check_schema(self) -> Callable[[], Awaitable[None]]:
        """Conflict if the database has another schema than this program's; Unavailable as long as none can be seen."""

        async def check() -> None:
            await asyncio.to_thread(require_current, self.administration)

        return check

    @cached_property
    def log_store(self) -> LogStore:
        log_store = open_log_store(self.settings.storage.directory)
        self.close_with(log_store.close)
        return log_store

    @cached_property
    def log_inventory(self) -> LogInventory:
        """Whatever files there are among the logs."""
        return open_log_inventory(self.settings.storage.directory)

    @cached_property
    def log_disk_watch(self) -> LogDiskWatch:
        """Notices a disk of the logs that hangs."""
        pulse = open_log_pulse(self.settings.storage.directory)
        self.close_with(pulse.close)
        return LogDiskWatch(pulse)

    @cached_property
    def worker_selector(self) -> WorkerSelector:
        return WorkerSelector()

    @cached_property
    def local_times(self) -> LocalTimes:
        """What the five fields of a schedule's expression mean."""
        from job_orchestra.composition.cron_expressions import local_times

        return local_times

    @cached_property
    def accounts(self) -> Accounts:
        return Accounts(self.storage, self.clock)

    @cached_property
    def projects(self) -> Projects:
        return Projects(self.storage, self.clock)

    @cached_property
    def jobs(self) -> Jobs:
        return Jobs(self.storage, self.clock)

    @cached_property
    def schedules(self) -> Schedules:
        return Schedules(self.storage, self.clock)

    @cached_property
    def ticks(self) -> Ticks:
        return Ticks(self.storage)

    @cached_property
    def runs(self) -> Runs:
        return Runs(self.storage, self.clock)

    @cached_property
    def concurrency(self) -> Concurrency:
        """The slots of concurrency groups that are in use."""
        return Concurrency(self.storage)

    @cached_property
    def pipeline_runs(self) -> PipelineRuns:
        return PipelineRuns(self.storage, self.clock)

    @cached_property
    def bound_runs(self) -> BoundRuns:
        return BoundRuns(self.storage, self.clock)

    @cached_property
    def late_reports(self) -> LateReports:
        return LateReports(self.storage, self.clock)

    @cached_property
    def workers(self) -> Workers:
        return Workers(self.storage, self.clock)

    @cached_property
    def audit(self) -> Audit:
        """Who did what, and when."""
        return Audit(self.storage)

    @cached_property
    def known_masters(self) -> KnownMasters:
        return KnownMasters(self.storage, self.clock)

    @cached_property
    def measures(self) -> Measures:
        """How much there is to do, minute by minute."""
        return Measures(self.storage, self.clock)

    @cached_property
    def retentions(self) -> Retentions:
        """How long the runs of each job are kept."""
        settings = self.settings.storage
        default = Retention(
            days=settings.retention_days,
            count=settings.retention_count,
            failure_days=settings.retention_failure_days,
            failure_count=settings.retention_failure_count,
        )
        return Retentions(self.storage, default)

    @cached_property
    def pruning(self) -> Pruning:
        """Removes runs that need not be kept any longer."""
        return Pruning(ExpiredRuns(self.storage, self.clock), Removals(self.storage), self.log_store)

    @cached_property
    def log_check(self) -> LogCheck:
        """Compares the records of runs with the files of their logs."""
        return LogCheck(self.storage, self.log_store, self.log_inventory)
