"""What `orchestra up` makes by itself: the database, a user and token for the workers, one for the command line."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from job_orchestra.client.credentials import Credentials
from job_orchestra.composition.installation_secrets import InstallationSecrets, read_secret, write_secret
from job_orchestra.composition.records import RecordsComposition
from job_orchestra.domain.errors import Conflict, NotFound, Unauthenticated
from job_orchestra.domain.roles import Role
from job_orchestra.domain.users import TokenKind
from job_orchestra.repositories.accounts import Accounts
from job_orchestra.storage.port import SchemaState

ADMINISTRATOR = "admin"
WORKER = "worker"


@dataclass(frozen=True, slots=True)
class FirstStart:
    is_database_new: bool
    password: str | None
    """Of the administrator, if that was made now: shown this once, kept nowhere."""


def create_database(records: RecordsComposition) -> bool:
    """Whether there was none; Conflict if there is one that this program cannot use."""
    match records.administration.state():
        case SchemaState.CURRENT:
            return False
        case SchemaState.MISSING:
            records.administration.create()
            return True
        case SchemaState.OLDER:
            raise Conflict("The database has an older schema: make a copy of it, then `orchestra database upgrade`.")
        case SchemaState.NEWER:
            raise Conflict("The database has a newer schema than this program knows: install the newer program.")


async def create_accounts(records: RecordsComposition, installation: InstallationSecrets) -> str | None:
    """The password of the administrator, if it had to be made. Users that are there are left as they are."""
    accounts = records.accounts
    password = await _create_administrator(accounts)
    if password is not None or await _exists(accounts, ADMINISTRATOR):
        await _provide_token(accounts, installation.command_line, ADMINISTRATOR, "command line on the host")
    settings = records.settings.worker
    if not (settings.user or settings.token or settings.token_file):
        if not await _exists(accounts, WORKER):
            await accounts.create_user(WORKER, (Role.WORKER,), "Workers of this installation")
        await _provide_token(accounts, installation.worker, WORKER, "workers of orchestra up")
    return password


async def _create_administrator(accounts: Accounts) -> str | None:
    """None if there is any user yet that may manage users."""
    cursor = None
    while True:
        page = await accounts.list_users(cursor=cursor)
        if any(Role.ADMINISTRATOR in user.roles for user in page.items):
            return None
        if page.next is None:
            break
        cursor = page.next
    if await _exists(accounts, ADMINISTRATOR):
        return None  # Somebody took its roles away, and is not to be outwitted.
    password = secrets.token_urlsafe(12)
    await accounts.create_user(ADMINISTRATOR, (Role.ADMINISTRATOR,), "Administrator", password)
    return password


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
