"""What `orchestra database prune` does: removes the runs whose retention is over, or tells which they are."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Sequence

import click

from job_orchestra.cli.options import Output
from job_orchestra.cli.output import Column, iso, moment, print_json, print_table
from job_orchestra.composition.records import RecordsComposition
from job_orchestra.domain.identifiers import run_identifier_date
from job_orchestra.repositories.pruning import Tally, gently
from job_orchestra.repositories.retentions import JobRetention


async def foresee(records: RecordsComposition, jobs: Sequence[JobRetention]) -> list[Tally]:
    """What would go of these jobs now; nothing is changed."""
    return [tally for job in jobs if (tally := await _last(job, records.pruning.foresee(job))).runs]


async def prune(records: RecordsComposition, jobs: Sequence[JobRetention]) -> list[Tally]:
    """What is gone of these jobs now; on a terminal it shows how far it is."""
    finished = 0
    async for runs in gently(records.pruning.finish_interrupted()):
        finished = runs
    if finished:
        click.echo(f"The removal of {_runs(finished)}, which had been interrupted, is finished.", err=True)
    return [tally for job in jobs if (tally := await _last(job, gently(records.pruning.prune(job)), True)).runs]


async def chosen(records: RecordsComposition, project: str | None, job: str | None) -> list[JobRetention]:
    """The jobs that are asked for, as far as their retention lets anything go; NotFound if there is no such."""
    if project is not None:
        await records.projects.get(project)
        if job is not None:
            await records.jobs.get(project, job)
    found = await records.retentions.all()
    return [one for one in found if project in {None, one.project} and job in {None, one.job}]


def show(output: Output, tallies: Sequence[Tally], is_dry_run: bool) -> None:
    runs, log_bytes = sum(one.runs for one in tallies), sum(one.log_bytes for one in tallies)
    if output is Output.JSON:
        print_json(
            {
                "is_dry_run": is_dry_run,
                "runs": runs,
                "log_bytes": log_bytes,
                "jobs": [_fields(tally) for tally in tallies],
            }
        )
        return
    if tallies:
        print_table(tallies, _COLUMNS)
    words = "would be removed" if is_dry_run else "removed"
    click.echo(f"{_runs(runs)} {words}, with {log_bytes} bytes of logs.")


_COLUMNS: list[Column[Tally]] = [
    Column("project", lambda tally: tally.project),
    Column("job", lambda tally: tally.job),
    Column("runs", lambda tally: str(tally.runs)),
    Column("triggered from", lambda tally: moment(_date(tally.first))),
    Column("to", lambda tally: moment(_date(tally.last))),
    Column("bytes of logs", lambda tally: str(tally.log_bytes)),
]


def _fields(tally: Tally) -> dict[str, str | int]:
    return {
        "project": tally.project,
        "job": tally.job,
        "runs": tally.runs,
        "triggered_from": _date(tally.first),
        "triggered_to": _date(tally.last),
        "log_bytes": tally.log_bytes,
    }


async def _last(job: JobRetention, tallies: AsyncGenerator[Tally], is_progress_shown: bool = False) -> Tally:
    tally = Tally(job.project, job.job)
    is_terminal = is_progress_shown and sys.stderr.isatty()
    async for so_far in tallies:
        tally = so_far
        if is_terminal:
            click.echo(f"\r{job.project}/{job.job}: {_runs(tally.runs)} removed …", err=True, nl=False)
    if is_terminal and tally.runs:
        click.echo("\r\x1b[K", err=True, nl=False)
    return tally


def _date(run: str) -> str:
    return iso(run_identifier_date(run))


def _runs(number: int) -> str:
    return f"{number} {'run' if number == 1 else 'runs'}"
