from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from job_orchestra.domain.job_data import definition_to_data, limits_to_data
from job_orchestra.domain.jobs import Job, ParameterDefinition
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.projects import Project
from job_orchestra.domain.repositories import RepositorySettings
from job_orchestra.domain.repository_data import repository_to_data
from job_orchestra.domain.requirements import describe
from job_orchestra.domain.retention_data import retention_to_data
from job_orchestra.domain.webhook_data import webhook_to_data
from job_orchestra.domain.webhooks import WebhookSettings
from job_orchestra.protocol.resources.projects import (
    JobAnswer,
    ObstacleAnswer,
    ParameterAnswer,
    ProjectAnswer,
    WebhookAnswer,
)
from job_orchestra.service.answers.dates import iso


def project_answer(project: Project, service_url: str) -> ProjectAnswer:
    return ProjectAnswer(
        identifier=project.identifier,
        display_name=project.settings.display_name,
        description=project.settings.description,
        repository=_repository_data(project.settings.repository),
        retention=retention_to_data(project.settings.retention),
        concurrency=dict(project.settings.concurrency),
        is_active=project.is_active,
        webhooks=[_webhook_answer(project.identifier, one, service_url) for one in project.settings.webhooks],
        services=dict(project.settings.services),
    )


def _repository_data(repository: RepositorySettings | None) -> JsonObject | None:
    """Not where its token is."""
    data = repository_to_data(repository)
    return None if data is None else {name: data[name] for name in ("type", "url", "branch")}


def _webhook_answer(project: str, webhook: WebhookSettings, service_url: str) -> WebhookAnswer:
    data = webhook_to_data(webhook)
    return WebhookAnswer(
        identifier=webhook.identifier,
        provider=webhook.provider,
        url=f"{service_url}/projects/{project}/webhooks/{webhook.identifier}",
        triggers=cast("list[JsonObject]", data["triggers"]),
    )


def job_answer(job: Job, workers: Iterable[ObstacleAnswer] = ()) -> JobAnswer:
    settings = job.settings
    return JobAnswer(
        project=job.project,
        identifier=job.identifier,
        display_name=settings.display_name,
        description=settings.description,
        type=settings.definition.type,
        definition=definition_to_data(settings.definition),
        parameters=[_parameter_answer(one) for one in settings.parameters],
        properties=settings.properties,
        workspace=settings.workspace.value,
        limits=limits_to_data(settings.limits),
        on_lost=settings.loss.on_lost.value,
        lost_after=settings.loss.after,
        retries=settings.retry.retries,
        retry_on=[cause.value for cause in settings.retry.on],
        retry_delay=settings.retry.delay,
        priority=settings.priority,
        retention=retention_to_data(settings.retention),
        concurrency=settings.concurrency,
        expiry=settings.expiry,
        is_active=job.is_active,
        is_enabled=job.is_enabled,
        changed_at=iso(job.changed_at),
        requirements=[describe(name, wanted) for name, wanted in sorted(settings.properties.items())],
        preferences=[describe(name, wanted) for name, wanted in sorted(settings.preferences.items())],
        workers=list(workers),
    )


def _parameter_answer(parameter: ParameterDefinition) -> ParameterAnswer:
    return ParameterAnswer(
        identifier=parameter.identifier,
        is_required=parameter.is_required,
        default=parameter.default,
        choices=list(parameter.choices),
        description=parameter.description,
        type=parameter.type,
        pattern=parameter.pattern,
    )
