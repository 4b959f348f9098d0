"""What `orchestra up` makes at the first start survives a database that goes away in the middle of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from job_orchestra.cli.database_wait import outlast
from job_orchestra.cli.first_start import ADMINISTRATOR, NewPassword, create_accounts, create_database
from job_orchestra.composition.installation_secrets import InstallationSecrets, read_secret
from job_orchestra.composition.records import RecordsComposition
from job_orchestra.domain.errors import Unauthenticated, Unavailable
from job_orchestra.domain.roles import Role
from job_orchestra.domain.users import User
from job_orchestra.repositories.accounts import Accounts
from job_orchestra.settings.reading import load_settings


class BreakingAccounts(Accounts):
    """Goes away once a user is made, before it can say so."""

    async def create_user(
        self, identifier: str, roles: tuple[Role, ...] = (), display_name: str = "", password: str | None = None
    ) -> User:
        await super().create_user(identifier, roles, display_name, password)
        raise Unavailable("Gone.")


def records_in(directory: Path) -> RecordsComposition:
    return RecordsComposition(load_settings(directory / "orchestra.toml", {}))


async def create(directory: Path, new: NewPassword, kind: type[Accounts] = Accounts) -> bool:
    async with records_in(directory) as records:
        records.accounts = kind(records.storage, records.clock)
        return await create_accounts(records, InstallationSecrets.of(directory), new)


def test_the_password_is_told_though_the_answer_was_lost(tmp_path: Path) -> None:
    assert create_database(records_in(tmp_path))
    new = NewPassword()
    for _ in range(2):  # the administrator, then the workers' user
        with pytest.raises(Unavailable):
            asyncio.run(create(tmp_path, new, BreakingAccounts))
    assert asyncio.run(create(tmp_path, new))

    async def look() -> None:
        async with records_in(tmp_path) as records:
            await records.accounts.login(ADMINISTRATOR, new.value)
            secret = read_secret(InstallationSecrets.of(tmp_path).command_line)
            assert secret is not None
            await records.accounts.authenticate(secret.token, ADMINISTRATOR)
            with pytest.raises(Unauthenticated):
                await records.accounts.login(ADMINISTRATOR, NewPassword().value)

    asyncio.run(look())
    assert not asyncio.run(create(tmp_path, NewPassword()))


def attempt_of(*outcomes: str | Exception) -> Callable[[], str]:
    left = list(outcomes)

    def attempt() -> str:
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return attempt


def test_waiting_is_told_once_for_each_reason() -> None:
    said: list[str] = []
    assert outlast(attempt_of("done"), said.append) == "done"
    assert said == []
    attempt = attempt_of(Unavailable("Down."), Unavailable("Down."), Unavailable("Full."), "done")
    assert outlast(attempt, said.append) == "done"
    assert said == [
        "Waiting for the database: Down.",
        "Waiting for the database: Full.",
        "The database can be used.",
    ]


def test_waiting_has_an_end_where_it_is_bounded_and_for_no_other_reason() -> None:
    with pytest.raises(Unavailable, match="Down"):
        outlast(attempt_of(Unavailable("Down.")), lambda _: None, patience=-1)
    with pytest.raises(ValueError, match="wrong"):
        outlast(attempt_of(Unavailable("Down."), ValueError("wrong")), lambda _: None)
