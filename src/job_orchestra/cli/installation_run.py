"""An installation from its first start to the end of `orchestra up`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import Any

from job_orchestra.cli.children import Say
from job_orchestra.cli.database_wait import outlast, stopped_by_sigterm
from job_orchestra.cli.first_start import ADMINISTRATOR, NewPassword, create_accounts, create_database
from job_orchestra.cli.host import audited, records_of
from job_orchestra.cli.installation_check import check_installation
from job_orchestra.cli.supervision import only_one, plan_children, supervise
from job_orchestra.composition.installation_secrets import InstallationSecrets
from job_orchestra.domain.errors import OrchestraError
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.repositories.run_filters import RunFilter
from job_orchestra.settings.sections import Settings

Work = Callable[[str | None], Coroutine[Any, Any, bool]]
"""What is done when all is ready; is given the administrator's password if that was made now. True: all stays up."""


def run_installation(settings: Settings, workers: int, say: Say, work: Work, patience: float | None = None) -> None:
    """Until SIGTERM or SIGINT, or the end of `work`. Invalid, with all mistakes, before anything is changed.

    `patience`: seconds until all has to be ready. KeyboardInterrupt, also by SIGTERM, if it is told to stop before the
    applications are started.
    """
    check_installation(settings.file, os.environ)
    secrets = InstallationSecrets.of(settings.directory)
    with only_one(secrets.directory):
        with stopped_by_sigterm():
            password = _prepare(settings, secrets, say, patience)
        asyncio.run(supervise(plan_children(settings, workers), say, lambda: work(password), patience))


def _prepare(settings: Settings, secrets: InstallationSecrets, say: Say, patience: float | None) -> str | None:
    """Database and accounts, as soon as the database can be used; the administrator's password, if that is new."""
    if outlast(lambda: create_database(records_of(settings)), say, patience):
        say("The database is created.")
    new = NewPassword()
    if not outlast(lambda: asyncio.run(_create_accounts(settings, secrets, new)), say, patience):
        return None
    say(f"Login for the website: {ADMINISTRATOR}, password {new.value} (shown this once; keep it)")
    return new.value


async def _create_accounts(settings: Settings, secrets: InstallationSecrets, new: NewPassword) -> bool:
    async with records_of(settings) as records:
        return await audited(records, lambda: create_accounts(records, secrets, new), "installation.start")


def say_what_goes_on(settings: Settings, say: Say) -> None:
    """If runs are active: stopping applications does not end them."""
    active = asyncio.run(_active_runs(settings))
    if active:
        say(f"Runs that go on without us: {active}. The next `orchestra up` finds what they did.")


async def _active_runs(settings: Settings) -> str:
    try:
        async with records_of(settings) as records:
            active = await records.runs.list(RunFilter(statuses=(RunStatus.RUNNING,)), limit=100)
    except OrchestraError:
        return ""  # The database is gone, too: nothing can be said.
    return "more than 100" if active.next else str(len(active.items) or "")
