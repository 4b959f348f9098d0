"""What is configured and requested, as the JSON that is stored and sent.

`*_from_data` raise Invalid with every mistake. Both ways without loss.
The parts that a projects file writes in the same form are in `definition_data`.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import TypedDict, cast

from job_orchestra.domain.checking import Reader, Table, read_all
from job_orchestra.domain.concurrency_data import read_concurrency, read_concurrency_limits
from job_orchestra.domain.definition_data import (
    LIMITS_FIELDS,
    LOSS_FIELDS,
    definition_to_data,
    limits_to_data,
    loss_to_data,
    parameter_to_data,
    read_definition,
    read_limits,
    read_loss,
    read_parameters,
)
from job_orchestra.domain.definitions import CommandsDefinition, Definition, Workspace
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.jobs import JobSettings, LossPolicy, RunLimits
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.links import read_services
from job_orchestra.domain.projects import ProjectSettings
from job_orchestra.domain.repositories import RepositorySettings
from job_orchestra.domain.repository_data import read_repository, read_stored_repository, repository_to_data
from job_orchestra.domain.retention_data import read_retention, retention_to_data
from job_orchestra.domain.retries import RetryPolicy
from job_orchestra.domain.retry_data import RETRY_FIELDS, read_retry, retry_to_data
from job_orchestra.domain.runs import KeptRun, RunRequest
from job_orchestra.domain.schedules import CatchUp, MissingTime, RepeatedTime, ScheduleSettings
from job_orchestra.domain.webhook_data import read_webhooks, webhook_to_data

__all__ = [
    "definition_from_data",
    "definition_to_data",
    "job_settings_from_data",
    "job_settings_to_data",
    "limits_from_data",
    "limits_to_data",
    "project_settings_from_data",
    "project_settings_to_data",
    "run_request_from_data",
    "run_request_to_data",
    "schedule_settings_from_data",
    "schedule_settings_to_data",
]

_PRIORITIES = (-1000, 1000)
_LEAST_EXPIRY = 1.0
_OWN_FIELDS = ("parameters", "part", "abort_with_run", "kept")
_MOST_REMEMBERED = 16 << 10
"""Bytes; who executes larger definitions has other things to wait for."""
_NO_DEFINITION = CommandsDefinition(())
"""In place of one that cannot be read; what holds it is refused."""


def definition_from_data(data: object) -> Definition:
    return read_all(data, read_definition)


def limits_from_data(data: object) -> RunLimits:
    return read_all(data, _limits)


def job_settings_to_data(settings: JobSettings) -> JsonObject:
    return {
        "definition": definition_to_data(settings.definition),
        "display_name": settings.display_name,
        "description": settings.description,
        "parameters": [parameter_to_data(parameter) for parameter in settings.parameters],
        "properties": settings.properties,
        "preferences": settings.preferences,
        "workspace": settings.workspace.value,
        "limits": limits_to_data(settings.limits),
        "loss": loss_to_data(settings.loss),
        "retry": retry_to_data(settings.retry),
        "priority": settings.priority,
        "concurrency": settings.concurrency,
        "expiry": settings.expiry,
        "retention": retention_to_data(settings.retention),
        "token": settings.token,
    }


def job_settings_from_data(data: object) -> JobSettings:
    return read_all(data, _job_settings)


def project_settings_to_data(settings: ProjectSettings) -> JsonObject:
    return {
        "display_name": settings.display_name,
        "description": settings.description,
        "repository": repository_to_data(settings.repository),
        "retention": retention_to_data(settings.retention),
        "concurrency": dict(settings.concurrency),
        "webhooks": [webhook_to_data(webhook) for webhook in settings.webhooks],
        "services": dict(settings.services),
    }


def project_settings_from_data(data: object) -> ProjectSettings:
    return read_all(data, _project_settings)


def schedule_settings_to_data(settings: ScheduleSettings) -> JsonObject:
    return {
        "job": settings.job,
        "expression": settings.expression,
        "time_zone": settings.time_zone,
        "missing_time": settings.missing_time and settings.missing_time.value,
        "repeated_time": settings.repeated_time and settings.repeated_time.value,
        "catch_up": settings.catch_up.value,
        "catch_up_age": settings.catch_up_age,
        "parameters": settings.parameters,
        "description": settings.description,
        "is_enabled_at_first": settings.is_enabled_at_first,
    }


def schedule_settings_from_data(data: object) -> ScheduleSettings:
    return read_all(data, _schedule_settings)


def run_request_to_data(request: RunRequest) -> JsonObject:
    return {
        "project": request.project,
        "job": request.job,
        "definition": definition_to_data(request.definition),
        "parameters": request.parameters,
        "properties": request.properties,
        "preferences": request.preferences,
        "workspace": request.workspace.value,
        "limits": limits_to_data(request.limits),
        "loss": loss_to_data(request.loss),
        "retry": retry_to_data(request.retry),
        "priority": request.priority,
        "concurrency": request.concurrency,
        "expiry": request.expiry,
        "token": request.token,
        "part": request.part,
        "abort_with_run": request.abort_with_run,
        "kept": [{"part": kept.part, "run": kept.run} for kept in request.kept],
    }


def run_request_from_data(data: object) -> RunRequest:
    """What the runs of a job have in common is read once: lists and queues are full of it."""
    if not isinstance(data, dict):
        return read_all(data, _run_request)
    fields = cast("JsonObject", data)
    own = {name: fields[name] for name in _OWN_FIELDS if name in fields}
    common = marshal.dumps({name: value for name, value in fields.items() if name not in own}, 2)
    if len(common) <= _MOST_REMEMBERED:
        # Where something is wrong, it is told together.
        with suppress(Invalid):
            return replace(_common_request(common), **read_all(own, _own_fields))
    return read_all(fields, _run_request)


@lru_cache(maxsize=1000)
def _common_request(data: bytes) -> RunRequest:
    return read_all(marshal.loads(data), _run_request)  # noqa: S302 - made by us


PROJECT_FIELDS = ("display_name", "description", "repository", "retention", "concurrency", "webhooks", "services")
SCHEDULE_REQUIRED_FIELDS = ("job", "expression")
SCHEDULE_FIELDS = (
    "time_zone", "missing_time", "repeated_time", "catch_up", "catch_up_age",
    "parameters", "description", "is_enabled_at_first",
)  # fmt: skip


def read_project_settings(
    table: Table, read_repository: Callable[[Reader], RepositorySettings | None] = read_repository
) -> ProjectSettings:
    return ProjectSettings(
        display_name=table.read("display_name", Reader.text, ""),
        description=table.read("description", Reader.text, ""),
        repository=table.read("repository", read_repository, None),
        retention=table.read("retention", read_retention, None),
        concurrency=table.read("concurrency", read_concurrency_limits, {}),
        webhooks=table.read("webhooks", read_webhooks, ()),
        services=table.read("services", read_services, {}),
    )


def read_schedule_settings(table: Table) -> ScheduleSettings:
    return ScheduleSettings(
        job=table.read("job", Reader.name, ""),
        expression=table.read("expression", _expression, ""),
        time_zone=table.read("time_zone", _time_zone, "UTC"),
        missing_time=table.read("missing_time", _missing_time, None),
        repeated_time=table.read("repeated_time", _repeated_time, None),
        catch_up=table.read("catch_up", _catch_up, CatchUp.LATEST),
        catch_up_age=table.read("catch_up_age", _catch_up_age, None),
        parameters=table.read("parameters", Reader.json_object, {}),
        description=table.read("description", Reader.text, ""),
        is_enabled_at_first=table.read("is_enabled_at_first", Reader.flag, False),
    )


def _time_zone(reader: Reader) -> str:
    """UTC for what is no text, which is told already."""
    return reader.text() or ("" if reader.value == "" else "UTC")


def _missing_time(reader: Reader) -> MissingTime | None:
    return None if reader.value is None else reader.choice(MissingTime)


def _repeated_time(reader: Reader) -> RepeatedTime | None:
    return None if reader.value is None else reader.choice(RepeatedTime)


def _catch_up(reader: Reader) -> CatchUp:
    return reader.choice(CatchUp)


def _catch_up_age(reader: Reader) -> float | None:
    return None if reader.value is None else reader.seconds()


def read_priority(reader: Reader) -> int:
    return reader.integer(*_PRIORITIES)


def read_expiry(reader: Reader) -> float | None:
    return None if reader.value is None else reader.seconds(_LEAST_EXPIRY)


def read_workspace(reader: Reader) -> Workspace:
    return reader.choice(Workspace)


def _expression(reader: Reader) -> str:
    text = reader.text()
    if reader.value == "":
        reader.wrong("is empty")
    return text


def _limits(reader: Reader) -> RunLimits:
    return read_limits(reader.table((), LIMITS_FIELDS))


def _loss(reader: Reader) -> LossPolicy:
    return read_loss(reader.table((), LOSS_FIELDS))


def _retry(reader: Reader) -> RetryPolicy:
    return read_retry(reader.table((), RETRY_FIELDS))


def _definition(table: Table) -> Definition:
    field = table.field("definition")
    return read_definition(field) if field else _NO_DEFINITION


_JOB_FIELDS = (
    "display_name",
    "description",
    "parameters",
    "properties",
    "preferences",
    "workspace",
    "limits",
    "loss",
    "retry",
    "priority",
    "concurrency",
    "expiry",
    "retention",
    "token",
)


def _job_settings(reader: Reader) -> JobSettings:
    table = reader.table(("definition",), _JOB_FIELDS)
    return JobSettings(
        definition=_definition(table),
        display_name=table.read("display_name", Reader.text, ""),
        description=table.read("description", Reader.text, ""),
        parameters=table.read("parameters", read_parameters, ()),
        properties=table.read("properties", Reader.json_object, {}),
        preferences=table.read("preferences", Reader.json_object, {}),
        workspace=table.read("workspace", read_workspace, Workspace.JOB),
        limits=table.read("limits", _limits, RunLimits()),
        loss=table.read("loss", _loss, LossPolicy()),
        retry=table.read("retry", _retry, RetryPolicy()),
        priority=table.read("priority", read_priority, 0),
        concurrency=table.read("concurrency", read_concurrency, None),
        expiry=table.read("expiry", read_expiry, None),
        retention=table.read("retention", read_retention, None),
        token=table.read("token", Reader.flag, False),
    )


def _project_settings(reader: Reader) -> ProjectSettings:
    return read_project_settings(reader.table((), PROJECT_FIELDS), read_stored_repository)


def _schedule_settings(reader: Reader) -> ScheduleSettings:
    return read_schedule_settings(reader.table(SCHEDULE_REQUIRED_FIELDS, SCHEDULE_FIELDS))


def _run_request(reader: Reader) -> RunRequest:
    optional = (
        "parameters", "properties", "preferences", "workspace", "limits", "loss", "retry", "priority", "concurrency",
        "expiry", "token", "part", "abort_with_run", "kept",
    )  # fmt: skip
    table = reader.table(("project", "job", "definition"), optional)
    return RunRequest(
        project=table.read("project", Reader.name, ""),
        job=table.read("job", Reader.name, ""),
        definition=_definition(table),
        properties=table.read("properties", Reader.json_object, {}),
        preferences=table.read("preferences", Reader.json_object, {}),
        workspace=table.read("workspace", read_workspace, Workspace.JOB),
        limits=table.read("limits", _limits, RunLimits()),
        loss=table.read("loss", _loss, LossPolicy()),
        retry=table.read("retry", _retry, RetryPolicy()),
        priority=table.read("priority", read_priority, 0),
        concurrency=table.read("concurrency", read_concurrency, None),
        expiry=table.read("expiry", read_expiry, None),
        token=table.read("token", Reader.flag, False),
        **_own_fields_of(table),
    )


class _OwnFields(TypedDict):
    """Of a run, and not of its job."""

    parameters: JsonObject
    part: str
    abort_with_run: bool
    kept: tuple[KeptRun, ...]


def _own_fields(reader: Reader) -> _OwnFields:
    return _own_fields_of(reader.table((), _OWN_FIELDS))


def _own_fields_of(table: Table) -> _OwnFields:
    return {
        "parameters": table.read("parameters", Reader.json_object, {}),
        "part": table.read("part", Reader.text, ""),
        "abort_with_run": table.read("abort_with_run", Reader.flag, False),
        "kept": tuple(_kept(item) for item in table.items("kept")),
    }


def _kept(reader: Reader) -> KeptRun:
    table = reader.table(("part", "run"))
    return KeptRun(table.read("part", Reader.text, ""), table.read("run", Reader.text, ""))
