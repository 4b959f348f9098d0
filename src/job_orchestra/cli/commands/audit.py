from __future__ import annotations

from pathlib import Path

import click

from job_orchestra.cli.connection import service
from job_orchestra.cli.options import Output, output_option, page_options, settings_option
from job_orchestra.cli.output import Column, moment, pairs, print_page
from job_orchestra.client.calls import administration
from job_orchestra.domain.audit import AuditOutcome
from job_orchestra.protocol.resources.administration import AuditEntryAnswer


@click.group()
def audit() -> None:
    """The audit trail: who did what, when, on what, and how it ended."""


@audit.command("list")
@click.option("--user", help="Only what this user did.")
@click.option("--action", help="Only this action, such as run.abort.")
@click.option("--project", help="Only what was done in this project.")
@click.option("--outcome", type=click.Choice(AuditOutcome, case_sensitive=False), help="Only what ended so.")
@click.option("--created-after", help="Only entries of this time or later, such as 2026-11-23T10:00:00Z.")
@click.option("--created-before", help="Only entries from before this time.")
@page_options
@output_option
@settings_option
def list_entries(
    settings_file: Path,
    output: Output,
    user: str | None,
    action: str | None,
    project: str | None,
    outcome: AuditOutcome | None,
    created_after: str | None,
    created_before: str | None,
    limit: int,
    cursor: str | None,
) -> None:
    """Entries, newest first. With several filters a page may be shorter than --limit though there are more."""
    call = administration.audit(
        user=user,
        action=action,
        project=project,
        outcome=None if outcome is None else outcome.value,
        created_after=created_after,
        created_before=created_before,
        limit=limit,
        cursor=cursor,
    )
    columns: list[Column[AuditEntryAnswer]] = [
        Column("date", lambda entry: moment(entry.date)),
        Column("user", lambda entry: f"{entry.user or '?'}{' on the host' if entry.origin == 'host' else ''}"),
        Column("action", lambda entry: entry.action),
        Column("outcome", lambda entry: entry.outcome, lambda outcome: "green" if outcome == "done" else "red"),
        Column("project", lambda entry: entry.project or ""),
        Column("target", lambda entry: pairs(entry.target)),
        Column("details", lambda entry: pairs(entry.details)),
    ]
    print_page(output, service(settings_file).send(call), columns)
