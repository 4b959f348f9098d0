from __future__ import annotations

from pathlib import Path

import click

from job_orchestra.cli.host import records_of
from job_orchestra.cli.options import Output, output_option, read_settings, settings_option
from job_orchestra.cli.output import print_json
from job_orchestra.domain.errors import Conflict
from job_orchestra.storage.port import SchemaState, StorageAdministration
from job_orchestra.storage.schema_check import advice, require_current

dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")


@click.group()
def database() -> None:
    """Create, upgrade and inspect the database."""


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
    """Bring the schema up to the version of this program, telling each step; after an interruption, call it again."""
    administration = _administration(settings_file)
    if dry_run and administration.state() is SchemaState.OLDER:
        there, wanted = administration.versions()
        click.echo(f"Schema {there} would become {wanted}.")
        return
    if dry_run:
        require_current(administration)
        click.echo("Nothing would be done.")
        return
    if administration.upgrade(click.echo):
        click.echo(f"The database has schema {administration.versions()[0]} now.")
    else:
        click.echo("Nothing to do: the schema is current.")


@database.command("status")
@output_option
@settings_option
def show_database(settings_file: Path, output: Output) -> None:
    """Which schema the database has, which one this program needs, and what of the server's settings is dangerous."""
    administration = _administration(settings_file)
    state = administration.state()
    there, wanted = administration.versions()
    warnings = list(administration.warnings())
    if output is Output.JSON:
        print_json({"state": state, "version": there, "program_version": wanted, "warnings": warnings})
        return
    click.echo(f"The database {advice(state, there, wanted)}.")
    for warning in warnings:
        click.echo(f"Warning: {warning}")


def _administration(settings_file: Path) -> StorageAdministration:
    return records_of(read_settings(settings_file)).administration
