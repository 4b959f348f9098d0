from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from job_orchestra.cli.connection import service
from job_orchestra.cli.options import Output, output_option, page_options, settings_option
from job_orchestra.cli.output import (
    Column,
    duration,
    json_text,
    moment,
    print_fields,
    print_page,
    status_colour,
    warn,
    yes,
)
from job_orchestra.client.calls import projects
from job_orchestra.protocol.resources.projects import ProjectAnswer
from job_orchestra.protocol.resources.repositories import KnowledgeAnswer, RevisionStatusAnswer


@click.group()
def project() -> None:
    """List and show projects, and their status by revision."""


@project.command("list")
@page_options
@output_option
@settings_option
def list_projects(settings_file: Path, output: Output, limit: int, cursor: str | None) -> None:
    """All projects."""
    client = service(settings_file)
    page = client.send(projects.list_all(limit=limit, cursor=cursor))
    columns: list[Column[ProjectAnswer]] = [
        Column("project", lambda project: project.identifier),
        Column("name", lambda project: project.display_name),
        Column("configured", lambda project: yes(project.is_active)),
        Column("description", lambda project: project.description),
    ]
    print_page(output, page, columns)


@project.command("show")
@click.argument("project")
@output_option
@settings_option
def show_project(settings_file: Path, output: Output, project: str) -> None:
    """One project."""
    client = service(settings_file)
    answer = client.send(projects.get(project))
    fields = [
        ("project", answer.identifier),
        ("name", answer.display_name),
        ("description", answer.description),
        ("repository", "" if answer.repository is None else json_text(answer.repository)),
        ("webhooks", "\n".join(f"{one.identifier} ({one.provider}): {one.url}" for one in answer.webhooks)),
        ("services", "\n".join(f"{name}: {url}" for name, url in answer.services.items())),
        ("configured", yes(answer.is_active)),
    ]
    print_fields(output, answer, fields)


@project.command("status")
@click.argument("project")
@click.option("--branch", help="Whose revisions; default: as the project says, or else its repository.")
@click.option("--limit", type=click.IntRange(1, 50), default=20, show_default=True, help="At most so many revisions.")
@click.option("--cursor", help="Where the page before ended.")
@output_option
@settings_option
def show_status(
    settings_file: Path, output: Output, project: str, branch: str | None, limit: int, cursor: str | None
) -> None:
    """The last revisions of a branch, each with the last run of each job for it."""
    client = service(settings_file)
    answer = client.send(projects.status(project, branch=branch, limit=limit, cursor=cursor))
    if output is Output.TABLE:
        warn(_trouble(answer.knowledge))
    columns: list[Column[RevisionStatusAnswer]] = [
        Column("revision", lambda one: one.revision.identifier[:12]),
        Column("date (UTC)", lambda one: moment(one.revision.date)),
        Column("author", lambda one: one.revision.author[:20]),
        Column("title", lambda one: one.revision.title[:40]),
        *(Column(job, _status_of(job), status_colour) for job in answer.jobs),
    ]
    print_page(output, answer, columns)


def _status_of(job: str) -> Callable[[RevisionStatusAnswer], str]:
    def status(one: RevisionStatusAnswer) -> str:
        return one.jobs[job].last.status if job in one.jobs else ""

    return status


def _trouble(knowledge: KnowledgeAnswer) -> str | None:
    """What keeps the answer from being complete and new."""
    if knowledge.failure is not None:
        known = "nothing is known yet" if knowledge.age is None else f"what is shown is {duration(knowledge.age)} old"
        return f"The repository could not be asked: {knowledge.failure.rstrip('.')}; {known}."
    if knowledge.fetched_at is None:
        return "The repository is being asked; ask again for its revisions." if knowledge.is_fetching else None
    return None
