"""Runs that are bound to the run that triggered them: if that one is aborted, so are they. No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind
from job_orchestra.domain.statuses import RunStatus


def bound_to(source: Source, request: RunRequest) -> RunRequest:
    """The request of a run that is aborted with its source; Invalid if that is no run."""
    if source.kind is not SourceKind.RUN:
        raise Invalid.at(
            "abort_with_run",
            f"needs the token of a run, with which the new one is then aborted, and not that of {source.kind} "
            f"{source.identifier!r}",
        )
    return replace(request, abort_with_run=True)


def is_passed_on(run: Run) -> bool:
    """Whether the runs that are bound to this one have to stop: it was stopped, or is to be.

    If it comes to an end by itself, or is lost, they go on. Only a run with a token can have any.
    """
    # Cancelled it may be as well: as another attempt, before that began.
    return run.request.token and (run.should_abort or run.status in (RunStatus.ABORTED, RunStatus.CANCELLED))


def runs_to_stop(triggered: Iterable[Run]) -> list[Run]:
    """Those of the runs that one has triggered which are bound to it, and still have to be asked to stop."""
    return [
        run for run in triggered if run.request.abort_with_run and not run.should_abort and not run.status.is_terminal
    ]


def wisher(run: str) -> str:
    """Who it is that asks when a run does, by its token or by its end."""
    return f"run {run}"
