from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from job_orchestra.domain.json import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class WorkerDescription:
    """What a worker says of itself at each connection."""

    version: str
    display_name: str = ""
    executor_limit: int = 1
    properties: JsonObject = field(default_factory=dict[str, JsonValue])
    """Described by the worker itself (host, operating system, …), overlaid with those of its settings."""
    hindrance: str = ""
    """Why it takes no new runs at present, to be read behind its name; empty if it does."""


@dataclass(frozen=True, slots=True)
class Worker:
    identifier: str
    owner: str
    """The user whose token it registered with."""
    instance: str
    """Random, kept in the worker's directory: tells two workers of one name apart."""
    description: WorkerDescription
    registered_at: datetime

    # Wishes: written by the service.
    is_enabled: bool = True
    should_drain: bool = False
    """Takes no new runs, until it is enabled again."""
    should_disconnect: bool = False

    # Facts: written by the master.
    is_connected: bool = False
    connected_at: datetime | None = None
    disconnected_at: datetime | None = None
    skew: float | None = None
    """Seconds that the worker's clock is ahead of the master's, measured at hello."""
    master: str | None = None
    """Identifier of the master that holds its connection."""
    seen_at: datetime | None = None
    """When that master last said that it does."""
