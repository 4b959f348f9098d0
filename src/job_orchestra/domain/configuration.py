"""The projects of an installation, read from declarations or plain data; every mistake is reported at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

from job_orchestra.domain.checking import Mistakes, Reader, check_duplicates, shown
from job_orchestra.domain.concurrency_data import check_limits, check_pipelines_in_groups
from job_orchestra.domain.cron import standard_expression, time_zone
from job_orchestra.domain.declarations import plain_data
from job_orchestra.domain.identifiers import NAME
from job_orchestra.domain.job_data import (
    PROJECT_FIELDS,
    SCHEDULE_FIELDS,
    SCHEDULE_REQUIRED_FIELDS,
    read_project_settings,
    read_schedule_settings,
)
from job_orchestra.domain.job_reading import read_job
from job_orchestra.domain.jobs import JobSettings
from job_orchestra.domain.parameters import read_parameter_values
from job_orchestra.domain.places import Place
from job_orchestra.domain.projects import ProjectSettings
from job_orchestra.domain.references import JobKey, check_job_exists, check_pipelines, check_webhooks
from job_orchestra.domain.schedules import ScheduleSettings

CheckExpression: TypeAlias = Callable[[str], None]
"""Raises ValueError for five cron fields that mean nothing; the master has a library that knows."""


@dataclass(frozen=True, slots=True)
class ConfiguredJob:
    identifier: str
    settings: JobSettings


@dataclass(frozen=True, slots=True)
class ConfiguredSchedule:
    identifier: str
    settings: ScheduleSettings


@dataclass(frozen=True, slots=True)
class ConfiguredProject:
    identifier: str
    settings: ProjectSettings
    jobs: tuple[ConfiguredJob, ...]
    schedules: tuple[ConfiguredSchedule, ...]


def parse_projects(data: object, check_expression: CheckExpression | None = None) -> tuple[ConfiguredProject, ...]:
    """The projects of a list of declarations (`job_orchestra.Project`) or tables; Invalid with all that is wrong."""
    mistakes = Mistakes()
    readers = Reader(plain_data(data), mistakes, Place().field("projects")).items("a list of projects")
    named = [_named(reader, Place(), "project") for reader in readers]
    projects = tuple(_read_project(reader) for reader in named)
    check_duplicates(zip((project.identifier for project in projects), named, strict=True), "project")
    _check_references(projects, mistakes, check_expression)
    mistakes.raise_if_any()
    return projects


def _read_project(reader: Reader) -> ConfiguredProject:
    table = reader.table(("identifier",), ("jobs", "schedules", *PROJECT_FIELDS), "a project")
    job_readers = [_named(item, reader.place, "job") for item in table.items("jobs", "a list of jobs")]
    jobs = tuple(ConfiguredJob(*read_job(item)) for item in job_readers)
    check_duplicates(zip((job.identifier for job in jobs), job_readers, strict=True), "job")
    schedule_readers = [
        _named(item, reader.place, "schedule") for item in table.items("schedules", "a list of schedules")
    ]
    schedules = tuple(_read_schedule(item) for item in schedule_readers)
    check_duplicates(zip((one.identifier for one in schedules), schedule_readers, strict=True), "schedule")
    identifier = table.read("identifier", Reader.name, "")
    return ConfiguredProject(identifier, read_project_settings(table), jobs, schedules)


def _read_schedule(reader: Reader) -> ConfiguredSchedule:
    table = reader.table(("identifier", *SCHEDULE_REQUIRED_FIELDS), SCHEDULE_FIELDS, "a schedule")
    return ConfiguredSchedule(table.read("identifier", Reader.name, ""), read_schedule_settings(table))


def _named(reader: Reader, parent: Place, kind: str) -> Reader:
    """The reader with the thing's identifier as its place, where it has a proper one."""
    value = reader.value
    identifier = cast("Mapping[object, object]", value).get("identifier") if isinstance(value, Mapping) else None
    if isinstance(identifier, str) and NAME.fullmatch(identifier):
        return reader.at(parent.named(kind, identifier))
    return reader


def _check_references(
    projects: Sequence[ConfiguredProject], mistakes: Mistakes, check_expression: CheckExpression | None
) -> None:
    jobs = {
        (project.identifier, job.identifier): job.settings
        for project in projects
        for job in project.jobs
        if project.identifier and job.identifier
    }
    check_pipelines(jobs, mistakes)
    check_pipelines_in_groups(jobs, mistakes)
    for project in projects:
        check_limits(project.identifier, project.settings.concurrency, jobs, mistakes)
        if project.identifier:
            check_webhooks(project.settings.webhooks, project.identifier, jobs, mistakes)
        for schedule in project.schedules:
            place = Place().named("project", project.identifier).named("schedule", schedule.identifier)
            _check_schedule(schedule.settings, (project.identifier, schedule.settings.job), jobs, place, mistakes)
            _check_times(schedule.settings, place, mistakes, check_expression)


def _check_schedule(
    settings: ScheduleSettings, key: JobKey, jobs: Mapping[JobKey, JobSettings], place: Place, mistakes: Mistakes
) -> None:
    if check_job_exists(jobs, key, place.field("job"), mistakes):
        reader = Reader(settings.parameters, mistakes, place.field("parameters"))
        read_parameter_values(reader, jobs[key].parameters)


def _check_times(
    settings: ScheduleSettings, place: Place, mistakes: Mistakes, check_expression: CheckExpression | None
) -> None:
    try:
        expression = standard_expression(settings.expression) if settings.expression else ""
        if expression and check_expression:
            check_expression(expression)
    except ValueError as error:
        mistakes.add(place.field("expression"), f"{shown(settings.expression)} {error}")
    try:
        time_zone(settings.time_zone)
    except ValueError as error:
        mistakes.add(place.field("time_zone"), f"{shown(settings.time_zone)} {error}")
