"""What the HTTP API takes and answers: one struct for each, shared by the service and its client.

Dates are ISO 8601 in UTC to the millisecond (`2026-11-23T10:00:00.000Z`); durations are seconds.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from job_orchestra.domain.json import JsonObject, JsonValue

Item = TypeVar("Item")


class Answer(msgspec.Struct, frozen=True):
    """Sent by the service. Unknown fields are ignored by the client, so that the service can be newer."""


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sent to the service. Unknown fields are mistakes."""


class Page(Answer, Generic[Item], frozen=True):
    items: list[Item]
    next: str | None = None
    """Cursor of the next page; None on the last."""


class MistakeAnswer(Answer, frozen=True):
    field: str
    message: str


class Problem(Answer, frozen=True):
    """RFC 9457; `type` is `about:blank`, `errors` names each field at fault."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
    errors: list[MistakeAnswer] = []


class VersionAnswer(Answer, frozen=True):
    name: str
    version: str


class HealthAnswer(Answer, frozen=True):
    status: str
    """`alive`; for /ready `ready`, or `unavailable` with status 503 and the reasons in `waiting_for`."""
    waiting_for: list[str] = []


class RouteAnswer(Answer, frozen=True):
    method: str
    path: str
    permission: str
    is_allowed: bool
    summary: str


# ---------- me


class LoginBody(Body, frozen=True):
    user: str
    password: str


class TokenAnswer(Answer, frozen=True):
    identifier: str
    user: str
    kind: str
    description: str
    created_at: str
    expires_at: str | None


class NewTokenAnswer(Answer, frozen=True):
    """The only answer that ever holds the secret."""

    identifier: str
    secret: str
    expires_at: str | None


class NewTokenBody(Body, frozen=True):
    description: str = ""
    expires_in: float | None = None
    """Seconds from now; None never."""


class PasswordBody(Body, frozen=True):
    """`current` is needed to change one's own."""

    new: str
    current: str = ""


class UserAnswer(Answer, frozen=True):
    identifier: str
    display_name: str
    roles: list[str]
    is_enabled: bool
    has_password: bool
    created_at: str


class MeAnswer(Answer, frozen=True):
    user: UserAnswer
    permissions: list[str]
    token: TokenAnswer


class NewUserBody(Body, frozen=True):
    identifier: str
    display_name: str = ""
    roles: list[str] = []
    password: str | None = None


class UserChangesBody(Body, frozen=True):
    display_name: str | None = None
    roles: list[str] | None = None


# ---------- projects and jobs


class WebhookAnswer(Answer, frozen=True):
    """Its secret is nowhere shown; the service has it from its environment or a file."""

    identifier: str
    provider: str
    url: str
    """Where the provider is to deliver."""
    triggers: list[JsonObject]


class ProjectAnswer(Answer, frozen=True):
    identifier: str
    display_name: str
    description: str
    repository: JsonObject | None
    is_active: bool
    retention: JsonObject | None = None
    """How long its runs are kept; None: as the settings say."""
    concurrency: dict[str, int] = {}
    """How many runs of a concurrency group may be assigned or running at once, where it is not one."""
    webhooks: list[WebhookAnswer] = []
    services: dict[str, str] = {}
    """Names and addresses of what it needs elsewhere; http and https only."""


class ParameterAnswer(Answer, frozen=True):
    identifier: str
    is_required: bool
    default: JsonValue
    choices: list[JsonValue]
    description: str
    type: str | None = None
    """`text`, `integer`, `number`, `boolean`, `list`, `json`; None: anything."""
    pattern: str | None = None
    """Of a text: what all of it has to match."""


class ObstacleAnswer(Answer, frozen=True):
    """What keeps a worker from a run; nothing does where there are no sentences."""

    worker: str
    sentences: list[str]


class JobAnswer(Answer, frozen=True):
    project: str
    identifier: str
    display_name: str
    description: str
    type: str
    definition: JsonObject
    parameters: list[ParameterAnswer]
    properties: JsonObject
    workspace: str
    limits: JsonObject
    on_lost: str
    """What becomes of a run whose worker stays away: `wait`, `fail`, `retry`."""
    lost_after: float
    """Seconds without its worker until a run counts as lost."""
    retries: int
    """How often another attempt is made, after one that ended with a status or reason in `retry_on`."""
    retry_on: list[str]
    retry_delay: float
    """Seconds between the end of an attempt and the next one."""
    priority: int
    is_active: bool
    is_enabled: bool
    changed_at: str
    retention: JsonObject | None = None
    """How long its runs are kept; None: as its project's."""
    concurrency: str | None = None
    """The concurrency group of its runs."""
    expiry: float | None = None
    """Seconds after which a run that nobody took is cancelled; None: as the master's settings say."""
    requirements: list[str] = []
    """Its properties in words."""
    preferences: list[str] = []
    """Likewise: of the workers that fit, one that meets more of them goes first."""
    workers: list[ObstacleAnswer] = []
    """What keeps each known worker from its runs now, but for the runs there; as all here, of one job only."""


