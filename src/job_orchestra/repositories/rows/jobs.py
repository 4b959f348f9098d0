from __future__ import annotations

from datetime import datetime

from job_orchestra.domain.job_data import job_settings_from_data, job_settings_to_data
from job_orchestra.domain.jobs import Job, JobSettings
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.repositories.rows.columns import flag, json_object, moment, text
from job_orchestra.storage.port import Row


def job_to_row(project: str, identifier: str, settings: JobSettings, now: datetime) -> Row:
    return {"project": project, "identifier": identifier, "is_enabled": True, **job_changes(settings, now)}


def job_changes(settings: JobSettings, now: datetime) -> Row:
    """What the configuration sets, whether the job is new or not."""
    return {"settings": job_settings_to_data(settings), "is_active": True, "changed_at": to_microseconds(now)}


def job_from_row(row: Row) -> Job:
    return Job(
        project=text(row, "project"),
        identifier=text(row, "identifier"),
        settings=job_settings_from_data(json_object(row, "settings")),
        is_active=flag(row, "is_active"),
        is_enabled=flag(row, "is_enabled"),
        changed_at=moment(row, "changed_at"),
    )
