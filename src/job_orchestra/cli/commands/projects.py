from __future__ import annotations

from pathlib import Path

import click

from job_orchestra.cli.connection import service
from job_orchestra.cli.options import Output, output_option, page_options, settings_option
from job_orchestra.cli.output import Column, json_text, print_fields, print_page, yes
from job_orchestra.client.calls import projects
from job_orchestra.protocol.resources import ProjectAnswer


@click.group()
def project() -> None:
    """List and show projects."""


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
