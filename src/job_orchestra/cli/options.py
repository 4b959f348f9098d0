"""Options that many commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from job_orchestra.settings.sections import Settings

Function = TypeVar("Function", bound=Callable[..., Any])
Decorator = Callable[[Function], Function]

DEFAULT_SETTINGS = "orchestra.toml"


class Output(StrEnum):
    TABLE = "table"
    JSON = "json"


def settings_option(function: Function) -> Function:
    """Passes `settings_file: Path`."""
    return click.option(
        "--settings",
        "settings_file",
        type=click.Path(path_type=Path),
        default=DEFAULT_SETTINGS,
        envvar="ORCHESTRA_SETTINGS",
        show_default=True,
        show_envvar=True,
        help="The settings file of the installation.",
    )(function)


def output_option(function: Function) -> Function:
    """Passes `output: Output`."""
    return click.option(
        "--output",
        type=click.Choice(Output, case_sensitive=False),
        default=Output.TABLE,
        show_default=True,
        help="For people, or for programs.",
    )(function)


def page_options(function: Function) -> Function:
    """Passes `limit: int` and `cursor: str | None`."""
    limit = click.option(
        "--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most so many."
    )
    cursor = click.option("--cursor", help="Where the page before ended.")
    return limit(cursor(function))


def read_settings(file: Path) -> Settings:
    """A file that was asked for by name has to be there; without one, the environment and defaults will do."""
    from job_orchestra.settings.reading import load_settings

    return load_settings(file, os.environ, must_exist=file != Path(DEFAULT_SETTINGS))


def read_installation(file: Path) -> Settings:
    """Of commands that make no sense outside an installation."""
    from job_orchestra.settings.reading import load_settings

    return load_settings(file, os.environ, must_exist=True)
