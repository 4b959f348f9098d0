from __future__ import annotations

from datetime import datetime

from job_orchestra.domain.job_data import schedule_settings_from_data, schedule_settings_to_data
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.schedules import Schedule, ScheduleSettings
from job_orchestra.repositories.rows.columns import flag, json_object, moment, text
from job_orchestra.storage.port import Row


def schedule_to_row(project: str, identifier: str, settings: ScheduleSettings, now: datetime) -> Row:
    return {
        "project": project,
        "identifier": identifier,
        "is_enabled": settings.is_enabled_at_first,
        **schedule_changes(settings, now),
    }


def schedule_changes(settings: ScheduleSettings, now: datetime) -> Row:
    """What the configuration sets, whether the schedule is new or not."""
    return {"settings": schedule_settings_to_data(settings), "is_active": True, "changed_at": to_microseconds(now)}


def schedule_from_row(row: Row) -> Schedule:
    return Schedule(
        project=text(row, "project"),
        identifier=text(row, "identifier"),
        settings=schedule_settings_from_data(json_object(row, "settings")),
        is_active=flag(row, "is_active"),
        is_enabled=flag(row, "is_enabled"),
        changed_at=moment(row, "changed_at"),
    )
