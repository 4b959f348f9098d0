from __future__ import annotations

import os
from pathlib import Path

import click

from job_orchestra.cli.installation_check import check_host
from job_orchestra.cli.options import settings_option


@click.group()
def config() -> None:
    """Check settings and projects."""


@config.command("check")
@settings_option
def check_config(settings_file: Path) -> None:
    """Report every mistake of settings and projects at once, each with its place.

    Settings that name other applications, but neither [master] nor [projects], are those of a host that needs no
    projects; they are checked there only if they are beside the settings file.
    """
    click.echo(check_host(settings_file, os.environ))
