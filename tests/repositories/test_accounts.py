from __future__ import annotations

import asyncio
from hashlib import sha256

import pytest

from job_orchestra.composition.databases import open_storage
from job_orchestra.domain.errors import Conflict, Invalid, NotFound, Unauthenticated
from job_orchestra.domain.roles import Role
from job_orchestra.domain.users import TokenKind, User
from job_orchestra.domain.workers import WorkerDescription
from job_orchestra.repositories.accounts import Accounts
from job_orchestra.repositories.passwords import PasswordHasher
from job_orchestra.storage.port import Find, Order
from job_orchestra.storage.schema import TOKENS, USERS
from tests.connecting import connect_worker
from tests.repositories.records import Records, play

_DAY = 24 * 3600.0
_PASSWORD = "correct horse"


async def _prepare(records: Records) -> None:
    await records.accounts.create_user("alice", (Role.OPERATOR,), "Alice", _PASSWORD)


def test_login_gives_a_session_of_a_week(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await _prepare(records)
        new = await records.accounts.login("alice", _PASSWORD)
        assert len(new.secret) == 64
        for user in ("alice", None):
            identity = await records.accounts.authenticate(new.secret, user)
            assert identity.user == await records.accounts.get_user("alice")
            assert identity.token == new.token
        records.clock.advance(7 * _DAY - 1)
        await records.accounts.authenticate(new.secret)
        records.clock.advance(1)
        with pytest.raises(Unauthenticated):
            await records.accounts.authenticate(new.secret)

    play(database_url, scenario)


@pytest.mark.parametrize(
    ("user", "password"), [("alice", "wrong"), ("nobody", _PASSWORD), ("a\0", ""), ("", "x" * 9999)]
)
def test_a_wrong_login_says_not_what_was_wrong(sqlite_url: str, user: str, password: str) -> None:
    async def scenario(records: Records) -> None:
        await _prepare(records)
        with pytest.raises(Unauthenticated, match=r"User or password is wrong\."):
            await records.accounts.login(user, password)

    play(sqlite_url, scenario)


def test_a_user_without_password_cannot_log_in(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await records.accounts.create_user("robot")
        with pytest.raises(Unauthenticated):
            await records.accounts.login("robot", "")

    play(database_url, scenario)


def test_a_token_is_its_users_alone(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await _prepare(records)
        await records.accounts.create_user("bob-the-builder")
        new = await records.accounts.create_token("alice", description="for scripts")
        for secret, user in (
            (new.secret, "bob-the-builder"),
            (new.secret, "\0"),
            ("0" * 64, None),
            ("\ud800", "alice"),
        ):
            with pytest.raises(Unauthenticated):
                await records.accounts.authenticate(secret, user)
        with pytest.raises(NotFound):
            await records.accounts.delete_token("bob-the-builder", new.token.identifier)
        await records.accounts.delete_token("alice", new.token.identifier)
        with pytest.raises(Unauthenticated):
            await records.accounts.authenticate(new.secret)

    play(database_url, scenario)


def test_a_session_is_renewed_once_a_day(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await _prepare(records)
        session = (await records.accounts.login("alice", _PASSWORD)).token
        records.clock.advance(_DAY - 1)
        assert await records.accounts.renew_session(session) == session
        records.clock.advance(1)
        renewed = await records.accounts.renew_session(session)
        assert session.expires_at is not None
        assert renewed.expires_at is not None
        assert (renewed.expires_at - session.expires_at).total_seconds() == _DAY
        assert (await records.accounts.list_tokens("alice")).items == [renewed]
        personal = (await records.accounts.create_token("alice", lifetime=10 * _DAY)).token
        records.clock.advance(2 * _DAY)
        assert await records.accounts.renew_session(personal) == personal

    play(database_url, scenario)


def test_a_new_password_ends_the_sessions_and_keeps_the_tokens(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await _prepare(records)
        session = await records.accounts.login("alice", _PASSWORD)
        token = await records.accounts.create_token("alice")
        user = await records.accounts.get_user("alice")
        with pytest.raises(Invalid, match="current"):
            await records.accounts.change_password(user, "wrong", "battery staple")
        await records.accounts.change_password(user, _PASSWORD, "battery staple")
        with pytest.raises(Unauthenticated):
            await records.accounts.authenticate(session.secret)
        await records.accounts.authenticate(token.secret)
        await records.accounts.login("alice", "battery staple")
        with pytest.raises(Invalid, match="8 to 1024"):
            await records.accounts.set_password("alice", "short")
        with pytest.raises(NotFound):
            await records.accounts.set_password("nobody", "battery staple")

    play(database_url, scenario)


def test_secrets_and_passwords_are_not_stored(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await _prepare(records)
        new = await records.accounts.login("alice", _PASSWORD)
        tokens = await records.storage.find(Find(TOKENS.name, (), (Order("identifier"),)))
        users = await records.storage.find(Find(USERS.name, (), (Order("identifier"),)))
        assert tokens[0]["sha256"] == sha256(new.secret.encode()).hexdigest()
        assert new.secret not in str(tokens)
        assert str(users[0]["password"]).startswith("pbkdf2_sha256$10$")
        assert _PASSWORD not in str(users)

    play(database_url, scenario)


def test_the_real_hasher_takes_a_million_iterations() -> None:
    assert PasswordHasher().iterations == 1_000_000


def test_control_tokens_last_a_minute_and_are_removed(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await _prepare(records)
        secret = await records.accounts.create_control_token()
        await records.accounts.check_control_token(secret)
        assert (await records.accounts.authenticate(secret)).token.kind is TokenKind.CONTROL
        personal = await records.accounts.create_token("alice")
        with pytest.raises(Unauthenticated):
            await records.accounts.check_control_token(personal.secret)
        records.clock.advance(61)
        with pytest.raises(Unauthenticated):
            await records.accounts.check_control_token(secret)
        await records.accounts.create_control_token()
        kinds = [row["kind"] for row in await records.storage.find(Find(TOKENS.name, (), (Order("identifier"),)))]
        assert kinds.count("control") == 1

    play(database_url, scenario)


@pytest.mark.parametrize("identifier", ["ab", "-abc", "abc-", "a b", "a" * 33, "service", "é" * 5, ""])
def test_names_that_no_user_can_have(sqlite_url: str, identifier: str) -> None:
    async def scenario(records: Records) -> None:
        with pytest.raises(Invalid, match="identifier"):
            await records.accounts.create_user(identifier)

    play(sqlite_url, scenario)


def test_the_life_of_a_user(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await _prepare(records)
        with pytest.raises(Conflict, match="already"):
            await records.accounts.create_user("alice")
        updated = await records.accounts.update_user("alice", roles=(Role.VIEWER, Role.WORKER, Role.VIEWER))
        assert (updated.roles, updated.display_name) == ((Role.VIEWER, Role.WORKER), "Alice")
        assert (await records.accounts.update_user("alice", display_name="A.")).display_name == "A."
        token = await records.accounts.create_token("alice")
        with pytest.raises(Conflict, match="disable it first"):
            await records.accounts.delete_user("alice")
        await records.accounts.set_user_enabled("alice", False)
        await connect_worker(records.workers, "w", "alice", "i", WorkerDescription("1"), 0.0, "m")
        with pytest.raises(Conflict, match="owns worker 'w'"):
            await records.accounts.delete_user("alice")
        await records.workers.set_enabled("w", False)
        await records.workers.disconnect(await records.workers.get("w"))
        await records.workers.delete("w")
        await records.accounts.delete_user("alice")
        with pytest.raises(Unauthenticated):
            await records.accounts.authenticate(token.secret)
        with pytest.raises(NotFound):
            await records.accounts.get_user("alice")

    play(database_url, scenario)


def test_lifetimes_of_tokens(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        await _prepare(records)
        for lifetime in (0, -1, 1e300, float("nan"), float("inf")):
            with pytest.raises(Invalid, match="expires_in"):
                await records.accounts.create_token("alice", lifetime=lifetime)
        with pytest.raises(Invalid, match="description"):
            await records.accounts.create_token("alice", description="a\0b")
        with pytest.raises(NotFound):
            await records.accounts.create_token("nobody")

    play(database_url, scenario)


def test_the_only_administrator_stays_one(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        accounts = records.accounts
        await accounts.create_user("ada", (Role.ADMINISTRATOR, Role.VIEWER))
        await accounts.create_user("asleep", (Role.ADMINISTRATOR,))
        await accounts.set_user_enabled("asleep", False)
        await accounts.create_user("viewer", (Role.VIEWER,))
        for refused in (
            accounts.set_user_enabled("ada", False),
            accounts.update_user("ada", roles=(Role.VIEWER,)),
            accounts.update_user("ada", "A.", roles=()),
            accounts.delete_user("ada"),
        ):
            with pytest.raises(Conflict, match=r"'ada' is the only enabled administrator.*Give the role"):
                await refused
        ada = await accounts.get_user("ada")
        assert (ada.roles, ada.is_enabled, ada.display_name) == ((Role.ADMINISTRATOR, Role.VIEWER), True, "")
        assert (await accounts.update_user("ada", "A.", roles=(Role.ADMINISTRATOR,))).display_name == "A."
        assert not (await accounts.set_user_enabled("viewer", False)).is_enabled
        await accounts.delete_user("asleep")
        await accounts.update_user("viewer", roles=(Role.ADMINISTRATOR,))
        with pytest.raises(Conflict, match="only enabled administrator"):
            await accounts.set_user_enabled("ada", False)
        await accounts.set_user_enabled("viewer", True)
        assert not (await accounts.set_user_enabled("ada", False)).is_enabled
        await accounts.delete_user("ada")

    play(database_url, scenario)


def test_administrators_who_remove_each_other_at_once_leave_one(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        other = open_storage(database_url)  # a second service, with connections of its own
        services = (records.accounts, Accounts(other, records.clock))
        names = [f"admin-{number}" for number in range(6)]
        for name in names:
            await records.accounts.create_user(name, (Role.ADMINISTRATOR,))
        try:
            for _ in range(5):
                removals = [
                    services[number % 2].set_user_enabled(name, False)
                    if number % 3
                    else services[number % 2].update_user(name, roles=(Role.VIEWER,))
                    for number, name in enumerate(names)
                ]
                results = await asyncio.gather(*removals, return_exceptions=True)
                assert all(isinstance(result, (User, Conflict)) for result in results), results
                users = [await records.accounts.get_user(name) for name in names]
                assert any(user.is_administrator for user in users), results
                for name in names:
                    await records.accounts.update_user(name, roles=(Role.ADMINISTRATOR,))
                    await records.accounts.set_user_enabled(name, True)
        finally:
            await other.close()

    play(database_url, scenario)
