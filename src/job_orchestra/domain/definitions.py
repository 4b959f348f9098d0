"""How a job is executed. The `type` selects the executor; users add types of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, TypeAlias

from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.statuses import RunStatus

Command: TypeAlias = tuple[str, ...]
"""Arguments, each a format string (see `formatting`)."""


class Workspace(StrEnum):
    """Which directory the commands of a run find themselves in."""

    JOB = "job"
    """Kept between the runs of the job on that worker; one run at a time."""
    RUN = "run"
    """Fresh, and removed afterwards."""
    PROJECT = "project"
    """Kept between the runs of all jobs of the project that choose it; one run at a time."""


@dataclass(frozen=True, slots=True)
class CommandsDefinition:
    """`setup`, then `commands` up to the first failure, then `teardown`, which is always executed after setup began."""

    type: ClassVar[str] = "commands"
    commands: tuple[Command, ...]
    setup: tuple[Command, ...] = ()
    teardown: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True)
class After:
    """An element waits for `element` to end with one of `statuses`."""

    element: str
    statuses: tuple[RunStatus, ...] = (RunStatus.SUCCEEDED,)


@dataclass(frozen=True, slots=True)
class ElementDefinition:
    identifier: str
    job: str
    project: str | None = None
    after: tuple[After, ...] = ()
    parameters: JsonObject = field(default_factory=dict[str, JsonValue])


@dataclass(frozen=True, slots=True)
class PipelineDefinition:
    type: ClassVar[str] = "pipeline"
    elements: tuple[ElementDefinition, ...]


@dataclass(frozen=True, slots=True)
class CustomDefinition:
    """A type that the user's composition knows an executor for; `data` is that executor's business."""

    type: str
    data: JsonObject = field(default_factory=dict[str, JsonValue])


Definition: TypeAlias = CommandsDefinition | PipelineDefinition | CustomDefinition
