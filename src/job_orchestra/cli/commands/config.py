from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from job_orchestra.cli.installation_check import check_host
from job_orchestra.cli.options import Output, output_option, read_installation, settings_option

if TYPE_CHECKING:
    from job_orchestra.domain.configuration_changes import Change


@click.group()
def config() -> None:
    """Check settings and projects; see and apply what changed in them."""


@config.command("check")
@settings_option
def check_config(settings_file: Path) -> None:
    """Report every mistake of settings and projects at once, each with its place.

    Settings that name other applications, but neither [master] nor [projects], are those of a host that needs no
    projects; they are checked there only if they are beside the settings file.
    """
    click.echo(check_host(settings_file, os.environ))


@config.command("plan")
@output_option
@settings_option
def plan_config(settings_file: Path, output: Output) -> None:
    """Tell what applying the projects would add, change and remove, field by field, and what follows from it."""
    from job_orchestra.cli.configuration_output import print_changes

    print_changes(output, asyncio.run(_changes(settings_file, should_apply=False)), are_applied=False)


@config.command("apply")
@output_option
@settings_option
def apply_config(settings_file: Path, output: Output) -> None:
    """Apply the projects to the database, while masters and services run; with a mistake, nothing of them.

    For the host of a master. That one does the same when it starts, and at SIGHUP. Runs that were triggered keep the
    definition that they were triggered with.
    """
    from job_orchestra.cli.configuration_output import print_changes

    print_changes(output, asyncio.run(_changes(settings_file, should_apply=True)), are_applied=True)


async def _changes(settings_file: Path, *, should_apply: bool) -> list[Change]:
    from job_orchestra.cli.host import audited
    from job_orchestra.composition.loading import load_composition
    from job_orchestra.composition.master import MasterComposition

    composition = load_composition("master", MasterComposition, read_installation(settings_file))
    projects = composition.load_projects()
    async with composition:
        await composition.check_schema()
        changes = await composition.projects.plan(projects)
        if should_apply:
            await audited(composition, lambda: composition.projects.apply(projects), "config.apply")
    return changes
