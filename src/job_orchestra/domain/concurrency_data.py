"""Concurrency groups as a projects file writes them, and whether what it says of them fits together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from job_orchestra.domain.checking import Mistakes, Reader, nearest
from job_orchestra.domain.definitions import PipelineDefinition
from job_orchestra.domain.jobs import JobSettings
from job_orchestra.domain.places import Place
from job_orchestra.domain.references import JobKey

MOST_AT_ONCE = 1000


def read_concurrency(reader: Reader) -> str | None:
    """The name of a job's group."""
    return None if reader.value is None else reader.name()


def read_concurrency_limits(reader: Reader) -> dict[str, int]:
    """How many runs of each group of a project may be assigned or running at once."""
    value = reader.value
    if not isinstance(value, Mapping):
        reader.expected("a table of concurrency groups and how many runs of each may go at once")
        return {}
    limits: dict[str, int] = {}
    for key, limit in cast("Mapping[object, object]", value).items():
        name = Reader(key, reader.mistakes, reader.place).name()
        if name:
            limits[name] = Reader(limit, reader.mistakes, reader.place.field(name)).integer(1, MOST_AT_ONCE)
    return limits


def check_limits(project: str, limits: Iterable[str], jobs: Mapping[JobKey, JobSettings], mistakes: Mistakes) -> None:
    """A limit of a group that no job names is a slip: the group that was meant would have another one."""
    named = sorted({job.concurrency for (owner, _), job in jobs.items() if owner == project and job.concurrency})
    for group in limits:
        if group not in named:
            place = Place().named("project", project).field("concurrency").field(group)
            mistakes.add(place, f"limits a group that no job of the project names{nearest(group, named)}")


def check_pipelines_in_groups(jobs: Mapping[JobKey, JobSettings], mistakes: Mistakes) -> None:
    """A pipeline holds its slot while it waits for its elements: they must not wait for that slot."""
    for (project, identifier), job in jobs.items():
        if isinstance(job.definition, PipelineDefinition) and job.concurrency:
            place = Place().named("project", project).named("job", identifier).field("concurrency")
            for owner, name in _inside(project, job.definition, jobs, set()):
                if owner == project and jobs[owner, name].concurrency == job.concurrency:
                    message = f"{job.concurrency} is the group of job {name} as well, which it contains and would block"
                    mistakes.add(place, message)


def _inside(
    project: str, pipeline: PipelineDefinition, jobs: Mapping[JobKey, JobSettings], seen: set[JobKey]
) -> list[JobKey]:
    """The jobs of its elements, and of theirs, each once; a pipeline that contains itself is told elsewhere."""
    found: list[JobKey] = []
    for element in pipeline.elements:
        key = (element.project or project, element.job)
        if key in seen or key not in jobs:
            continue
        seen.add(key)
        found.append(key)
        definition = jobs[key].definition
        if isinstance(definition, PipelineDefinition):
            found += _inside(key[0], definition, jobs, seen)
    return found
