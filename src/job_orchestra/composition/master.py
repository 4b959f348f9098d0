from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from job_orchestra.composition.projects import load_projects
from job_orchestra.composition.records import RecordsComposition
from job_orchestra.domain.configuration import ConfiguredProject
from job_orchestra.repositories.log_compression import LogCompression
from job_orchestra.repositories.result_index import ResultIndex
from job_orchestra.repositories.revision_runs import REVISION_KEY
from job_orchestra.repositories.run_progress import RunProgress
from job_orchestra.repositories.run_queue import RunQueue
from job_orchestra.repositories.run_tokens import RunTokens

if TYPE_CHECKING:
    from job_orchestra.master.application import MasterApplication
    from job_orchestra.protocol.connection import FrameServer


class MasterComposition(RecordsComposition):
    @cached_property
    def load_projects(self) -> Callable[[], Sequence[ConfiguredProject]]:
        """The configured projects, read and checked anew at each call; Invalid with every mistake."""
        return lambda: load_projects(self.settings.projects.module, self.settings.directory)

    @cached_property
    def read_projects_anew(self) -> Callable[[], Awaitable[Sequence[ConfiguredProject]]]:
        """The same for a master that is running: in a process of its own, which imports everything afresh."""
        from job_orchestra.composition.configuration_process import read_projects_anew

        return lambda: read_projects_anew(self.settings.file)

    @cached_property
    def requests(self) -> Mapping[signal.Signals, Callable[[], None]]:
        return {signal.SIGHUP: lambda: self.application.apply_configuration()}

    @cached_property
    def run_queue(self) -> RunQueue:
        return RunQueue(self.storage, self.clock)

    @cached_property
    def run_progress(self) -> RunProgress:
        return RunProgress(self.storage, self.clock, self.result_index)

    @cached_property
    def result_index(self) -> ResultIndex:
        """Of the results by which runs are often sought."""
        return ResultIndex(self.storage, self.clock, (*self.settings.storage.indexed_results, REVISION_KEY))

    @cached_property
    def log_compression(self) -> LogCompression | None:
        """Compresses the logs of ended runs; None leaves them as they are."""
        return LogCompression(self.storage, self.log_store, self.clock) if self.settings.storage.compress_logs else None

    @cached_property
    def frame_server(self) -> type[FrameServer]:
        """What listens for workers and services."""
        from job_orchestra.protocol.connection import FrameServer

        return FrameServer

    @cached_property
    def application(self) -> MasterApplication:
        from job_orchestra.master.application import MasterApplication
        from job_orchestra.master.records import MasterRecords

        return MasterApplication(
            identifier=self.settings.master.identifier,
            address=self.settings.master.address,
            port=self.settings.master.port,
            pending_expiry=self.settings.master.pending_expiry,
            load_projects=self.load_projects,
            read_projects_anew=self.read_projects_anew,
            check_schema=self.check_schema,
            records=MasterRecords(
                accounts=self.accounts,
                projects=self.projects,
                jobs=self.jobs,
                concurrency=self.concurrency,
                schedules=self.schedules,
                ticks=self.ticks,
                runs=self.runs,
                run_queue=self.run_queue,
                pipeline_runs=self.pipeline_runs,
                bound_runs=self.bound_runs,
                run_progress=self.run_progress,
                result_index=self.result_index,
                late_reports=self.late_reports,
                run_tokens=RunTokens(self.storage, self.clock),
                workers=self.workers,
                retentions=self.retentions,
                pruning=self.pruning,
                log_store=self.log_store,
                audit=self.audit,
                known_masters=self.known_masters,
                measures=self.measures,
            ),
            local_times=self.local_times,
            log_disk_watch=self.log_disk_watch,
            selector=self.worker_selector,
            clock=self.clock,
            url=self.settings.master.url,
            audit_days=self.settings.storage.audit_days,
            log_compression=self.log_compression,
            frame_server=self.frame_server,
        )
