from __future__ import annotations

from pathlib import Path

import click

from job_orchestra.cli.host import on_host, records_of
from job_orchestra.cli.options import Output, output_option, read_settings, settings_option
from job_orchestra.cli.output import print_json
from job_orchestra.composition.records import RecordsComposition
from job_orchestra.domain.errors import Conflict
from job_orchestra.storage.port import SchemaState, StorageAdministration

dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")


@click.group()
def database() -> None:
    """Create, upgrade, inspect and prune the database."""


@database.command("create")
@dry_run_option
@settings_option
def create_database(settings_file: Path, dry_run: bool) -> None:
    """Create the schema in an empty database (a file of SQLite is created, too)."""
    administration = _administration(settings_file)
    if not dry_run:
        administration.create()
        click.echo(f"The database is created, with schema {administration.versions()[1]}.")
    elif administration.state() is SchemaState.MISSING:
        click.echo(f"The schema {administration.versions()[1]} would be created.")
    else:
        raise Conflict("There is a schema in this database already.")


@database.command("upgrade")
@dry_run_option
@settings_option
def upgrade_database(settings_file: Path, dry_run: bool) -> None:
    """Bring the schema up to the version of this program."""
    administration = _administration(settings_file)
    if dry_run:
        there, wanted = administration.versions()
        up_to_date = administration.state() is SchemaState.CURRENT
        click.echo("Nothing would be done." if up_to_date else f"Schema {there} would become {wanted}.")
        return
    done = administration.upgrade()
    for migration in done:
        click.echo(migration)
    if not done:
        click.echo("Nothing to do: the schema is current.")


@database.command("status")
@output_option
@settings_option
def show_database(settings_file: Path, output: Output) -> None:
    """Which schema the database has, and which one this program needs."""
    administration = _administration(settings_file)
    state = administration.state()
    there, wanted = administration.versions()
    if output is Output.JSON:
        print_json({"state": state.value, "version": there, "program_version": wanted})
    else:
        advice = {
            SchemaState.MISSING: "there is none; `orchestra database create` creates it",
            SchemaState.OLDER: f"{there}; `orchestra database upgrade` brings it to {wanted}",
            SchemaState.CURRENT: f"{there}, as needed",
            SchemaState.NEWER: f"{there}, newer than this program, which has {wanted}",
        }
        click.echo(f"Schema: {advice[state]}.")


@database.command("prune")
@dry_run_option
@click.option("--project", help="Runs of this project only.")
@click.option("--job", help="Runs of this job of the project only.")
@output_option
@settings_option
def prune_database(settings_file: Path, output: Output, dry_run: bool, project: str | None, job: str | None) -> None:
    """Remove the runs whose retention is over, with their logs. The master does so each hour by itself.

    The retention of projects and jobs is the one that the master read when it started.
    """
    from job_orchestra.cli import pruning

    if job is not None and project is None:
        raise click.UsageError("--job needs --project: jobs of several projects may have one name.")

    async def work(records: RecordsComposition) -> None:
        jobs = await pruning.chosen(records, project, job)
        tallies = await (pruning.foresee(records, jobs) if dry_run else pruning.prune(records, jobs))
        pruning.show(output, tallies, dry_run)

    on_host(settings_file, work)


def _administration(settings_file: Path) -> StorageAdministration:
    return records_of(read_settings(settings_file)).administration
