from __future__ import annotations

from datetime import datetime

from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.job_data import schedule_settings_from_data, schedule_settings_to_data
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.schedules import TIMETABLE_FIELDS, Schedule, ScheduleSettings
from job_orchestra.repositories.rows.columns import flag, json_object, moment, optional_moment, text
from job_orchestra.storage.port import Row


def schedule_to_row(project: str, identifier: str, settings: ScheduleSettings, now: datetime) -> Row:
    return {
        "project": project,
        "identifier": identifier,
        "is_enabled": settings.is_enabled_at_first,
        "enabled_at": to_microseconds(now) if settings.is_enabled_at_first else None,
        "timetable_since": to_microseconds(now),
        **schedule_changes(settings, now),
    }


def schedule_changes(settings: ScheduleSettings, now: datetime) -> Row:
    """What the configuration sets, whether the schedule is new or not."""
    return {"settings": schedule_settings_to_data(settings), "is_active": True, "changed_at": to_microseconds(now)}


def timetable_change(known: Row, changes: Row) -> Row:
    """Since when the schedule ticks as it is to do from now on, where that is another date than before."""
    before, after = json_object(known, "settings"), json_object(changes, "settings")
    ticks_already = flag(known, "is_active") and known["timetable_since"] is not None
    if ticks_already and all(before.get(name) == after[name] for name in TIMETABLE_FIELDS):
        return {}
    return {"timetable_since": changes["changed_at"]}


def schedule_from_row(row: Row) -> Schedule:
    """One whose settings cannot be read is none the less one that there is; it has a flaw."""
    flaw = ""
    try:
        settings = schedule_settings_from_data(json_object(row, "settings"))
    except Invalid as error:
        settings, flaw = ScheduleSettings("", ""), f"Its record cannot be read: {error}."
    return Schedule(
        project=text(row, "project"),
        identifier=text(row, "identifier"),
        settings=settings,
        is_active=flag(row, "is_active"),
        is_enabled=flag(row, "is_enabled"),
        changed_at=moment(row, "changed_at"),
        enabled_at=optional_moment(row, "enabled_at"),
        timetable_since=optional_moment(row, "timetable_since"),
        flaw=flaw,
    )
