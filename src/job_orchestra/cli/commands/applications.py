"""The applications that are commands without subcommands; `orchestra worker` is in `workers`."""

from __future__ import annotations

from pathlib import Path

import click

from job_orchestra.cli.foreground import run_application
from job_orchestra.cli.options import settings_option


@click.command()
@settings_option
def master(settings_file: Path) -> None:
    """Schedule runs and supervise workers, until SIGTERM or Ctrl-C."""
    run_application("master", settings_file)


@click.command()
@settings_option
def service(settings_file: Path) -> None:
    """Serve the HTTP API, until SIGTERM or Ctrl-C."""
    run_application("service", settings_file)


@click.command()
@settings_option
def website(settings_file: Path) -> None:
    """Serve the pages, until SIGTERM or Ctrl-C."""
    run_application("website", settings_file)
