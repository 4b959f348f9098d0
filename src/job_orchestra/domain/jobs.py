"""Jobs, their parameters and limits, as the database keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from job_orchestra.domain.definitions import Definition, Workspace
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.retention import Retention
from job_orchestra.domain.retries import RetryPolicy


class ParameterType(StrEnum):
    """What the values of a parameter are; without one they may be anything."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"
    JSON = "json"
    """Anything; command line and forms read it as JSON."""


@dataclass(frozen=True, slots=True)
class ParameterDefinition:
    """A parameter of a job. Without a default a trigger has to give it."""

    identifier: str
    is_required: bool = True
    default: JsonValue = None
    choices: tuple[JsonValue, ...] = ()
    description: str = ""
    type: ParameterType | None = None
    pattern: str | None = None
    """Of a text: what all of it has to match (see `patterns`)."""


@dataclass(frozen=True, slots=True)
class RunLimits:
    """Seconds and bytes; None is unlimited."""

    timeout: float | None = None
    """From the first command until abort."""
    teardown_timeout: float = 60.0
    grace: float = 10.0
    """Between terminate and kill."""
    log_size: int | None = 1 << 30
    results_size: int = 1 << 20


class OnLost(StrEnum):
    """What becomes of a run whose worker is gone for too long."""

    WAIT = "wait"
    """It waits for its worker, however long."""
    FAIL = "fail"
    """It ends as an exception."""
    RETRY = "retry"
    """It waits again for a worker, as a new attempt."""


@dataclass(frozen=True, slots=True)
class LossPolicy:
    on_lost: OnLost = OnLost.WAIT
    after: float = 300.0
    """Seconds without its worker until the run counts as lost."""


@dataclass(frozen=True, slots=True)
class JobSettings:
    """What the configuration says of a job; the master alone writes it."""

    definition: Definition
    display_name: str = ""
    description: str = ""
    parameters: tuple[ParameterDefinition, ...] = ()
    properties: JsonObject = field(default_factory=dict[str, JsonValue])
    preferences: JsonObject = field(default_factory=dict[str, JsonValue])
    """As properties; a worker that meets more of them goes first."""
    workspace: Workspace = Workspace.JOB
    limits: RunLimits = RunLimits()
    loss: LossPolicy = LossPolicy()
    retry: RetryPolicy = RetryPolicy()
    priority: int = 0
    concurrency: str | None = None
    """The concurrency group of its runs, in its project."""
    expiry: float | None = None
    """Seconds after which a run that nobody took is cancelled; None: as the master's settings say."""
    retention: Retention | None = None
    """None: as its project's."""
    token: bool = False
    """Whether its runs get a token for the API, valid for each alone."""


@dataclass(frozen=True, slots=True)
class Job:
    project: str
    identifier: str
    settings: JobSettings
    is_active: bool
    """Whether the configuration still has it; written by the master."""
    is_enabled: bool
    """The users' switch; written by the service, and kept when the configuration changes."""
    changed_at: datetime
