from __future__ import annotations

from pathlib import Path

import click

from job_orchestra.cli.connection import service
from job_orchestra.cli.options import Output, output_option, page_options, settings_option
from job_orchestra.cli.output import Column, pairs, print_fields, print_page, yes
from job_orchestra.client.calls import schedules
from job_orchestra.protocol.resources import ScheduleAnswer


@click.group()
def schedule() -> None:
    """List, show, enable and disable schedules."""


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
        Column("enabled", lambda schedule: yes(schedule.is_enabled)),
        Column("configured", lambda schedule: yes(schedule.is_active)),
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


def _print_schedule(output: Output, schedule: ScheduleAnswer) -> None:
    fields = [
        ("project", schedule.project),
        ("schedule", schedule.identifier),
        ("description", schedule.description),
        ("job", schedule.job),
        ("expression", schedule.expression),
        ("time zone", schedule.time_zone),
        ("parameters", pairs(schedule.parameters)),
        ("enabled", yes(schedule.is_enabled)),
        ("configured", yes(schedule.is_active)),
    ]
    print_fields(output, schedule, fields)
