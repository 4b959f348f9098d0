from __future__ import annotations

import asyncio
import os
import shlex
import socket
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

import click
from rich.console import Console

from job_orchestra.cli.examples import run_examples
from job_orchestra.cli.exit_codes import ExitCode
from job_orchestra.cli.first_start import ADMINISTRATOR
from job_orchestra.cli.host_stop import end_hosts, stop_idle_hosts
from job_orchestra.cli.installation_run import run_installation, say_what_goes_on
from job_orchestra.client.asynchronous import AsyncClient
from job_orchestra.client.credentials import Credentials
from job_orchestra.composition.installation_secrets import InstallationSecrets, read_secret
from job_orchestra.domain.errors import Conflict, Unavailable
from job_orchestra.settings.reading import load_settings
from job_orchestra.settings.sections import LOCAL, Settings

_FILES = ("projects.py", "build.py", "check.py", "measure.py")
_PORTS = {"master": 5901, "service": 5902, "website": 5903}
_PATIENCE = 60.0
"""Seconds that the start, and then the examples, may take on a slow machine."""


@click.command()
@click.option("--directory", type=click.Path(path_type=Path, file_okay=False), help="Kept; default: a temporary one.")
@click.option("--exit", "should_exit", is_flag=True, help="Stop after the examples; 0 if each ended as it should.")
@click.pass_context
def demo(ctx: click.Context, directory: Path | None, should_exit: bool) -> None:
    """Show everything at work: an installation with example runs, until Ctrl-C."""
    if directory is not None:
        settings = _make_installation(directory)
        are_as_expected = _show(settings, should_exit)
        stop_idle_hosts(settings.worker.directory)
        say_what_goes_on(settings, click.echo)
    else:
        with tempfile.TemporaryDirectory(prefix="orchestra-demo-", ignore_cleanup_errors=True) as temporary:
            settings = _make_installation(Path(temporary))
            try:
                are_as_expected = _show(settings, should_exit)
            finally:
                # Runs go on without the worker, but not without the directory.
                end_hosts(settings.worker.directory)
    if not are_as_expected:
        ctx.exit(ExitCode.FAILED)


def _show(settings: Settings, should_exit: bool) -> bool:
    """Whether the examples ended as they should."""
    # Without a terminal nobody wraps lines for us.
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 160)
    are_as_expected = True

    async def work(password: str | None) -> bool:
        nonlocal are_as_expected
        async with AsyncClient(settings.service.url, _credentials(settings)) as client:
            try:
                async with asyncio.timeout(_PATIENCE):
                    are_as_expected = await run_examples(client, console)
            except TimeoutError:
                raise Unavailable(f"The examples did not end within {_PATIENCE:g} seconds.") from None
        _tell_what_is_there(settings, password, console)
        if not should_exit:
            console.print("Ctrl-C ends it.")
        return not should_exit

    console.print(f"An installation in {settings.directory}")
    run_installation(settings, 1, console.print, work, _PATIENCE)
    return are_as_expected


def _tell_what_is_there(settings: Settings, password: str | None, console: Console) -> None:
    login = f"password {password}" if password else "with the password of the first start"
    console.print(f"Website: {settings.website.url}   Login: {ADMINISTRATOR}, {login}")
    console.print(f"On a second terminal:  cd {shlex.quote(str(settings.directory))} && orchestra run list")


def _credentials(settings: Settings) -> Credentials:
    credentials = read_secret(InstallationSecrets.of(settings.directory).command_line)
    assert credentials is not None
    return credentials


def _make_installation(directory: Path) -> Settings:
    """A new one, or the one of an earlier demonstration."""
    file = directory / "orchestra.toml"
    if not file.exists():
        if directory.exists() and any(directory.iterdir()):
            raise Conflict(f"{directory} is neither empty nor an installation.")
        directory.mkdir(parents=True, exist_ok=True)
        templates = files("job_orchestra.cli") / "templates" / "demo"
        for name in _FILES:
            (directory / name).write_text((templates / name).read_text(encoding="utf-8"), encoding="utf-8")
        ports = "\n".join(f"[{name}]\nport = {_free_port(port)}\n" for name, port in _PORTS.items())
        log = '[logging]\nfile = "orchestra.log"\n'
        file.write_text(f'{ports}\n[worker]\nidentifier = "demo"\nexecutor_limit = 2\n\n{log}', encoding="utf-8")
    return load_settings(file, os.environ)


def _free_port(wanted: int) -> int:
    """The wanted one, or any other if that is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOCAL, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Unavailable("There is no free port on this host.")
