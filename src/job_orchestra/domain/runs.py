"""Runs: one execution of a job. Who writes which field stands beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from job_orchestra.domain.definitions import Definition, PipelineDefinition, Workspace
from job_orchestra.domain.jobs import LossPolicy, RunLimits
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.reasons import Reason
from job_orchestra.domain.retries import RetryPolicy
from job_orchestra.domain.statuses import RunStatus


class SourceKind(StrEnum):
    USER = "user"
    SCHEDULE = "schedule"
    RUN = "run"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Source:
    """What triggered a run: its kind and identifier."""

    kind: SourceKind
    identifier: str


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A run of an earlier run of the pipeline, which counts for its part in this one."""

    part: str
    """The label of a `pipelines.parts.PartKey`."""
    run: str


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a trigger fixes for ever: the run keeps the definition it was triggered with."""

    project: str
    job: str
    definition: Definition
    parameters: JsonObject = field(default_factory=dict[str, JsonValue])
    properties: JsonObject = field(default_factory=dict[str, JsonValue])
    workspace: Workspace = Workspace.JOB
    limits: RunLimits = RunLimits()
    loss: LossPolicy = LossPolicy()
    retry: RetryPolicy = RetryPolicy()
    priority: int = 0
    concurrency: str | None = None
    """The concurrency group in its project; how large that is, the project says at any time."""
    expiry: float | None = None
    """Seconds after which it is cancelled if it was never taken; None: as the master's settings say."""
    token: bool = False
    """Whether its commands get a token for the API."""
    part: str = ""
    """The label of the part that it is of the pipeline whose run is its source; empty if it is none."""
    abort_with_run: bool = False
    """Whether it is aborted with the run that is its source."""
    kept: tuple[KeptRun, ...] = ()
    """Of a pipeline: what it need not do again."""
    preferences: JsonObject = field(default_factory=dict[str, JsonValue])


@dataclass(frozen=True, slots=True)
class LogFacts:
    """What the master durably has of the log; `sha256` once the end is verified."""

    size: int = 0
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """An attempt that is over, and was followed by the next one of its run."""

    attempt: int
    status: RunStatus
    reason: Reason
    worker: str | None
    assigned_at: datetime | None
    started_at: datetime | None
    ended_at: datetime
    duration: float | None
    log: LogFacts


@dataclass(frozen=True, slots=True)
class Run:
    identifier: str
    request: RunRequest
    source: Source
    created_at: datetime
    idempotency_key: str | None = None
    retry_of: str | None = None
    """The run that this one repeats."""

    # Wishes: written by the service (or on the host by the CLI).
    should_cancel: bool = False
    should_abort: bool = False
    wished_by: str | None = None
    """The user who asked to cancel or abort."""
    is_pinned: bool = False
    """Kept for ever, whatever its retention."""

    # Facts: written by the master alone.
    status: RunStatus = RunStatus.PENDING
    reason: Reason | None = None
    attempt: int = 1
    past_attempts: tuple[PastAttempt, ...] = ()
    """Those before the present one, oldest first; without those that a worker refused, of which nothing was begun."""
    waits_until: datetime | None = None
    """While it waits, before which moment its next attempt is not begun; None: it may be at any time."""
    worker: str | None = None
    """Assigned to; None while it waits."""
    slot: str | None = None
    """Of its concurrency group; no two runs hold the same."""
    assigned_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration: float | None = None
    """Seconds from start to end, by the monotonic clock of the worker's host."""
    results: JsonObject = field(default_factory=dict[str, JsonValue])
    journal_sequence: int = 0
    """Events up to this one are stored."""
    log: LogFacts = LogFacts()


def expiry_of(run: Run) -> datetime | None:
    """When its own expiry cancels it; None if it has none, and of a run that was taken once, which waits since then."""
    if run.request.expiry is None or run.status is not RunStatus.PENDING or run.worker is not None or run.attempt > 1:
        return None
    return run.created_at + timedelta(seconds=run.request.expiry)


def workspace_of(request: RunRequest) -> str | None:
    """What a run shares with others on its worker, one run at a time; None if it gets a workspace of its own."""
    match request.workspace:
        case Workspace.RUN:
            return None
        case Workspace.JOB:
            return f"job {request.project}/{request.job}"
        case Workspace.PROJECT:
            return f"project {request.project}"


def queue_key(request: RunRequest) -> str:
    """Runs with the same key wait in one group: they fit the same workers and are held up by the same things."""
    if isinstance(request.definition, PipelineDefinition):
        return f"{request.project}/{request.job}/pipeline"
    limited = [] if request.concurrency is None else [request.concurrency]
    requirements = json.dumps([request.properties, request.workspace, *limited], sort_keys=True).encode()
    return f"{request.project}/{request.job}/{sha256(requirements).hexdigest()[:8]}"
