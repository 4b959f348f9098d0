"""Lists of runs: where the service looks through history in parts, as many of them as it takes, with progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

import click

from job_orchestra.cli.output import moment
from job_orchestra.client.call import Call
from job_orchestra.client.synchronous import Client
from job_orchestra.protocol.resources.runs import RunPageAnswer, RunSummaryAnswer

Ask = Callable[[int, str | None], Call[RunPageAnswer]]
"""For at most so many runs, behind a cursor."""

_CLEAR = "\r\x1b[K"


def gather_runs(client: Client, ask: Ask, limit: int, cursor: str | None) -> RunPageAnswer:
    """One page of `limit` runs, or of all that there are; `looked_through` is that of all parts together."""
    runs: list[RunSummaryAnswer] = []
    looked_through = 0
    with _progress() as show:
        while True:
            page = client.send(ask(limit - len(runs), cursor))
            runs += page.items
            if page.looked_through is None:
                return page
            looked_through += page.looked_through
            cursor = page.next
            if cursor is None or len(runs) >= limit:
                return RunPageAnswer(runs, cursor, looked_through, page.looked_until)
            show(f"{len(runs)} found; looked through {looked_through:,} runs, back to {moment(page.looked_until)}")


@contextmanager
def _progress() -> Generator[Callable[[str], None]]:
    """Shows a line on a terminal that goes in the end; elsewhere nothing."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    try:
        yield lambda line: click.echo(_CLEAR + line, err=True, nl=False)
    finally:
        click.echo(_CLEAR, err=True, nl=False)
