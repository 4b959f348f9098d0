"""Whether an installation can work: its settings, the classes they name, the address of its database, its projects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from job_orchestra.composition.loading import load_composition
from job_orchestra.composition.master import MasterComposition
from job_orchestra.composition.service import ServiceComposition
from job_orchestra.composition.users_code import has_module
from job_orchestra.composition.website import WebsiteComposition
from job_orchestra.composition.worker import WorkerComposition
from job_orchestra.domain.configuration import ConfiguredProject
from job_orchestra.domain.errors import Invalid, Mistake
from job_orchestra.settings.reading import examine_settings
from job_orchestra.settings.sections import Settings

Result = TypeVar("Result")


_WITHOUT_PROJECTS = frozenset({"service", "website", "worker"})


def check_host(settings_file: Path, environment: Mapping[str, str]) -> str:
    """A sentence about what is there; Invalid with every mistake. A host without a master needs no projects."""
    return _check(settings_file, environment, must_have_projects=False)


def check_installation(settings_file: Path, environment: Mapping[str, str]) -> str:
    """The same of a host that is to have all applications."""
    return _check(settings_file, environment, must_have_projects=True)


def _check(settings_file: Path, environment: Mapping[str, str], *, must_have_projects: bool) -> str:
    settings, mistakes = examine_settings(settings_file, environment, must_exist=True)
    master = _attempt(lambda: load_composition("master", MasterComposition, settings), mistakes)
    service = _attempt(lambda: load_composition("service", ServiceComposition, settings), mistakes)
    website = _attempt(lambda: load_composition("website", WebsiteComposition, settings), mistakes)
    _attempt(lambda: load_composition("worker", WorkerComposition, settings), mistakes)
    # What a composition that cannot be used would have replaced is checked as it is without it.
    records = service or ServiceComposition(settings)
    _attempt(lambda: records.administration, mistakes)
    _attempt(lambda: (website or WebsiteComposition(settings)).parts, mistakes)
    projects: Sequence[ConfiguredProject] | None = None
    if must_have_projects or _should_have_projects(settings, can_tell=bool(settings.named) or not mistakes):
        projects = _attempt((master or MasterComposition(settings)).load_projects, mistakes)
    if mistakes:
        raise Invalid(mistakes)
    return f"{settings.file.name} is in order: {_summary(projects)}."


def _should_have_projects(settings: Settings, *, can_tell: bool) -> bool:
    """Not where the settings are those of other applications, or unreadable, unless projects are there all the same."""
    is_for_others = bool(settings.named & _WITHOUT_PROJECTS) and not settings.named & {"master", "projects"}
    return (can_tell and not is_for_others) or has_module(settings.projects.module, settings.directory)


def _attempt(part: Callable[[], Result], mistakes: list[Mistake]) -> Result | None:
    """None, and its mistakes, where it is Invalid."""
    try:
        return part()
    except Invalid as error:
        mistakes.extend(mistake for mistake in error.mistakes if mistake not in mistakes)
        return None


def _summary(projects: Sequence[ConfiguredProject] | None) -> str:
    if projects is None:
        return "it has neither [master] nor [projects], so no projects are looked for"
    jobs = sum(len(project.jobs) for project in projects)
    schedules = sum(len(project.schedules) for project in projects)
    return f"{_count(len(projects), 'project')}, {_count(jobs, 'job')}, {_count(schedules, 'schedule')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
