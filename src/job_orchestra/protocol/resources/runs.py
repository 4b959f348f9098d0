"""Runs, their attempts, events and elements, and why they wait."""

from __future__ import annotations

from job_orchestra.domain.json import JsonObject
from job_orchestra.protocol.resources.answers import Answer, Body, Page
from job_orchestra.protocol.resources.logs import LogAnswer
from job_orchestra.protocol.resources.projects import ObstacleAnswer


# The client sends only what is asked for, so that the service can be older.
class TriggerBody(Body, frozen=True, omit_defaults=True):
    parameters: JsonObject = {}
    priority: int | None = None
    abort_with_run: bool = False
    """Only with the token of a run: the new run is aborted with that one."""


class SourceAnswer(Answer, frozen=True):
    kind: str
    identifier: str


class ReasonAnswer(Answer, frozen=True):
    code: str
    sentence: str


class LateReportAnswer(Answer, frozen=True):
    """An attempt that was given up, as its worker tells of it afterwards. It never changes the run."""

    attempt: int
    worker: str
    lost_at: str
    """When the attempt was given up."""
    received_at: str | None
    """When the worker came back with it; until then there is nothing of it."""
    status: str
    reason: ReasonAnswer | None
    started_at: str | None
    ended_at: str | None
    duration: float | None
    results: JsonObject
    log: LogAnswer


class PastAttemptAnswer(Answer, frozen=True):
    """An attempt that is over, and was followed by the next one of its run."""

    attempt: int
    status: str
    reason: ReasonAnswer
    worker: str | None
    assigned_at: str | None
    started_at: str | None
    ended_at: str
    duration: float | None
    log: LogAnswer


class TransformationFailureAnswer(Answer, frozen=True):
    """What one result transformer did not make of the results; those of the others count all the same."""

    transformer: str
    message: str


class RunAnswer(Answer, frozen=True):
    project: str
    job: str
    identifier: str
    status: str
    reason: ReasonAnswer | None
    attempt: int
    source: SourceAnswer
    retry_of: str | None
    parameters: JsonObject
    properties: JsonObject
    definition: JsonObject
    results: JsonObject
    """As the service's transformers show them."""
    worker: str | None
    is_worker_connected: bool | None
    should_cancel: bool
    should_abort: bool
    wished_by: str | None
    created_at: str
    assigned_at: str | None
    started_at: str | None
    ended_at: str | None
    duration: float | None
    log: LogAnswer
    past_attempts: list[PastAttemptAnswer] = []
    """Those before the present one, oldest first."""
    retries: int = 0
    """How often it may have another attempt for how one ended."""
    waits_until: str | None = None
    """While it waits, before which moment its next attempt is not begun."""
    is_pinned: bool = False
    """Kept for ever, whatever its retention."""
    concurrency: str | None = None
    """Its concurrency group, in its project."""
    abort_with_run: bool = False
    """Whether it is aborted with the run that is its source."""
    worker_disconnected_at: str | None = None
    """Since when the worker is away that has the run; as all below, of one run that is asked for by GET only."""
    lost_at: str | None = None
    """When the run counts as lost unless its worker comes back before; None if that is waited for without end."""
    when_lost: str | None = None
    """`fail` or `retry`: what becomes of the run then."""
    worker_absence: str | None = None
    """The three above as a sentence."""
    late_reports: list[LateReportAnswer] = []
    """By attempt."""
    transformation_failures: list[TransformationFailureAnswer] = []
    no_longer_kept: list[str] = []
    """Runs that this one names, as what it repeats or its source, and that were removed."""
    warning: str | None = None
    """Of a waiting run that no known worker could ever take: that, and why; in the answer to a trigger, too."""


class RunSummaryAnswer(Answer, frozen=True):
    """A row of a list of runs."""

    project: str
    job: str
    identifier: str
    status: str
    reason: ReasonAnswer | None
    attempt: int
    source: SourceAnswer
    parameters: JsonObject
    worker: str | None
    created_at: str
    started_at: str | None
    ended_at: str | None
    duration: float | None
    is_worker_connected: bool | None = None
    """None unless a worker has the run now."""
    is_pinned: bool = False
    warning: str | None = None
    """Of a waiting run that no known worker could ever take: that, and why."""


class CountAnswer(Answer, frozen=True):
    number: int
    is_exact: bool
    """False: there are more than `number`, and nobody counted how many."""


class RunPageAnswer(Page[RunSummaryAnswer], frozen=True):
    """A page of RunSummaryAnswer, in `items` and `next`.

    Of a list with `where`, or with filters that no index has together, also how far it has looked.
    """

    looked_through: int | None = None
    """How many runs were looked at for this page; with a `next`, it may be shorter than `limit`."""
    looked_until: str | None = None
    """When the last of them was created; what is older, or newer if that is the order, is for the next page."""
    count: CountAnswer | None = None
    """Of all pages together, if `count=true`; null where runs have to be looked at one by one."""


class PartAnswer(Answer, frozen=True):
    """What one run of an element is for: the element or, of one with a list, an item."""

    label: str
    """`test`, or `test[2]`."""
    status: str
    reason: str
    """A sentence; empty where there is nothing to say."""
    run: RunSummaryAnswer | None
    """None until it is triggered, where it cannot be, and once it is no longer kept."""
    is_kept: bool = False
    """The run is one of an earlier run of the pipeline, and was not executed again."""


class ElementAnswer(Answer, frozen=True):
    identifier: str
    project: str
    job: str
    after: list[str]
    """Elements that it waits for."""
    status: str
    """As of runs, or `waiting`, or `skipped`."""
    reason: str
    """What it waits for, why it was skipped, or why it has no run; empty where its runs tell."""
    parts: list[PartAnswer]
    """The first hundred of them."""
    numbers: dict[str, int]
    """How many of all its parts are in each status."""


class ElementsAnswer(Answer, frozen=True):
    items: list[ElementAnswer]


class EventAnswer(Answer, frozen=True):
    attempt: int
    sequence: int
    kind: str
    date: str
    data: JsonObject


class WhyAnswer(Answer, frozen=True):
    """What a pending run waits for, or why an ended one ended; `workers` names what keeps each from taking it."""

    status: str
    summary: str
    is_impossible: bool
    """No known worker could ever take it."""
    workers: list[ObstacleAnswer] = []
    holders: list[str] = []
    """Runs of the same project that have the slots of its concurrency group, which is full."""
    runs_before: CountAnswer | None = None
    """Of a pending run: how many runs of its job with the same needs come first."""
    first_runs: list[str] = []
    """Those of them that come first of all."""
