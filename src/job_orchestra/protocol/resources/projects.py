"""Projects with their jobs, schedules and webhooks."""

from __future__ import annotations

from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.protocol.resources.answers import Answer


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
