from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from job_orchestra.composition.records import RecordsComposition

if TYPE_CHECKING:
    from job_orchestra.service.application import ServiceApplication
    from job_orchestra.service.route import Route


class ServiceComposition(RecordsComposition):
    @cached_property
    def routes(self) -> Sequence[Route]:
        """The route table: method, path, permission, handler."""
        from job_orchestra.service.routes import ROUTES

        return ROUTES

    @cached_property
    def application(self) -> ServiceApplication:
        from job_orchestra.service.application import ServiceApplication

        return ServiceApplication(
            address=self.settings.service.address,
            port=self.settings.service.port,
            url=self.settings.service.url,
            check_schema=self.check_schema,
            accounts=self.accounts,
            projects=self.projects,
            jobs=self.jobs,
            runs=self.runs,
            late_reports=self.late_reports,
            workers=self.workers,
            schedules=self.schedules,
            log_store=self.log_store,
            selector=self.worker_selector,
            master_urls=self.settings.service.master_urls,
            clock=self.clock,
            routes=self.routes,
        )
