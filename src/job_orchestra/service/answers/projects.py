from __future__ import annotations

from job_orchestra.domain.job_data import definition_to_data, limits_to_data
from job_orchestra.domain.jobs import Job
from job_orchestra.domain.projects import Project
from job_orchestra.domain.retention_data import retention_to_data
from job_orchestra.protocol.resources import JobAnswer, ParameterAnswer, ProjectAnswer
from job_orchestra.service.answers.dates import iso


def project_answer(project: Project) -> ProjectAnswer:
    return ProjectAnswer(
        identifier=project.identifier,
        display_name=project.settings.display_name,
        description=project.settings.description,
        repository=project.settings.repository,
        retention=retention_to_data(project.settings.retention),
        is_active=project.is_active,
    )


def job_answer(job: Job) -> JobAnswer:
    settings = job.settings
    return JobAnswer(
        project=job.project,
        identifier=job.identifier,
        display_name=settings.display_name,
        description=settings.description,
        type=settings.definition.type,
        definition=definition_to_data(settings.definition),
        parameters=[
            ParameterAnswer(one.identifier, one.is_required, one.default, list(one.choices), one.description)
            for one in settings.parameters
        ],
        properties=settings.properties,
        workspace=settings.workspace.value,
        limits=limits_to_data(settings.limits),
        on_lost=settings.loss.on_lost.value,
        lost_after=settings.loss.after,
        priority=settings.priority,
        retention=retention_to_data(settings.retention),
        is_active=job.is_active,
        is_enabled=job.is_enabled,
        changed_at=iso(job.changed_at),
    )
