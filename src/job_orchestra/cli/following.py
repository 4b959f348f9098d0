"""Following a run on standard output: its log as it comes, what it waits for meanwhile, and how it ended."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable

import click

from job_orchestra.cli.exit_codes import ENDINGS
from job_orchestra.cli.interruption import interruptible
from job_orchestra.cli.terminal_text import one_line
from job_orchestra.client.calls import runs
from job_orchestra.client.synchronous import Client
from job_orchestra.domain.errors import OrchestraError
from job_orchestra.protocol.resources.runs import RunAnswer

_QUIET_BEFORE_WHY = 2.0
_WHY_INTERVAL = 5.0


def write_bytes(chunks: Iterable[bytes]) -> None:
    """To standard output, as they are and as they come."""
    for chunk in chunks:
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()


def follow(client: Client, project: str, run: str, attempt: int | None = None) -> int:
    """Until the run has ended; answers with the exit code that tells how.

    From `attempt`, or else the present one, to the last.
    """
    if attempt is None:
        attempt = client.send(runs.get(project, run)).attempt
    with interruptible():
        while True:
            _follow_attempt(client, project, run, attempt)
            ended = client.send_patiently(runs.get(project, run))
            if attempt == ended.attempt:
                break
            _report_attempt(ended, attempt)
            attempt += 1
    if ended.log.size == 0 and ended.reason is not None:
        click.echo(f"{ended.status}: {one_line(ended.reason.sentence)}", err=True)
    return ENDINGS[ended.status]


def _follow_attempt(client: Client, project: str, run: str, attempt: int) -> None:
    has_begun = threading.Event()
    reporter = threading.Thread(target=_report_waiting, args=(client, project, run, has_begun), daemon=True)
    reporter.start()
    for chunk in client.follow_log(project, run, attempt=attempt):
        has_begun.set()
        write_bytes([chunk])
    # Not where it breaks off: an interruption inside of `set` leaves its lock to nobody.
    has_begun.set()


def _report_attempt(run: RunAnswer, attempt: int) -> None:
    """On standard error, how it ended; of one that was refused by a worker there is nothing to tell."""
    for past in run.past_attempts:
        if past.attempt == attempt:
            ending = f"Attempt {attempt} {past.status}: {past.reason.sentence}"
            click.echo(f"{one_line(ending)} Attempt {attempt + 1} follows.", err=True)


def wait(client: Client, project: str, run: str) -> RunAnswer:
    """The run when it has ended; its log is followed for that, but not shown."""
    size = client.send(runs.get(project, run)).log.size
    with interruptible():
        for _ in client.follow_log(project, run, size):
            pass
        return client.send_patiently(runs.get(project, run))


def _report_waiting(client: Client, project: str, run: str, has_begun: threading.Event) -> None:
    """Says on standard error what a run waits for that does not start; once, and whenever it changes."""
    said = ""
    pause = _QUIET_BEFORE_WHY
    while not has_begun.wait(pause):
        pause = _WHY_INTERVAL
        try:
            why = client.send(runs.why(project, run))
        except OrchestraError:
            continue  # The follower itself tells what is wrong, or gets over it.
        if why.status == "pending" and why.summary != said and not has_begun.is_set():
            said = why.summary
            click.echo(f"Waiting: {one_line(said)}", err=True)
