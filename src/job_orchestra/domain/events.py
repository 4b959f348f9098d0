"""Events of a run's journal: written by the executor host, kept by the master, shown to people.

They are numbered from 1 per attempt. Dates are UTC of the worker's host, durations from its monotonic clock. Those of a
pipeline are written by the master, and dated by it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.reasons import Reason
from job_orchestra.domain.statuses import RunStatus


class Phase(StrEnum):
    SETUP = "setup"
    COMMANDS = "commands"
    TEARDOWN = "teardown"


@dataclass(frozen=True, slots=True)
class Started:
    """The executor host took the run up: always event 1, and the point after which it is never executed again."""

    sequence: int
    date: datetime
    host: JsonObject = field(default_factory=dict[str, JsonValue])
    """Identity of the executor host's process (see `execution.process_identity`)."""
    workspace: str = ""


@dataclass(frozen=True, slots=True)
class CommandStarted:
    sequence: int
    date: datetime
    phase: Phase
    index: int
    arguments: tuple[str, ...]
    log_offset: int
    """Where in the log its output begins."""
    process: int


@dataclass(frozen=True, slots=True)
class CommandEnded:
    sequence: int
    date: datetime
    phase: Phase
    index: int
    exit_code: int
    """Negative: ended by that signal."""
    duration: float
    log_offset: int
    """Where in the log its output ends."""


@dataclass(frozen=True, slots=True)
class ResultsChanged:
    sequence: int
    date: datetime
    results: JsonObject
    """All results so far."""


@dataclass(frozen=True, slots=True)
class Ended:
    sequence: int
    date: datetime
    status: RunStatus
    reason: Reason
    duration: float
    log_size: int
    log_sha256: str


@dataclass(frozen=True, slots=True)
class PartTriggered:
    sequence: int
    date: datetime
    part: str
    """Its label (see `pipelines.parts`)."""
    project: str
    job: str
    run: str
    is_kept: bool = False
    """It is one of an earlier run of the pipeline."""


@dataclass(frozen=True, slots=True)
class PartEnded:
    sequence: int
    date: datetime
    part: str
    run: str
    end: RunStatus
    sentence: str
    """Why it ended so."""


@dataclass(frozen=True, slots=True)
class PartRefused:
    """It gets no run, and counts as an exception."""

    sequence: int
    date: datetime
    part: str
    sentence: str
    is_stopped: bool = False
    """It counts as cancelled: the pipeline is to be aborted."""


@dataclass(frozen=True, slots=True)
class ElementSkipped:
    sequence: int
    date: datetime
    element: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Concluded:
    """All elements have ended, and this is what it comes to; what is wished of the pipeline from now on is too late."""

    sequence: int
    date: datetime
    status: RunStatus
    reason: Reason


PipelineEvent: TypeAlias = PartTriggered | PartEnded | PartRefused | ElementSkipped | Concluded
Event: TypeAlias = Started | CommandStarted | CommandEnded | ResultsChanged | Ended | PipelineEvent
