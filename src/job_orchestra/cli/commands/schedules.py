from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from job_orchestra.cli.connection import service
from job_orchestra.cli.options import Output, output_option, page_options, settings_option
from job_orchestra.cli.output import (
    Column,
    moment,
    pairs,
    print_fields,
    print_json,
    print_page,
    print_table,
    yes,
)
from job_orchestra.client.calls import schedules
from job_orchestra.domain.cron import time_zone
from job_orchestra.protocol.resources.projects import ScheduleAnswer, TickAnswer


@click.group()
def schedule() -> None:
    """List, show, preview, enable and disable schedules, and list their ticks."""


@schedule.command("list")
@click.argument("project")
@page_options
@output_option
@settings_option
def list_schedules(settings_file: Path, output: Output, project: str, limit: int, cursor: str | None) -> None:
    """The schedules of a project."""
    client = service(settings_file)
    page = client.send(schedules.list_all(project, limit=limit, cursor=cursor))
    columns: list[Column[ScheduleAnswer]] = [
        Column("schedule", lambda schedule: schedule.identifier),
        Column("job", lambda schedule: schedule.job),
        Column("expression", lambda schedule: schedule.expression),
        Column("time zone", lambda schedule: schedule.time_zone),
        Column("state", _state, _state_colour),
        Column("last tick", lambda schedule: _told(schedule.last_tick) if schedule.last_tick else ""),
        Column("next tick", lambda schedule: moment(schedule.next_tick)),
    ]
    print_page(output, page, columns)


@schedule.command("show")
@click.argument("project")
@click.argument("schedule")
@output_option
@settings_option
def show_schedule(settings_file: Path, output: Output, project: str, schedule: str) -> None:
    """One schedule."""
    client = service(settings_file)
    answer = client.send(schedules.get(project, schedule))
    _print_schedule(output, answer)


@schedule.command("preview")
@click.argument("project")
@click.argument("schedule")
@click.option("--count", type=click.IntRange(1, 100), default=10, show_default=True, help="So many ticks.")
@output_option
@settings_option
def preview_schedule(settings_file: Path, output: Output, project: str, schedule: str, count: int) -> None:
    """When the schedule ticks next, enabled or not: in its own time zone and in UTC."""
    client = service(settings_file)
    # First: it says what is wrong with a schedule that cannot tick, its zone included.
    answer = client.send(schedules.preview(project, schedule, limit=count))
    zone = time_zone(client.send(schedules.get(project, schedule)).time_zone)
    columns: list[Column[str]] = [
        Column("local time", lambda tick: f"{datetime.fromisoformat(tick).astimezone(zone):%a %Y-%m-%d %H:%M %Z}"),
        Column("UTC", moment),
    ]
    if output is Output.JSON:
        print_json(answer)
        return
    print_table(answer.ticks, columns)


@schedule.command("ticks")
@click.argument("project")
@click.argument("schedule")
@page_options
@output_option
@settings_option
def list_ticks(
    settings_file: Path, output: Output, project: str, schedule: str, limit: int, cursor: str | None
) -> None:
    """What became of the schedule's ticks, newest first: the run that each made, or why it made none."""
    client = service(settings_file)
    page = client.send(schedules.ticks(project, schedule, limit=limit, cursor=cursor))
    columns: list[Column[TickAnswer]] = [
        Column("due (UTC)", lambda tick: moment(tick.due)),
        Column("state", lambda tick: tick.state),
        Column("run", lambda tick: tick.run or ""),
        Column("reason", lambda tick: tick.detail),
    ]
    print_page(output, page, columns)


@schedule.command("enable")
@click.argument("project")
@click.argument("schedule")
@output_option
@settings_option
def enable_schedule(settings_file: Path, output: Output, project: str, schedule: str) -> None:
    """Let the schedule trigger its job."""
    client = service(settings_file)
    answer = client.send(schedules.enable(project, schedule))
    _print_schedule(output, answer)


@schedule.command("disable")
@click.argument("project")
@click.argument("schedule")
@output_option
@settings_option
def disable_schedule(settings_file: Path, output: Output, project: str, schedule: str) -> None:
    """Let the schedule trigger nothing."""
    client = service(settings_file)
    answer = client.send(schedules.disable(project, schedule))
    _print_schedule(output, answer)


def _state(schedule: ScheduleAnswer) -> str:
    if not schedule.is_active:
        return "not configured"
    if not schedule.is_enabled:
        return "disabled"
    return "enabled" if schedule.flaw is None else "broken"


def _state_colour(state: str) -> str | None:
    return "red" if state == "broken" else None


def _told(tick: TickAnswer) -> str:
    return f"{moment(tick.due)} {tick.state}" + (f", run {tick.run}" if tick.run else f": {tick.detail}")


def _print_schedule(output: Output, schedule: ScheduleAnswer) -> None:
    fields = [
        ("project", schedule.project),
        ("schedule", schedule.identifier),
        ("description", schedule.description),
        ("job", schedule.job),
        ("expression", schedule.expression),
        ("time zone", schedule.time_zone),
        ("missing time", schedule.missing_time or ""),
        ("repeated time", schedule.repeated_time or ""),
        ("catch up", schedule.catch_up),
        ("catch up age", "" if schedule.catch_up_age is None else f"{schedule.catch_up_age:g} s"),
        ("parameters", pairs(schedule.parameters)),
        ("enabled", yes(schedule.is_enabled)),
        ("configured", yes(schedule.is_active)),
        ("broken", schedule.flaw or ""),
        ("last tick", _told(schedule.last_tick) if schedule.last_tick else ""),
        ("next tick", moment(schedule.next_tick)),
    ]
    print_fields(output, schedule, fields)
