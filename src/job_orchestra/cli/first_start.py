"""What `orchestra up` makes by itself: the database, a user and token for the workers, one for the command line."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from job_orchestra.client.credentials import Credentials
from job_orchestra.composition.installation_secrets import InstallationSecrets, read_secret, write_secret
from job_orchestra.composition.records import RecordsComposition
from job_orchestra.domain.errors import Conflict, NotFound, Unauthenticated
from job_orchestra.domain.roles import Role
from job_orchestra.domain.users import TokenKind
from job_orchestra.repositories.accounts import Accounts
from job_orchestra.storage.port import SchemaState
from job_orchestra.storage.schema_check import advice, require_current

ADMINISTRATOR = "admin"
WORKER = "worker"


@dataclass(slots=True)
class NewPassword:
    """Of the administrator, if one has to be made: shown once, kept nowhere."""

    value: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    is_tried: bool = False
    """Whether an administrator may have got it, even if nobody could tell us."""


def create_database(records: RecordsComposition) -> bool:
    """Whether there was none; Conflict if there is one that this program cannot use."""
    administration = records.administration
    state = administration.state()
    if state is SchemaState.MISSING:
        administration.create()
        return True
    if state is SchemaState.INCOMPLETE:
        # Applications wait for the import that may be under way; who is sitting before this is told at once.
        raise Conflict(f"The database {advice(state, *administration.versions())}.")
    require_current(administration)
    return False


async def create_accounts(records: RecordsComposition, installation: InstallationSecrets, new: NewPassword) -> bool:
    """Whether the administrator was made, with that password. Users that are there are left as they are.

    To be repeated, with the same password, after it was Unavailable.
    """
    accounts = records.accounts
    is_made = await _create_administrator(accounts, new)
    if is_made or await _exists(accounts, ADMINISTRATOR):
        await _provide_token(accounts, installation.command_line, ADMINISTRATOR, "command line on the host")
    settings = records.settings.worker
    if not (settings.user or settings.token or settings.token_file):
        if not await _exists(accounts, WORKER):
            await accounts.create_user(WORKER, (Role.WORKER,), "Workers of this installation")
        await _provide_token(accounts, installation.worker, WORKER, "workers of orchestra up")
    return is_made


async def _create_administrator(accounts: Accounts, new: NewPassword) -> bool:
    """Not if there is any user yet that may manage users."""
    if await _has_administrator(accounts) or await _exists(accounts, ADMINISTRATOR):
        # Somebody who took its roles away is not to be outwitted. But it may be the one of our last attempt.
        return new.is_tried and await _is_password(accounts, new.value)
    new.is_tried = True
    await accounts.create_user(ADMINISTRATOR, (Role.ADMINISTRATOR,), "Administrator", new.value)
    return True


async def _has_administrator(accounts: Accounts) -> bool:
    cursor = None
    while True:
        page = await accounts.list_users(cursor=cursor)
        if any(Role.ADMINISTRATOR in user.roles for user in page.items):
            return True
        if page.next is None:
            return False
        cursor = page.next


async def _is_password(accounts: Accounts, password: str) -> bool:
    try:
        session = await accounts.login(ADMINISTRATOR, password)
    except Unauthenticated:
        return False
    await accounts.logout(session.token)
    return True


async def _provide_token(accounts: Accounts, file: Path, user: str, description: str) -> None:
    """A file with a token that works; one that does not, of an earlier database say, is replaced."""
    present = read_secret(file)
    if present is not None:
        try:
            await accounts.authenticate(present.token, present.user)
        except Unauthenticated:
            present = None
    if present is None:
        new = await accounts.create_token(user, TokenKind.PERSONAL, description)
        write_secret(file, Credentials(new.secret, user))


async def _exists(accounts: Accounts, user: str) -> bool:
    try:
        await accounts.get_user(user)
    except NotFound:
        return False
    return True
