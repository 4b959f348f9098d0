from __future__ import annotations

from pathlib import Path

import click

from job_orchestra.cli.connection import service
from job_orchestra.cli.exit_codes import ENDINGS
from job_orchestra.cli.options import Output, output_option, settings_option
from job_orchestra.cli.output import print_json, warn
from job_orchestra.client.calls import jobs


@click.command()
@click.argument("project")
@click.argument("job")
@click.option(
    "-p",
    "--parameter",
    "given",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter. Text, or JSON where the parameter's default is no text; KEY:=JSON is JSON in any case.",
)
@click.option("--key", help="A repeated trigger with the same key answers with the same run.")
@click.option("--priority", type=int, help="Instead of the job's; a higher one goes first.")
@click.option(
    "--abort-with-run", is_flag=True, help="Inside a run, with its token: if that run is aborted, so is the new one."
)
@click.option("--follow", "should_follow", is_flag=True, help="Show the log as it comes, and exit as the run ended.")
@click.option(
    "--wait", "should_wait", is_flag=True, help="Exit as the run ended, once it has; with --output json, print it then."
)
@output_option
@settings_option
@click.pass_context
def trigger(
    ctx: click.Context,
    settings_file: Path,
    output: Output,
    project: str,
    job: str,
    given: tuple[str, ...],
    key: str | None,
    priority: int | None,
    abort_with_run: bool,
    should_follow: bool,
    should_wait: bool,
) -> None:
    """Trigger a job and print the identifier of its run.

    With --follow the run's log follows, and the exit code tells how it ended: 0 succeeded, 1 failed, 2 aborted or
    cancelled, 3 exception. Errors of the command itself have other codes, 64 for wrong usage or input. Inside a run
    whose job has a token, the new run has that one as its source.
    """
    client = service(settings_file)
    parameters = {}
    if given:
        from job_orchestra.cli.parameters import parse_parameters

        parameters = parse_parameters(given, client.send(jobs.get(project, job)).parameters)
    run = client.send(
        jobs.trigger(project, job, parameters, priority=priority, abort_with_run=abort_with_run, idempotency_key=key)
    )
    if output is Output.JSON and not (should_follow or should_wait):
        print_json(run)
    elif output is not Output.JSON or should_follow:
        click.echo(run.identifier)
    warn(run.warning)
    if should_wait and not should_follow:
        from job_orchestra.cli.following import wait

        ended = wait(client, project, run.identifier)
        if output is Output.JSON:
            print_json(ended)
        ctx.exit(ENDINGS[ended.status])
    if should_follow:
        from job_orchestra.cli.following import follow

        ctx.exit(follow(client, project, run.identifier, run.attempt))
