"""How a job is executed. The `type` selects the executor; users add types of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, TypeAlias

from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.retries import RetryPolicy
from job_orchestra.domain.statuses import ElementStatus

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
    statuses: tuple[ElementStatus, ...] = (ElementStatus.SUCCEEDED,)


@dataclass(frozen=True, slots=True)
class ElementDefinition:
    """Its texts are format strings or, in `when`, an expression, over what `pipelines.values` says."""

    identifier: str
    job: str
    project: str | None = None
    """None: that of the pipeline."""
    after: tuple[After, ...] = ()
    when: str = ""
    """What has to hold as well, once the elements before it have ended as they should."""
    for_each: str | tuple[JsonValue, ...] | None = None
    """A run for each item of a list: this one, or one that a field such as `{elements[plan][results][hosts]}` has."""
    parameters: JsonObject = field(default_factory=dict[str, JsonValue])
    retry: RetryPolicy | None = None
    """Of its runs; None: as their job says."""
    allow_failure: bool = False
    """However it ends, the pipeline and the elements behind it go on as if it had succeeded."""


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