class TickAnswer(Answer, frozen=True):
    due: str
    state: str
    """`triggered`, `busy`, `missed`, `refused`; before that `due`, or `waiting` for its turn."""
    job: str
    run: str | None
    detail: str
    """Why it made no run, or none yet."""
    decided_at: str
    """When its state became this one."""


class ScheduleAnswer(Answer, frozen=True):
    project: str
    identifier: str
    job: str
    expression: str
    time_zone: str
    missing_time: str | None
    repeated_time: str | None
    """None: as the expression suggests."""
    parameters: JsonObject
    description: str
    is_active: bool
    is_enabled: bool
    catch_up: str = "latest"
    """Of ticks that came due while no master was there: `none`, the `latest`, or `all` of them make runs."""
    catch_up_age: float | None = None
    """Seconds behind which such a tick makes no run any more; None: however old it is."""
    flaw: str | None = None
    """Why it is broken: what keeps it from triggering its job."""
    next_tick: str | None = None
    """None if it does not tick, being disabled, say."""
    last_tick: TickAnswer | None = None


class SchedulePreviewAnswer(Answer, frozen=True):
    ticks: list[str]
    """Fewer than were asked for only if no more come."""


# ---------- webhooks


class DeliveredRunAnswer(Answer, frozen=True):
    project: str
    job: str
    identifier: str
    is_new: bool
    """False: an earlier delivery of the same has made it."""


class DeliveryAnswer(Answer, frozen=True):
    message: str
    """What came of the delivery, or why nothing did."""
    runs: list[DeliveredRunAnswer] = []


# ---------- runs


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


class LogAnswer(Answer, frozen=True):
    size: int
    sha256: str | None
    """Once the run has ended and both sides have compared it."""


class LogPlaceAnswer(Answer, frozen=True):
    offset: int
    """Never within an escape sequence."""
    line: int
    style: str
    """In which text goes on there, as parameters of an SGR sequence; empty: plain."""
    date: str | None
    """When about it was stored, if that is known."""


class LogPlacesAnswer(Answer, frozen=True):
    size: int
    """Of the log."""
    places: list[LogPlaceAnswer]
    """First the one that was asked for: the last one up to the offset; or where the line begins, or the last one.

    Then those recorded behind it, in order, at most 2,000. None as long as the lines of a large log are being counted.
    """


class LogHitAnswer(Answer, frozen=True):
    offset: int
    line: int | None
    """None as long as the lines of a large log are being counted."""
    before: str
    """What surrounds it in its line, without escape sequences."""
    text: str
    after: str


class LogSearchAnswer(Answer, frozen=True):
    hits: list[LogHitAnswer]
    """One of each line; of a very long line more, some distance apart."""
    next: int | None
    """Where to go on; None if all of the log as it is now was searched."""


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


# ---------- repositories


class KnowledgeAnswer(Answer, frozen=True):
    """How good it is what the service knows of a repository, which it asks in the background."""

    fetched_at: str | None
    """When the repository was last asked for this with success; None: nothing is known yet."""
    age: float | None
    """Seconds since then."""
    is_fetching: bool
    """It is being asked now."""
    failure: str | None = None
    """Why the last attempt gave nothing, if it did not."""
    failed_at: str | None = None


class RepositoryAnswer(Answer, frozen=True):
    type: str
    url: str
    page: str | None
    """Where people look at it, if it is on the web."""
    branch: str | None
    """The one that is shown first; None while it is not known."""
    knowledge: KnowledgeAnswer


class BranchAnswer(Answer, frozen=True):
    name: str
    revision: str
    is_default: bool


class BranchesAnswer(Page[BranchAnswer], frozen=True, kw_only=True):
    """A page of BranchAnswer, by name, in `items` and `next`."""

    is_complete: bool
    """False: the repository has more branches than the service looks at."""
    knowledge: KnowledgeAnswer


class RevisionAnswer(Answer, frozen=True):
    identifier: str
    date: str
    author: str
    title: str
    """The first line of its message."""
    url: str | None


class RevisionsAnswer(Page[RevisionAnswer], frozen=True, kw_only=True):
    """A page of RevisionAnswer, newest first, in `items` and `next`."""

    branch: str | None
    """None while it is not known which one is the default."""
    knowledge: KnowledgeAnswer


