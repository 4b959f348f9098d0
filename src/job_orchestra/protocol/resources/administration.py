"""The audit trail, measures, and what an installation consists of."""

from __future__ import annotations

from job_orchestra.domain.json import JsonObject
from job_orchestra.protocol.resources.answers import Answer


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
