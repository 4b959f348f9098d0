from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from job_orchestra.composition.records import RecordsComposition
from job_orchestra.repositories.revision_runs import RevisionRuns
from job_orchestra.repositories.run_search import RunSearch
from job_orchestra.settings.shown import shown_settings

if TYPE_CHECKING:
    from job_orchestra.integrations.revision_control import RevisionControlFactory
    from job_orchestra.service.application import ServiceApplication
    from job_orchestra.service.followers import Followers
    from job_orchestra.service.foresight import Foresight
    from job_orchestra.service.installation import Installation
    from job_orchestra.service.masters import Masters
    from job_orchestra.service.parts import ServiceParts
    from job_orchestra.service.readiness import Readiness
    from job_orchestra.service.repository_watch import RepositoryWatch
    from job_orchestra.service.route import Route
    from job_orchestra.service.transformation import ResultTransformer
    from job_orchestra.service.webhook_secrets import WebhookSecrets


class ServiceComposition(RecordsComposition):
    @cached_property
    def routes(self) -> Sequence[Route]:
        """The route table: method, path, permission, handler."""
        from job_orchestra.service.routes import ROUTES

        return ROUTES

    @cached_property
    def result_transformers(self) -> Sequence[ResultTransformer]:
        """What is made of a run's results each time that they are read, one after the other; what is stored stays."""
        return ()

    @cached_property
    def webhook_secrets(self) -> WebhookSecrets:
        """Where the secrets of webhooks are found that a project names."""
        from job_orchestra.service.webhook_secrets import WebhookSecrets

        return WebhookSecrets(os.environ, self.settings.directory)

    @cached_property
    def revision_control(self) -> Mapping[str, RevisionControlFactory]:
        """What asks the repositories of projects, by their type."""
        from job_orchestra.integrations.revision_controls import REVISION_CONTROLS

        return REVISION_CONTROLS

    @cached_property
    def repository_watch(self) -> RepositoryWatch:
        """What is known of the repositories of projects."""
        from job_orchestra.service.repository_tokens import RepositoryTokens
        from job_orchestra.service.repository_watch import RepositoryWatch

        installation = self.settings.directory
        tokens = RepositoryTokens(os.environ, installation)
        directory = self.settings.service.directory
        return RepositoryWatch(self.revision_control, tokens, self.clock, directory, installation)

    @cached_property
    def revision_runs(self) -> RevisionRuns:
        """Finds the runs of revisions."""
        return RevisionRuns(self.storage)

    @cached_property
    def run_search(self) -> RunSearch:
        """Finds runs by expressions; its budget says what one request may cost."""
        return RunSearch(self.storage)

    @cached_property
    def installation(self) -> Installation:
        """What administrators are shown of it."""
        from job_orchestra.service.installation import Installation, InstallationFacts

        facts = InstallationFacts(self.administration, shown_settings(self.settings))
        return Installation(facts, self.clock.now(), self.log_disk_watch)

    @cached_property
    def followers(self) -> Followers:
        """Who reads logs and waits for runs."""
        from job_orchestra.service.followers import Followers

        return Followers()

    @cached_property
    def masters(self) -> Masters:
        """The control channels to the masters, which tell what happens."""
        from job_orchestra.service.masters import Masters

        return Masters(self.settings.service.master_urls, self.accounts, self.followers)

    @cached_property
    def readiness(self) -> Readiness:
        """Whether the service can answer."""
        from job_orchestra.service.readiness import Readiness

        return Readiness(self.projects, self.accounts, self.log_disk_watch)

    @cached_property
    def foresight(self) -> Foresight:
        """Which workers a run waits for, and why."""
        from job_orchestra.service.foresight import Foresight

        return Foresight(self.workers, self.worker_selector, self.clock)

    @cached_property
    def service_parts(self) -> ServiceParts:
        """What handlers work with."""
        from job_orchestra.service.audit_trail import AuditTrail
        from job_orchestra.service.parts import ServiceParts
        from job_orchestra.service.transformation import Transformation

        return ServiceParts(
            accounts=self.accounts,
            projects=self.projects,
            jobs=self.jobs,
            concurrency=self.concurrency,
            runs=self.runs,
            pipeline_runs=self.pipeline_runs,
            bound_runs=self.bound_runs,
            run_search=self.run_search,
            revision_runs=self.revision_runs,
            late_reports=self.late_reports,
            schedules=self.schedules,
            ticks=self.ticks,
            workers=self.workers,
            log_store=self.log_store,
            local_times=self.local_times,
            selector=self.worker_selector,
            foresight=self.foresight,
            transformation=Transformation(self.result_transformers),
            clock=self.clock,
            masters=self.masters,
            followers=self.followers,
            readiness=self.readiness,
            webhook_secrets=self.webhook_secrets,
            audit=self.audit,
            trail=AuditTrail(self.audit, self.accounts, self.clock),
            known_masters=self.known_masters,
            measures=self.measures,
            installation=self.installation,
            repository_watch=self.repository_watch,
            routes=self.routes,
            url=self.settings.service.url,
        )

    @cached_property
    def application(self) -> ServiceApplication:
        from job_orchestra.service.application import ServiceApplication

        return ServiceApplication(
            address=self.settings.service.address,
            port=self.settings.service.port,
            check_schema=self.check_schema,
            parts=self.service_parts,
            log_disk_watch=self.log_disk_watch,
        )
