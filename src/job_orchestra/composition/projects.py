"""The projects of an installation, from the module that the settings name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from job_orchestra.composition.cron_expressions import check_expression
from job_orchestra.composition.users_code import import_name, shown_file
from job_orchestra.domain.configuration import ConfiguredProject, parse_projects
from job_orchestra.domain.errors import Invalid, Mistake


def load_projects(module: str, directory: Path) -> Sequence[ConfiguredProject]:
    """Imports `module:name` from `directory` or the installed packages; Invalid with every mistake of the projects."""
    projects = import_name(module, directory, "[projects] module")
    try:
        return parse_projects(projects, check_expression)
    except Invalid as error:
        raise Invalid(_shown(mistake, directory) for mistake in error.mistakes) from None


def _shown(mistake: Mistake, directory: Path) -> Mistake:
    """With the file as its author calls it."""
    if mistake.origin is None:
        return mistake
    return replace(mistake, origin=replace(mistake.origin, file=shown_file(mistake.origin.file, directory)))
