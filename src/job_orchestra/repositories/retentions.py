"""How long the runs of each job are kept, by what the configuration and the settings say."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.retention import KEEP_EVERYTHING, Retention, retention_in_force
from job_orchestra.repositories.conditions import find_everything
from job_orchestra.repositories.rows.columns import text
from job_orchestra.repositories.rows.jobs import job_from_row
from job_orchestra.repositories.rows.projects import project_from_row
from job_orchestra.storage.port import Find, Order, Row, Storage
from job_orchestra.storage.schema import JOBS, PROJECTS

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobRetention:
    """A job, configured or not any more, some of whose runs may have to go."""

    project: str
    job: str
    retention: Retention


class Retentions:
    def __init__(self, storage: Storage, default: Retention) -> None:
        """`default` is for projects that say nothing, and for those that are no longer configured."""
        self._storage = storage
        self._default = default

    async def all(self) -> list[JobRetention]:
        """Of every job whose retention lets anything go."""
        projects = await self._of_projects()
        rows = await find_everything(self._storage, Find(JOBS.name, (), (Order("project"), Order("identifier"))))
        found = [self._of_job(row, projects) for row in rows]
        return [one for one in found if one.retention.rules]

    async def _of_projects(self) -> dict[str, Retention]:
        rows = await find_everything(self._storage, Find(PROJECTS.name, (), (Order("identifier"),)))
        return {text(row, "identifier"): self._of_project(row) for row in rows}

    def _of_project(self, row: Row) -> Retention:
        try:
            project = project_from_row(row)
        except (Invalid, ValueError) as error:
            return _unreadable("project", text(row, "identifier"), error)
        return retention_in_force(None, project.settings.retention if project.is_active else None, self._default)

    def _of_job(self, row: Row, projects: dict[str, Retention]) -> JobRetention:
        identifier, project = text(row, "identifier"), text(row, "project")
        try:
            job = job_from_row(row)
        except (Invalid, ValueError) as error:
            return JobRetention(project, identifier, _unreadable("job", f"{project}/{identifier}", error))
        own = job.settings.retention if job.is_active else None
        return JobRetention(project, identifier, retention_in_force(own, projects.get(project), self._default))


def _unreadable(kind: str, identifier: str, error: Exception) -> Retention:
    """Of what this program cannot read (another version's, say): it must not stop all others."""
    _logger.error("No run of %s %s is removed, because its record cannot be read: %s", kind, identifier, error)
    return KEEP_EVERYTHING
