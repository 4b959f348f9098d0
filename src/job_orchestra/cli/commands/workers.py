from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from job_orchestra.cli.connection import service
from job_orchestra.cli.options import Output, output_option, page_options, read_settings, settings_option
from job_orchestra.cli.output import Column, moment, pairs, print_fields, print_page, yes
from job_orchestra.client.call import Call
from job_orchestra.client.calls import workers
from job_orchestra.domain.stopping import OnStop
from job_orchestra.protocol.resources.workers import RefusalAnswer, WorkerAnswer

if TYPE_CHECKING:
    from job_orchestra.settings.sections import Settings


@click.group(invoke_without_command=True)
@click.option(
    "--on-stop",
    type=click.Choice([one.value for one in OnStop]),
    help="What becomes of its runs when it is told to stop: they go on (keep), are waited for (drain), or end (abort). "
    "Default: [worker] on_stop in the settings.",
)
@settings_option
@click.pass_context
def worker(ctx: click.Context, settings_file: Path, on_stop: str | None) -> None:
    """Execute runs: without a command, the worker in the foreground.

    SIGTERM or Ctrl-C stops it; the runs that it executes go on, and it finds them again, unless --on-stop says
    otherwise. A second SIGTERM or Ctrl-C does not wait for them.
    """
    if ctx.invoked_subcommand is None:
        from job_orchestra.cli.foreground import run_application

        run_application("worker", settings_file, lambda settings: _with_on_stop(settings, on_stop))


def _with_on_stop(settings: Settings, on_stop: str | None) -> Settings:
    return settings if on_stop is None else replace(settings, worker=replace(settings.worker, on_stop=OnStop(on_stop)))


@worker.command("stop")
@click.option("--drain", is_flag=True, help="Let it take no new runs, and stop when the last has ended.")
@click.option("--abort", is_flag=True, help="Let it end its runs first: they are aborted.")
@settings_option
def stop_worker(settings_file: Path, drain: bool, abort: bool) -> None:
    """Stop the worker of this host, and wait until it has stopped.

    Its runs go on, and the next worker of the directory finds them, unless an option or [worker] on_stop says
    otherwise. --abort also ends what a worker has left that does not execute any more.
    """
    from job_orchestra.cli.worker_stop import stop

    if drain and abort:
        raise click.UsageError("--drain and --abort exclude each other.")
    on_stop = OnStop.DRAIN if drain else OnStop.ABORT if abort else None
    click.echo(stop(read_settings(settings_file).worker.directory, on_stop))


@worker.command("list")
@page_options
@output_option
@settings_option
def list_workers(settings_file: Path, output: Output, limit: int, cursor: str | None) -> None:
    """All workers that ever connected."""
    client = service(settings_file)
    page = client.send(workers.list_all(limit=limit, cursor=cursor))
    columns: list[Column[WorkerAnswer]] = [
        Column("worker", lambda worker: worker.identifier),
        Column("state", _state, lambda state: "green" if state == "connected" else "yellow"),
        Column("runs", lambda worker: f"{worker.active_runs} of {worker.executor_limit}"),
        Column("owner", lambda worker: worker.owner),
        Column("version", lambda worker: worker.version),
        Column("properties", lambda worker: pairs(worker.properties)),
    ]
    print_page(output, page, columns)


@worker.command("show")
@click.argument("worker")
@output_option
@settings_option
def show_worker(settings_file: Path, output: Output, worker: str) -> None:
    """One worker."""
    _call(settings_file, output, workers.get(worker))


@worker.command("enable")
@click.argument("worker")
@output_option
@settings_option
def enable_worker(settings_file: Path, output: Output, worker: str) -> None:
    """Let it take runs again."""
    _call(settings_file, output, workers.enable(worker))


@worker.command("disable")
@click.argument("worker")
@output_option
@settings_option
def disable_worker(settings_file: Path, output: Output, worker: str) -> None:
    """Let it take no new runs; what runs goes on."""
    _call(settings_file, output, workers.disable(worker))


@worker.command("drain")
@click.argument("worker")
@output_option
@settings_option
def drain_worker(settings_file: Path, output: Output, worker: str) -> None:
    """Let it finish what it has and take nothing new, until it is enabled again."""
    _call(settings_file, output, workers.drain(worker))


@worker.command("disconnect")
@click.argument("worker")
@output_option
@settings_option
def disconnect_worker(settings_file: Path, output: Output, worker: str) -> None:
    """End its connection; what runs goes on."""
    _call(settings_file, output, workers.disconnect(worker))


@worker.command("delete")
@click.argument("worker")
@click.option(
    "--lose-runs", is_flag=True, help="Although it has runs that have not ended: they end or are retried, as jobs say."
)
@settings_option
def delete_worker(settings_file: Path, worker: str, lose_runs: bool) -> None:
    """Forget a worker that is disabled, disconnected and idle."""
    client = service(settings_file)
    client.send(workers.delete(worker, lose_runs=lose_runs))


def _call(settings_file: Path, output: Output, call: Call[WorkerAnswer]) -> None:
    client = service(settings_file)
    worker = client.send(call)
    fields = [
        ("worker", worker.identifier),
        ("name", worker.display_name),
        ("state", _state(worker)),
        ("runs", f"{worker.active_runs} of {worker.executor_limit}"),
        ("owner", worker.owner),
        ("version", worker.version),
        ("properties", "\n".join(pairs({name: value}) for name, value in worker.properties.items())),
        ("registered", moment(worker.registered_at)),
        ("connected", moment(worker.connected_at)),
        ("disconnected", moment(worker.disconnected_at) if not worker.is_connected else ""),
        ("enabled", yes(worker.is_enabled)),
        ("takes no runs", worker.hindrance and f"{worker.identifier} {worker.hindrance}"),
        ("refused", _refusal(worker.refusal)),
        ("clock", "" if worker.skew is None else f"{worker.skew:+.3f} s against its master's"),
    ]
    print_fields(output, worker, fields)


def _refusal(refusal: RefusalAnswer | None) -> str:
    return "" if refusal is None else f"run {refusal.run} at {moment(refusal.date)}: {refusal.reason}"


def _state(worker: WorkerAnswer) -> str:
    state = "connected" if worker.is_connected else "disconnected"
    if worker.is_draining:
        state += ", draining"
    return state if worker.is_enabled else f"{state}, disabled"
