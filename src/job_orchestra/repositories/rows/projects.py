from __future__ import annotations

from datetime import datetime

from job_orchestra.domain.job_data import project_settings_from_data, project_settings_to_data
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.projects import Project, ProjectSettings
from job_orchestra.repositories.rows.columns import flag, json_object, moment, text
from job_orchestra.storage.port import Row


def project_to_row(identifier: str, settings: ProjectSettings, now: datetime) -> Row:
    return {"identifier": identifier, **project_changes(settings, now)}


def project_changes(settings: ProjectSettings, now: datetime) -> Row:
    """What the configuration sets, whether the project is new or not."""
    return {"settings": project_settings_to_data(settings), "is_active": True, "changed_at": to_microseconds(now)}


def project_from_row(row: Row) -> Project:
    return Project(
        identifier=text(row, "identifier"),
        settings=project_settings_from_data(json_object(row, "settings")),
        is_active=flag(row, "is_active"),
        changed_at=moment(row, "changed_at"),
    )
