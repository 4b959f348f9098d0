from __future__ import annotations

import shlex
from importlib.resources import files
from pathlib import Path

import click

from job_orchestra.domain.errors import Conflict

FILES = ("orchestra.toml", "projects.py", "README.md")
_IGNORED = ".orchestra\norchestra.db*\nlogs\nservice\nworker*\nwebsite.keys\n__pycache__\n"


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
def init(directory: Path) -> None:
    """Make a new installation in an empty directory, with one job."""
    if directory.exists() and any(directory.iterdir()):
        raise Conflict(f"{directory} is not empty.")
    directory.mkdir(parents=True, exist_ok=True)
    templates = files("job_orchestra.cli") / "templates" / "installation"
    for name in FILES:
        (directory / name).write_text((templates / name).read_text(encoding="utf-8"), encoding="utf-8")
    # The secrets and data of an installation do not belong into version control.
    (directory / ".gitignore").write_text(_IGNORED, encoding="utf-8")
    click.echo(f"Made an installation in {directory}: {', '.join(FILES)}.")
    click.echo("Next:")
    for command in (f"cd {shlex.quote(str(directory))}", "orchestra up"):
        click.echo(f"  {command}")
    click.echo("and then, in the same directory on a second terminal:")
    click.echo("  orchestra trigger example hello -p name=you --follow")