class JobStatusAnswer(Answer, frozen=True):
    """The runs of a job for a revision."""

    last: RunSummaryAnswer
    count: CountAnswer
    """How many there are, that one included."""


class RevisionStatusAnswer(Answer, frozen=True):
    revision: RevisionAnswer
    jobs: dict[str, JobStatusAnswer]
    """Of each job of the project that has runs for it."""
    is_complete: bool
    """False: it has more runs than were looked at, the newest ones."""


class ProjectStatusAnswer(Page[RevisionStatusAnswer], frozen=True, kw_only=True):
    """A page of RevisionStatusAnswer, newest revision first, in `items` and `next`."""

    branch: str | None
    """None while it is not known which one is the default."""
    jobs: list[str]
    """Those that have runs for revisions of this page."""
    knowledge: KnowledgeAnswer


# ---------- workers


class RefusalAnswer(Answer, frozen=True):
    """A run that a worker did not take when it was given it."""

    run: str
    reason: str
    """The worker's."""
    date: str
    until: str
    """Before that it gets no other run."""


class WorkerAnswer(Answer, frozen=True):
    identifier: str
    display_name: str
    owner: str
    version: str
    properties: JsonObject
    executor_limit: int
    active_runs: int
    is_enabled: bool
    is_connected: bool
    is_draining: bool
    hindrance: str
    """Why it takes no new runs at present, by its own word, to be read behind its name; empty if it does."""
    refusal: RefusalAnswer | None
    """The last one, unless it has taken a run since."""
    registered_at: str
    connected_at: str | None
    disconnected_at: str | None
    skew: float | None


# ---------- administration


class AuditEntryAnswer(Answer, frozen=True):
    identifier: str
    date: str
    origin: str
    """`service`, or `host`: a command there, on the database itself."""
    user: str
    """Who did it: a user, `run …` by its token, or an account of the host; empty where nobody knows."""
    token: str | None
    """Identifier of the token that it was done with."""
    action: str
    project: str | None
    target: JsonObject
    """What it was done to: kinds and identifiers."""
    outcome: str
    """`done`; `refused`: who asked may not, or was not who it said; `failed`: it was not possible."""
    status: int | None
    """Of the answer, by HTTP."""
    details: JsonObject
    """Names of what was given and what was made; no value of a parameter, and no secret."""


class MeasureAnswer(Answer, frozen=True):
    date: str
    waiting: int
    """Pending runs; no more than a hundred thousand are counted."""
    running: int
    workers: int
    """That were connected."""
    executors: int
    """Of these workers."""
    in_use: int
    """Of these executors."""


class MeasuresAnswer(Answer, frozen=True):
    step: int
    """Seconds that each of them is of; there is none where no master was at work."""
    items: list[MeasureAnswer]
    """Oldest first."""


class ServiceFactsAnswer(Answer, frozen=True):
    version: str
    python: str
    url: str
    started_at: str


class DatabaseAnswer(Answer, frozen=True):
    product: str
    """With its version."""
    size: int | None
    """Bytes on its disk; None where that is not known at once."""
    schema: str
    warnings: list[str]
    """Settings of the server with which what was answered may be lost."""


class LogStorageAnswer(Answer, frozen=True):
    directory: str
    free: int | None
    """Bytes for new logs; None where the disk does not say."""
    total: int | None
    troubles: list[str]


class MasterAnswer(Answer, frozen=True):
    identifier: str
    version: str
    url: str
    is_at_work: bool
    """It has said so within the last 45 seconds."""
    is_connected: bool | None
    """Whether this service's channel to it is open; None: the service is not told of it in its settings."""
    started_at: str
    seen_at: str
    stopped_at: str | None
    """If it stopped in order."""
    configured_at: str | None
    """When it last applied its configuration."""
    configuration_trouble: str
    """Why what is in its files does not count; empty if it does."""
    workers: int
    """That are connected to it."""


class WorkerVersionAnswer(Answer, frozen=True):
    version: str
    connected: int
    disconnected: int


class ConfiguredProjectAnswer(Answer, frozen=True):
    identifier: str
    is_active: bool
    jobs: int
    schedules: int
    """Those that are configured now, as with jobs."""
    changed_at: str


class AdministrationAnswer(Answer, frozen=True):
    service: ServiceFactsAnswer
    database: DatabaseAnswer | None
    """None while it does not say."""
    logs: LogStorageAnswer | None
    masters: list[MasterAnswer]
    unknown_masters: list[str]
    """URLs that the service is to tell of changes, at which none of these is."""
    workers: list[WorkerVersionAnswer]
    projects: list[ConfiguredProjectAnswer]
    """The first thousand."""
    settings: dict[str, JsonObject]
    """Of the service's host, without secrets."""
