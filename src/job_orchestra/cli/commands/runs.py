from __future__ import annotations

from collections.abc import Iterable
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
    print_json,
    print_page,
    print_table,
    status_colour,
    warn,
)
from job_orchestra.cli.terminal_text import one_line
from job_orchestra.client.call import Call
from job_orchestra.client.calls import runs
from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.domain.runs import SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.protocol.resources.runs import (
    ElementAnswer,
    LateReportAnswer,
    PartAnswer,
    PastAttemptAnswer,
    RunAnswer,
    RunPageAnswer,
    RunSummaryAnswer,
    TransformationFailureAnswer,
    WhyAnswer,
)


@click.group()
def run() -> None:
    """List and show runs, their logs and results; cancel, abort, retry, pin."""


@run.command("list")
@click.argument("project", required=False)
@click.option("--job", help="Of this job only.")
@click.option("--status", type=click.Choice([status.value for status in RunStatus]), help="In this status only.")
@click.option("--worker", help="Executed by this worker only.")
@click.option(
    "--source", type=click.Choice([kind.value for kind in SourceKind]), help="Triggered by such a source only."
)
@click.option("--source-identifier", metavar="NAME", help="Triggered by the user, schedule, run, … of this name only.")
@click.option("--created-after", metavar="DATE", help="ISO 8601, such as 2026-11-23T10:00:00Z.")
@click.option("--created-before", metavar="DATE", help="ISO 8601.")
@click.option(
    "--where", metavar="EXPRESSION", help="Such as 'results.tests.failed > 0 and parameters.branch = \"main\"'."
)
@page_options
@output_option
@settings_option
def list_runs(
    settings_file: Path,
    output: Output,
    project: str | None,
    limit: int,
    cursor: str | None,
    job: str | None,
    status: str | None,
    worker: str | None,
    source: str | None,
    source_identifier: str | None,
    created_after: str | None,
    created_before: str | None,
    where: str | None,
) -> None:
    """The runs of a project, or of all projects; newest first."""
    from job_orchestra.cli.run_listing import gather_runs

    def ask(at_most: int, behind: str | None) -> Call[RunPageAnswer]:
        return runs.list_all(
            project,
            job=job,
            status=status,
            worker=worker,
            source=source,
            source_identifier=source_identifier,
            created_after=created_after,
            created_before=created_before,
            where=where,
            limit=at_most,
            cursor=behind,
        )

    page = gather_runs(service(settings_file), ask, limit, cursor)
    columns: list[Column[RunSummaryAnswer]] = [
        Column("run", lambda run: run.identifier),
        Column("job", lambda run: run.job),
        Column("status", lambda run: run.status, status_colour),
        Column("pinned", lambda run: "pinned" if run.is_pinned else ""),
        Column("created", lambda run: moment(run.created_at)),
        Column("duration", lambda run: duration(run.duration)),
        Column("worker", _worker),
        Column("source", lambda run: f"{run.source.kind} {run.source.identifier}"),
        Column("parameters", lambda run: pairs(run.parameters)),
    ]
    if project is None:
        columns.insert(1, Column("project", lambda run: run.project))
    print_page(output, page, columns)


@run.command("show")
@click.argument("project")
@click.argument("run")
@output_option
@settings_option
def show_run(settings_file: Path, output: Output, project: str, run: str) -> None:
    """One run."""
    _call(settings_file, output, runs.get(project, run))


@run.command("elements")
@click.argument("project")
@click.argument("run")
@output_option
@settings_option
def elements_run(settings_file: Path, output: Output, project: str, run: str) -> None:
    """The elements of a pipeline: how far each is, its run, and what it waits for or why it was skipped."""
    answer = service(settings_file).send(runs.elements(project, run))
    if output is Output.JSON:
        print_json(answer)
        return
    columns: list[Column[PartAnswer]] = [
        Column("element", lambda part: part.label),
        Column("status", lambda part: part.status, status_colour),
        Column("run", lambda part: part.run.identifier if part.run is not None else ""),
        Column("kept", lambda part: "kept" if part.is_kept else ""),
        Column("duration", lambda part: duration(part.run.duration) if part.run is not None else ""),
        Column("why", lambda part: part.reason),
    ]
    print_table([part for element in answer.items for part in _rows(element)], columns)


def _rows(element: ElementAnswer) -> list[PartAnswer]:
    """Of an element that has no part yet, or never, one row all the same."""
    more = sum(element.numbers.values()) - len(element.parts)
    rows = element.parts or [PartAnswer(element.identifier, element.status, element.reason, None)]
    return [*rows, PartAnswer(f"{element.identifier}, {more} more", "", "", None)] if more > 0 else rows


