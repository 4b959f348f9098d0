from __future__ import annotations

import sys
from pathlib import Path

import click

from job_orchestra.cli.exit_codes import ExitCode
from job_orchestra.cli.host import on_host, records_of
from job_orchestra.cli.options import Output, output_option, read_settings, settings_option
from job_orchestra.cli.output import print_json
from job_orchestra.cli.transfer_output import ProgressLine, tell_exported, tell_imported, tell_left_incomplete
from job_orchestra.composition.records import RecordsComposition
from job_orchestra.domain.errors import Conflict, Invalid
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.storage.port import SchemaState, StorageAdministration
from job_orchestra.storage.schema_check import advice, require_current

dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")


@click.group()
def database() -> None:
    """Create, upgrade, inspect, check and prune the database; move all that is in it to another one."""


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
    if done := administration.upgrade(click.echo):
        _note(settings_file, "database.upgrade", migrations=[*done])
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

    if dry_run:
        on_host(settings_file, work)
    else:
        of: JsonObject = (
            {} if project is None else {"project": project} if job is None else {"project": project, "job": job}
        )
        on_host(settings_file, work, "database.prune", of)


@database.command("check")
@click.option("--thorough", is_flag=True, help="Read every log to its end, and compare its SHA-256, too.")
@click.option(
    "--remove-unneeded", is_flag=True, help="Remove logs that no run has, and what interrupted compressions left."
)
@output_option
@settings_option
@click.pass_context
def check_database(
    ctx: click.Context, settings_file: Path, output: Output, thorough: bool, remove_unneeded: bool
) -> None:
    """Compare what is recorded of the logs of runs with their files, while the installation works or not.

    Told are logs that are missing, shorter or longer than recorded, compressed files that cannot be read, logs that no
    run has, what interrupted compressions left, and files that are no logs. The exit code is 1 if any of that is left.
    """
    from job_orchestra.cli.log_checking import check

    tally = on_host(
        settings_file, lambda records: check(records, output, is_thorough=thorough, is_removing=remove_unneeded)
    )
    if tally.left:
        ctx.exit(ExitCode.FAILED)


@database.command("export")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@output_option
@settings_option
def export_database(file: Path, settings_file: Path, overwrite: bool, output: Output) -> None:
    """Write all that is in the database to FILE (- is standard output), for `import` into any other.

    All of it is of one moment, also while runs go on, but a single node of MongoDB has to rest meanwhile. Sessions are
    left out. The logs of runs are not in it: they are files, below the directory that the settings name in [storage];
    copy that, too.
    """
    records = records_of(read_settings(settings_file))
    is_stream = str(file) == "-"
    if is_stream and output is Output.JSON:
        raise click.UsageError("--output json is for exports to a file: standard output has the export itself.")
    with ProgressLine() as line:
        if is_stream:
            manifest = records.transfer.export_to(sys.stdout.buffer, line.show)
        else:
            manifest = records.transfer.export_file(file, line.show, overwrite=overwrite)
    tell_exported(output, None if is_stream else file, manifest, records.settings.storage.directory)


@database.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@dry_run_option
@output_option
@settings_option
def import_database(file: Path, settings_file: Path, dry_run: bool, output: Output) -> None:
    """Fill an empty database with an export; it is created if there is none.

    First the whole FILE is verified. An import that does not come to its end leaves a database on which no application
    works; the next one starts over. The logs of runs are not in an export: copy their directory, too.
    """
    if str(file) == "-":
        raise Invalid.at("-", "is standard input, and an import reads its file twice; write it to one first")
    records = records_of(read_settings(settings_file))
    with ProgressLine() as line:
        try:
            manifest = records.transfer.import_file(file, line.show, dry_run=dry_run)
        except BaseException:
            tell_left_incomplete(line.step)
            raise
    tell_imported(output, file, manifest, records.settings.storage.directory, dry_run=dry_run)


def _note(settings_file: Path, action: str, **details: JsonValue) -> None:
    """In the audit trail, of what is done. Not of what leaves an empty database, or exactly what an export has."""

    async def nothing_more(_: RecordsComposition) -> None:
        pass

    on_host(settings_file, nothing_more, action, None, **details)


def _administration(settings_file: Path) -> StorageAdministration:
    return records_of(read_settings(settings_file)).administration
