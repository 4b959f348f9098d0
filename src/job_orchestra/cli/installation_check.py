"""Whether an installation can work: its settings, the classes they name, the address of its database, its projects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from job_orchestra.cli.foreground import COMPOSITIONS, load_composition
from job_orchestra.cli.host import records_of
from job_orchestra.composition.master import MasterComposition
from job_orchestra.domain.errors import Invalid, Mistake
from job_orchestra.settings.reading import examine_settings
from job_orchestra.settings.sections import Settings


def check_installation(settings_file: Path, environment: Mapping[str, str]) -> str:
    """A sentence about what is there; Invalid with every mistake."""
    settings, mistakes = examine_settings(settings_file, environment, must_exist=True)
    for check in _checks(settings):
        try:
            check()
        except Invalid as error:
            mistakes.extend(mistake for mistake in error.mistakes if mistake not in mistakes)
    projects = _projects(settings, mistakes)
    if mistakes:
        raise Invalid(mistakes)
    return f"{settings.file.name} is in order: {projects}."


def _checks(settings: Settings) -> Iterator[Callable[[], object]]:
    for name in COMPOSITIONS:
        yield partial(load_composition, name, settings)
    yield lambda: records_of(settings).administration


def _projects(settings: Settings, mistakes: list[Mistake]) -> str:
    try:
        composition = load_composition("master", settings)
        assert isinstance(composition, MasterComposition)
        projects = composition.load_projects()
    except Invalid as error:
        mistakes.extend(mistake for mistake in error.mistakes if mistake not in mistakes)
        return ""
    jobs = sum(len(project.jobs) for project in projects)
    schedules = sum(len(project.schedules) for project in projects)
    return f"{_count(len(projects), 'project')}, {_count(jobs, 'job')}, {_count(schedules, 'schedule')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