@run.command("why")
@click.argument("project")
@click.argument("run")
@output_option
@settings_option
def why_run(settings_file: Path, output: Output, project: str, run: str) -> None:
    """What the run waits for, worker by worker, or why it ended as it did."""
    client = service(settings_file)
    answer = client.send(runs.why(project, run))
    if output is Output.JSON:
        print_json(answer)
    else:
        _print_why(answer)


@run.command("log")
@click.argument("project")
@click.argument("run")
@click.option(
    "--follow", "should_follow", is_flag=True, help="Until the run has ended, which the exit code then tells."
)
@click.option("--attempt", type=click.IntRange(min=1), help="An earlier one; default: the last.")
@click.option(
    "--late", "is_late", is_flag=True, help="With --attempt: what its worker sent after the attempt had been given up."
)
@settings_option
@click.pass_context
def log_run(
    ctx: click.Context,
    settings_file: Path,
    project: str,
    run: str,
    should_follow: bool,
    attempt: int | None,
    is_late: bool,
) -> None:
    """The stored bytes of the log, and nothing else, on standard output."""
    from job_orchestra.cli.following import follow, write_bytes

    if should_follow and attempt is not None:
        raise click.UsageError("An earlier attempt cannot be followed: give --follow or --attempt.")
    if is_late and attempt is None:
        raise click.UsageError("--late needs --attempt N: `orchestra run show` tells which were given up.")
    client = service(settings_file)
    if should_follow:
        ctx.exit(follow(client, project, run))
    chunks = client.late_log(project, run, attempt) if is_late and attempt else client.log(project, run, attempt)
    write_bytes(chunks)


@run.command("results")
@click.argument("project")
@click.argument("run")
@click.option("--stored", is_flag=True, help="As the commands saved them, without what the service adds.")
@output_option
@settings_option
def results_run(settings_file: Path, output: Output, stored: bool, project: str, run: str) -> None:
    """What the run's commands saved; whole and exact with --output json."""
    results = service(settings_file).send(runs.results(project, run, stored=stored))
    if results or output is Output.JSON:
        print_fields(output, results, [(name, json_text(value)) for name, value in results.items()])


@run.command("cancel")
@click.argument("project")
@click.argument("run")
@output_option
@settings_option
def cancel_run(settings_file: Path, output: Output, project: str, run: str) -> None:
    """End a run that has not started."""
    _call(settings_file, output, runs.cancel(project, run))


@run.command("abort")
@click.argument("project")
@click.argument("run")
@output_option
@settings_option
def abort_run(settings_file: Path, output: Output, project: str, run: str) -> None:
    """Stop a run: its processes are terminated, then killed; teardown is still executed."""
    _call(settings_file, output, runs.abort(project, run))


@run.command("pin")
@click.argument("project")
@click.argument("run")
@output_option
@settings_option
def pin_run(settings_file: Path, output: Output, project: str, run: str) -> None:
    """Keep a run for ever, whatever its retention."""
    _call(settings_file, output, runs.pin(project, run))


@run.command("unpin")
@click.argument("project")
@click.argument("run")
@output_option
@settings_option
def unpin_run(settings_file: Path, output: Output, project: str, run: str) -> None:
    """Keep a run as its retention says, and no longer."""
    _call(settings_file, output, runs.unpin(project, run))


@run.command("retry")
@click.argument("project")
@click.argument("run")
@click.option("--keep-succeeded", is_flag=True, help="Of a pipeline: what succeeded is not executed again.")
@click.option("--key", help="A repeated retry with the same key answers with the same run.")
@output_option
@settings_option
def retry_run(
    settings_file: Path, output: Output, project: str, run: str, keep_succeeded: bool, key: str | None
) -> None:
    """Make a new run with the same parameters, of the job as it is now, and print its identifier."""
    client = service(settings_file)
    answer = client.send(runs.retry(project, run, keep_succeeded=keep_succeeded, idempotency_key=key))
    if output is Output.JSON:
        print_json(answer)
    else:
        click.echo(answer.identifier)
    warn(answer.warning)


@run.command("download")
@click.argument("project")
@click.argument("run")
@click.option("--file", type=click.Path(path_type=Path), help="Where to; - is standard output. Default: RUN.zip.")
@settings_option
def download_run(settings_file: Path, project: str, run: str, file: Path | None) -> None:
    """The run's record, log and results as a ZIP archive."""
    target = file or Path(f"{run}.zip")
    client = service(settings_file)
    chunks = client.archive(project, run)
    if str(target) == "-":
        from job_orchestra.cli.following import write_bytes

        write_bytes(chunks)
    else:
        _save(chunks, target)
        click.echo(str(target))


