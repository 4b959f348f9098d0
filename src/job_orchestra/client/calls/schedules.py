from __future__ import annotations

from job_orchestra.client.call import Call, path, query
from job_orchestra.protocol.resources.answers import Page
from job_orchestra.protocol.resources.projects import ScheduleAnswer, SchedulePreviewAnswer, TickAnswer


def list_all(project: str, *, limit: int | None = None, cursor: str | None = None) -> Call[Page[ScheduleAnswer]]:
    filters = query(limit=limit, cursor=cursor)
    return Call("GET", path("projects", project, "schedules"), Page[ScheduleAnswer], query=filters)


def get(project: str, schedule: str) -> Call[ScheduleAnswer]:
    return Call("GET", path("projects", project, "schedules", schedule), ScheduleAnswer)


def preview(project: str, schedule: str, *, limit: int | None = None) -> Call[SchedulePreviewAnswer]:
    address = path("projects", project, "schedules", schedule, "preview")
    return Call("GET", address, SchedulePreviewAnswer, query=query(limit=limit))


def ticks(
    project: str, schedule: str, *, limit: int | None = None, cursor: str | None = None
) -> Call[Page[TickAnswer]]:
    """Newest first."""
    address = path("projects", project, "schedules", schedule, "ticks")
    return Call("GET", address, Page[TickAnswer], query=query(limit=limit, cursor=cursor))


def enable(project: str, schedule: str) -> Call[ScheduleAnswer]:
    return Call("POST", path("projects", project, "schedules", schedule, "enable"), ScheduleAnswer)


def disable(project: str, schedule: str) -> Call[ScheduleAnswer]:
    return Call("POST", path("projects", project, "schedules", schedule, "disable"), ScheduleAnswer)
