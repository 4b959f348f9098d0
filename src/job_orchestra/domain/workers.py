from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from job_orchestra.domain.json import JsonObject, JsonValue

MOST_EXECUTORS = 1_000_000
REFUSAL_PAUSE = timedelta(seconds=10)
"""For which a worker that refused a run gets no other."""
_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Refusal:
    """A run that a worker did not take when it was given it."""

    run: str
    reason: str
    """A sentence of the worker's."""
    date: datetime

    @property
    def until(self) -> datetime:
        """From then on the worker is given runs again."""
        return self.date + REFUSAL_PAUSE

    def is_in_force(self, now: datetime) -> bool:
        """However far clocks were turned, for no longer than the pause."""
        return abs(now - self.date) < REFUSAL_PAUSE


def refusal_of(run: str, reason: str, date: datetime) -> Refusal:
    """With as much of the reason as is kept and shown."""
    readable = "".join(character if character.isprintable() else " " for character in reason[:_LONGEST_REASON])
    return Refusal(run, readable.strip() or "It gave no reason.", date)


@dataclass(frozen=True, slots=True)
class WorkerDescription:
    """What a worker says of itself, at each connection and while it is there."""

    version: str
    display_name: str = ""
    executor_limit: int = 1
    properties: JsonObject = field(default_factory=dict[str, JsonValue])
    """Described by the worker itself (host, operating system, …), overlaid with those of its settings."""
    hindrance: str = ""
    """Why it takes no new runs at present, to be read behind its name; empty if it does."""
    refusal: Refusal | None = None
    """The last one over this connection, unless it has taken a run since."""


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
