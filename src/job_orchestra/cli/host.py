"""Commands on the host of an installation work on the database itself; no application has to run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click

from job_orchestra.cli.options import read_settings
from job_orchestra.composition.loading import load_composition
from job_orchestra.composition.records import RecordsComposition
from job_orchestra.settings.sections import Settings

Result = TypeVar("Result")


def records_of(settings: Settings) -> RecordsComposition:
    """As the service builds them, so that what users replaced there is replaced here."""
    return load_composition("service", RecordsComposition, settings)


def on_host(settings_file: Path, work: Callable[[RecordsComposition], Awaitable[Result]]) -> Result:
    """Carries out `work` with the records of the installation."""

    async def carry_out() -> Result:
        async with records_of(read_settings(settings_file)) as records:
            return await work(records)

    return asyncio.run(carry_out())


def ask_new_password() -> str:
    """Twice on a terminal; from a pipe it is the first line."""
    if sys.stdin.isatty():
        password: str = click.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
        return password
    return sys.stdin.readline().rstrip("\n")
