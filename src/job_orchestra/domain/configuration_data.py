"""A whole configuration as JSON, from one process to another; both ways without loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from job_orchestra.domain.checking import Reader, read_all
from job_orchestra.domain.configuration import ConfiguredJob, ConfiguredProject, ConfiguredSchedule
from job_orchestra.domain.job_data import (
    job_settings_from_data,
    job_settings_to_data,
    project_settings_from_data,
    project_settings_to_data,
    schedule_settings_from_data,
    schedule_settings_to_data,
)
from job_orchestra.domain.json import JsonValue

Settings = TypeVar("Settings")


def configuration_to_data(projects: Sequence[ConfiguredProject]) -> JsonValue:
    return [
        {
            "identifier": project.identifier,
            "settings": project_settings_to_data(project.settings),
            "jobs": [
                {"identifier": job.identifier, "settings": job_settings_to_data(job.settings)} for job in project.jobs
            ],
            "schedules": [
                {"identifier": schedule.identifier, "settings": schedule_settings_to_data(schedule.settings)}
                for schedule in project.schedules
            ],
        }
        for project in projects
    ]


def configuration_from_data(data: object) -> tuple[ConfiguredProject, ...]:
    """Invalid with every mistake; whether what is named exists is not looked at again."""
    return read_all(data, lambda reader: tuple(_project(item) for item in reader.items()))


def _project(reader: Reader) -> ConfiguredProject:
    table = reader.table(("identifier", "settings", "jobs", "schedules"))
    return ConfiguredProject(
        identifier=table.read("identifier", Reader.name, ""),
        settings=project_settings_from_data(table.read("settings", Reader.json, None)),
        jobs=tuple(ConfiguredJob(*_named(item, job_settings_from_data)) for item in table.items("jobs")),
        schedules=tuple(
            ConfiguredSchedule(*_named(item, schedule_settings_from_data)) for item in table.items("schedules")
        ),
    )


def _named(reader: Reader, settings_from_data: Callable[[object], Settings]) -> tuple[str, Settings]:
    table = reader.table(("identifier", "settings"))
    return table.read("identifier", Reader.name, ""), settings_from_data(table.read("settings", Reader.json, None))
