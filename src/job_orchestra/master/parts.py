"""What works in a master, made once and joined; when it works, is the business of `application`."""

from __future__ import annotations

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.placement import WorkerSelector
from job_orchestra.domain.tick_times import LocalTimes
from job_orchestra.master.admission import Admission
from job_orchestra.master.audit_removal import AuditRemoval
from job_orchestra.master.configuration import Configuration, ReadProjects
from job_orchestra.master.delays import Delays
from job_orchestra.master.dispatcher import Dispatcher
from job_orchestra.master.holds import Holds
from job_orchestra.master.intake import Intake
from job_orchestra.master.link_news import LinkNews
from job_orchestra.master.links import WorkerLinks
from job_orchestra.master.losses import Losses
from job_orchestra.master.outage import Outage
from job_orchestra.master.pipeline_starts import PipelineStarts
from job_orchestra.master.pipeline_steps import PipelineSteps
from job_orchestra.master.pipelines import Pipelines
from job_orchestra.master.presence import Presence
from job_orchestra.master.reception import Reception
from job_orchestra.master.records import MasterRecords
from job_orchestra.master.result_keys import ResultKeys
from job_orchestra.master.retention import RetentionRounds
from job_orchestra.master.run_news import RunNews
from job_orchestra.master.sampling import Sampling
from job_orchestra.master.services import ServiceLinks
from job_orchestra.master.ticking import Ticking
from job_orchestra.master.timekeeper import Timekeeper
from job_orchestra.master.wishes import Wishes
from job_orchestra.master.worker_link import LinkParts


class MasterParts:
    def __init__(
        self,
        identifier: str,
        records: MasterRecords,
        read_projects_anew: ReadProjects,
        local_times: LocalTimes,
        selector: WorkerSelector,
        clock: Clock,
        url: str,
        audit_days: int,
    ) -> None:
        self._identifier = identifier
        self._records = records
        self._clock = clock
        self.outage = Outage()
        self.links = WorkerLinks()
        self.services = ServiceLinks()
        self.news = RunNews(self.services)
        self.admission = Admission(records.accounts)
        self.configuration = Configuration(records.projects, read_projects_anew, self.services, self.outage, clock)
        self.dispatcher = self._make_dispatcher(selector)
        self.delays = Delays(records.run_queue, self.dispatcher, self.outage, clock)
        self.wishes = self._make_wishes()
        self.pipelines = Pipelines(records.pipeline_runs, self._make_pipeline_steps(), self.outage, clock)
        self.timekeeper = self._make_timekeeper(local_times)
        self.losses = self._make_losses()
        self.reception = self._make_reception()
        self.holds = Holds(identifier, records.workers, self.links.names, self.outage, clock)
        self.presence = Presence(identifier, url, records.known_masters, self.configuration, self.outage)
        self.sampling = Sampling(records.measures, self.outage, clock)
        self.audit_removal = AuditRemoval(records.audit, audit_days, self.outage, clock)
        self.result_keys = ResultKeys(records.result_index, self.outage)
        self.retention = RetentionRounds(records.retentions, records.pruning, self.outage)
        self.news.listen(self.delays.on_news)
        self.news.listen(self.pipelines.on_news)
        self.news.listen(self.timekeeper.on_news)

    def _make_dispatcher(self, selector: WorkerSelector) -> Dispatcher:
        records = self._records
        return Dispatcher(
            records.run_queue,
            records.jobs,
            records.concurrency,
            self.links,
            selector,
            PipelineStarts(records.run_progress, self.news, self.outage, self._clock),
            self.outage,
            self._clock,
        )

    def _make_wishes(self) -> Wishes:
        records = self._records
        return Wishes(
            records.runs,
            records.bound_runs,
            records.run_queue,
            records.workers,
            self.links,
            self.dispatcher,
            self.news,
            self.outage,
        )

    def _make_pipeline_steps(self) -> PipelineSteps:
        return PipelineSteps(
            pipeline_runs=self._records.pipeline_runs,
            jobs=self._records.jobs,
            progress=self._records.run_progress,
            log_store=self._records.log_store,
            dispatcher=self.dispatcher,
            wishes=self.wishes,
            news=self.news,
            services=self.services,
            outage=self.outage,
            clock=self._clock,
        )

    def _make_timekeeper(self, local_times: LocalTimes) -> Timekeeper:
        records = self._records
        ticking = Ticking(records.ticks, records.jobs, records.runs, local_times, self._clock, self.dispatcher.hint)
        return Timekeeper(records.schedules, records.ticks, ticking, self.outage, self._clock)

    def _make_losses(self) -> Losses:
        return Losses(
            queue=self._records.run_queue,
            progress=self._records.run_progress,
            late_reports=self._records.late_reports,
            workers=self._records.workers,
            log_store=self._records.log_store,
            links=self.links,
            wishes=self.wishes,
            news=self.news,
            outage=self.outage,
            clock=self._clock,
        )

    def _make_reception(self) -> Reception:
        records = self._records
        link_parts = LinkParts(
            Intake(
                records.run_progress,
                records.late_reports,
                records.log_store,
                self.outage,
                self._clock,
                self.wishes.before_end,
            ),
            LinkNews(records, self.dispatcher, self.news, self.services, self.outage),
            self._clock,
            lambda run: self.outage.outlast(lambda: records.run_tokens.create(run)),
        )
        return Reception(
            master=self._identifier,
            workers=records.workers,
            queue=records.run_queue,
            late_reports=records.late_reports,
            log_store=records.log_store,
            links=self.links,
            parts=link_parts,
            dispatcher=self.dispatcher,
            losses=self.losses,
            services=self.services,
            outage=self.outage,
            clock=self._clock,
        )
