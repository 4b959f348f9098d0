from __future__ import annotations

from pathlib import Path

import click

from job_orchestra.cli.connection import service
from job_orchestra.cli.options import Output, output_option, page_options, settings_option
from job_orchestra.cli.output import (
    Column,
    definition_lines,
    duration,
    json_text,
    moment,
    pairs,
    print_fields,
    print_page,
    yes,
)
from job_orchestra.client.calls import jobs
from job_orchestra.protocol.resources.projects import JobAnswer, ParameterAnswer


@click.group()
def job() -> None:
    """List, show, enable and disable jobs."""


@job.command("list")
@click.argument("project")
@page_options
@output_option
@settings_option
def list_jobs(settings_file: Path, output: Output, project: str, limit: int, cursor: str | None) -> None:
    """The jobs of a project."""
    client = service(settings_file)
    page = client.send(jobs.list_all(project, limit=limit, cursor=cursor))
    columns: list[Column[JobAnswer]] = [
        Column("job", lambda job: job.identifier),
        Column("type", lambda job: job.type),
        Column("enabled", lambda job: yes(job.is_enabled)),
        Column("configured", lambda job: yes(job.is_active)),
        Column("parameters", lambda job: ", ".join(map(_parameter, job.parameters))),
        Column("description", lambda job: job.description),
    ]
    print_page(output, page, columns)


@job.command("show")
@click.argument("project")
@click.argument("job")
@output_option
@settings_option
def show_job(settings_file: Path, output: Output, project: str, job: str) -> None:
    """One job, with its definition."""
    client = service(settings_file)
    answer = client.send(jobs.get(project, job))
    _print_job(output, answer)


@job.command("enable")
@click.argument("project")
@click.argument("job")
@output_option
@settings_option
def enable_job(settings_file: Path, output: Output, project: str, job: str) -> None:
    """Let runs of the job start again."""
    client = service(settings_file)
    answer = client.send(jobs.enable(project, job))
    _print_job(output, answer)


@job.command("disable")
@click.argument("project")
@click.argument("job")
@output_option
@settings_option
def disable_job(settings_file: Path, output: Output, project: str, job: str) -> None:
    """Let no run of the job start; what runs goes on, what is triggered waits."""
    client = service(settings_file)
    answer = client.send(jobs.disable(project, job))
    _print_job(output, answer)


def _print_job(output: Output, job: JobAnswer) -> None:
    fields = [
        ("project", job.project),
        ("job", job.identifier),
        ("name", job.display_name),
        ("description", job.description),
        ("enabled", yes(job.is_enabled)),
        ("configured", yes(job.is_active)),
        ("type", job.type),
        ("parameters", "\n".join(map(_parameter, job.parameters))),
        ("needs", "\n".join(job.requirements)),
        ("prefers", "\n".join(job.preferences)),
        ("workers", "\n".join(f"{one.worker}: {'; '.join(one.sentences) or 'fits'}" for one in job.workers)),
        ("workspace", job.workspace),
        ("limits", pairs(job.limits)),
        ("on lost", f"{job.on_lost}, after {duration(job.lost_after)} without the worker"),
        ("retries", _retries(job)),
        ("retention", "" if job.retention is None else pairs(job.retention)),
        ("priority", str(job.priority)),
        ("concurrency", job.concurrency or ""),
        ("expiry", "" if job.expiry is None else duration(job.expiry)),
        ("changed", moment(job.changed_at)),
        ("definition", definition_lines(job.definition)),
    ]
    print_fields(output, job, fields)


def _retries(job: JobAnswer) -> str:
    if not job.retries:
        return ""
    delay = f", {duration(job.retry_delay)} later" if job.retry_delay else ""
    return f"at most {job.retries}{delay}, on {', '.join(job.retry_on)}"


def _parameter(parameter: ParameterAnswer) -> str:
    text = parameter.identifier
    if not parameter.is_required:
        text += f"={json_text(parameter.default)}"
    if parameter.choices:
        text += f" ({' | '.join(map(json_text, parameter.choices))})"
    elif parameter.pattern is not None:
        text += f" ({parameter.pattern})"
    elif parameter.type is not None:
        text += f" ({parameter.type})"
    return text
