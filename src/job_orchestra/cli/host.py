"""Commands on the host of an installation work on the database itself; no application has to run."""

from __future__ import annotations

import asyncio
import os
import pwd
import secrets
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click

from job_orchestra.cli.options import read_settings
from job_orchestra.composition.loading import load_composition
from job_orchestra.composition.records import RecordsComposition
from job_orchestra.domain.audit import (
    AuditEntry,
    AuditOrigin,
    AuditOutcome,
    new_audit_identifier,
    shown_details,
    shown_target,
)
from job_orchestra.domain.errors import OrchestraError, Unavailable
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.repositories.audited_storage import AuditedAction, acting
from job_orchestra.settings.sections import Settings

Result = TypeVar("Result")


def records_of(settings: Settings) -> RecordsComposition:
    """As the service builds them, so that what users replaced there is replaced here."""
    return load_composition("service", RecordsComposition, settings)


def on_host(
    settings_file: Path,
    work: Callable[[RecordsComposition], Awaitable[Result]],
    action: str | None = None,
    target: JsonObject | None = None,
    **details: JsonValue,
) -> Result:
    """Carries out `work` with the records of the installation.

    With an `action` it is in the audit trail before this returns, with its target and details.
    """

    async def carry_out() -> Result:
        async with records_of(read_settings(settings_file)) as records:
            if action is None:
                return await work(records)
            return await audited(records, lambda: work(records), action, target, **details)

    return asyncio.run(carry_out())


async def audited(
    records: RecordsComposition,
    work: Callable[[], Awaitable[Result]],
    action: str,
    target: JsonObject | None = None,
    **details: JsonValue,
) -> Result:
    """The same for who has the records already."""
    now = records.clock.now()
    identifier = new_audit_identifier(now, secrets.randbits(80))
    user, shown = _account()[:64], shown_target({kind: str(value) for kind, value in (target or {}).items()})
    entry = AuditEntry(identifier, now, AuditOrigin.HOST, action, user, target=shown, details=shown_details(details))
    deed = AuditedAction(entry)
    try:
        with acting(deed):
            result = await work()
    except Unavailable:
        raise
    except OrchestraError:
        await records.audit.conclude(deed, AuditOutcome.FAILED)
        raise
    await records.audit.conclude(deed, AuditOutcome.DONE)
    return result


def _account() -> str:
    """Whose process this is, by the host's word and not by that of its environment."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def ask_new_password() -> str:
    """Twice on a terminal; from a pipe it is the first line."""
    if sys.stdin.isatty():
        password: str = click.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
        return password
    return sys.stdin.readline().rstrip("\n")
