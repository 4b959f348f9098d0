from __future__ import annotations

from pathlib import Path

import click

from job_orchestra.cli.first_start import ADMINISTRATOR
from job_orchestra.cli.installation_run import run_installation, say_what_goes_on
from job_orchestra.cli.options import read_installation, settings_option


@click.command()
@click.option("--workers", type=click.IntRange(1, 100), default=1, show_default=True, help="How many on this host.")
@settings_option
def up(settings_file: Path, workers: int) -> None:
    """Run all applications of the installation, until Ctrl-C.

    At the first start it creates the database, an administrator, and what the workers need. An application that dies
    is started again. While the database cannot be used, it waits and says so. Runs are not ended by Ctrl-C.
    """
    settings = read_installation(settings_file)

    async def tell(password: str | None) -> bool:
        login = "" if password is None else f" (log in as {ADMINISTRATOR})"
        click.echo(f"All is ready: {settings.website.url}{login}. Ctrl-C stops it.")
        return True

    try:
        run_installation(settings, workers, click.echo, tell)
    except KeyboardInterrupt:
        click.echo("Stopping.")
        return
    say_what_goes_on(settings, click.echo)