def _save(chunks: Iterable[bytes], target: Path) -> None:
    """Under its name only when it is whole."""
    partial = target.with_name(target.name + ".part")
    try:
        with partial.open("wb") as stream:
            stream.writelines(chunks)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _call(settings_file: Path, output: Output, call: Call[RunAnswer]) -> None:
    client = service(settings_file)
    run = client.send(call)
    fields = [
        ("run", run.identifier),
        ("job", f"{run.project} {run.job}"),
        ("status", _status(run)),
        ("attempt", _attempt(run)),
        ("kept", "pinned: for ever" if run.is_pinned else ""),
        ("source", _source(run)),
        ("retry of", _named_run(run, run.retry_of or "")),
        ("parameters", pairs(run.parameters)),
        ("definition", definition_lines(run.definition)),
        ("worker", "\n".join(filter(None, (_worker(run), run.worker_absence)))),
        ("created", moment(run.created_at)),
        ("started", moment(run.started_at)),
        ("ended", moment(run.ended_at)),
        ("duration", duration(run.duration)),
        ("log", _log(run)),
        ("results", "\n".join(f"{name}: {json_text(value)}" for name, value in run.results.items())),
        ("not shown", "\n".join(map(_failure, run.transformation_failures))),
        ("attempts", "\n".join(map(_past_attempt, run.past_attempts))),
        ("late reports", "\n".join(map(_late_report, run.late_reports))),
    ]
    print_fields(output, run, fields)


def _attempt(run: RunAnswer) -> str:
    if run.waits_until is not None:
        return f"{run.attempt}, not before {moment(run.waits_until)}"
    return str(run.attempt) if run.attempt > 1 else ""


def _past_attempt(past: PastAttemptAnswer) -> str:
    where = "" if past.worker is None else f" on {past.worker}"
    took = "" if past.duration is None else f" after {duration(past.duration)}"
    ended = f"attempt {past.attempt}{where}: {past.status} {moment(past.ended_at)}{took}"
    return f"{ended}, {past.log.size} bytes of log: {past.reason.sentence}"


def _source(run: RunAnswer) -> str:
    source = f"{run.source.kind} {_named_run(run, run.source.identifier)}"
    return f"{source}, with which it is aborted" if run.abort_with_run else source


def _named_run(run: RunAnswer, other: str) -> str:
    return f"{other} (no longer kept)" if other in run.no_longer_kept else other


def _status(run: RunAnswer) -> str:
    if run.reason is not None:
        return f"{run.status}: {run.reason.sentence}"
    wish = "cancel" if run.should_cancel else "abort" if run.should_abort else None
    return f"{run.status}, {wish} asked for by {run.wished_by}" if wish else run.status


def _log(run: RunAnswer) -> str:
    if run.log.sha256 is not None:
        return f"{run.log.size} bytes, complete and verified, SHA-256 {run.log.sha256}"
    if run.reason is not None and run.reason.code == ReasonCode.LOG_DAMAGED:
        return f"{run.log.size} bytes, not verified: it is not the log that the run ended with"
    is_given_up = run.ended_at is not None and run.status != RunStatus.CANCELLED
    doubt = ", not verified: the worker has not told how long the whole log is" if is_given_up else ""
    return f"{run.log.size} bytes{doubt}"


def _failure(failure: TransformationFailureAnswer) -> str:
    return f"what transformer {failure.transformer} makes of the results, for it failed: {failure.message}"


def _late_report(report: LateReportAnswer) -> str:
    """An attempt that was given up; it never changes the run."""
    given_up = f"attempt {report.attempt} on {report.worker}, given up {moment(report.lost_at)}"
    if report.received_at is None:
        return f"{given_up}; the worker has not come back with it"
    back = f"{given_up}, came back {moment(report.received_at)}"
    if report.ended_at is None:
        return f"{back}; {report.status} there, {report.log.size} bytes of log so far"
    sentence = "" if report.reason is None else f" ({report.reason.sentence})"
    return f"{back}; {report.status}{sentence}, {report.log.size} bytes of log"


def _worker(run: RunAnswer | RunSummaryAnswer) -> str:
    if run.worker is None:
        return "none fits" if run.warning is not None else ""
    return run.worker if run.is_worker_connected is not False else f"{run.worker} (disconnected)"


def _print_why(why: WhyAnswer) -> None:
    status = click.style(why.status, fg=status_colour(why.status))
    click.echo(f"{status}: {one_line(why.summary)}")
    for obstacle in why.workers:
        click.echo(f"  {obstacle.worker}: {one_line('; '.join(obstacle.sentences))}")
