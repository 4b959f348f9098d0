"""The projects of an installation, from the module that the settings name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from job_orchestra.composition.cron_expressions import check_expression
from job_orchestra.composition.users_code import import_name
from job_orchestra.domain.configuration import ConfiguredProject, parse_projects


def load_projects(module: str, directory: Path) -> Sequence[ConfiguredProject]:
    """Imports `module:name` from `directory` or the installed packages; Invalid with every mistake of the projects."""
    return parse_projects(import_name(module, directory, "[projects] module"), check_expression)
