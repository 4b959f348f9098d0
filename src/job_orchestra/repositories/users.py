"""Users: created at runtime, with roles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from job_orchestra.domain.account_rules import identifier_mistakes, password_mistakes, text_mistakes
from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import Conflict, Invalid, NotFound
from job_orchestra.domain.roles import Role
from job_orchestra.domain.users import TokenKind, User
from job_orchestra.repositories.conditions import ATTEMPTS, Contended, equal, find_everything, find_one
from job_orchestra.repositories.paging import LIMIT, Listed, list_page
from job_orchestra.repositories.passwords import PasswordHasher
from job_orchestra.repositories.rows.columns import text
from job_orchestra.repositories.rows.users import user_from_row, user_to_row
from job_orchestra.storage.port import Batch, Condition, Delete, Find, Insert, Order, Row, Storage, Update
from job_orchestra.storage.schema import TOKENS, USERS, WORKERS


class Users:
    def __init__(self, storage: Storage, clock: Clock, hasher: PasswordHasher) -> None:
        self._storage = storage
        self._clock = clock
        self._hasher = hasher

    async def create(
        self, identifier: str, roles: tuple[Role, ...] = (), display_name: str = "", password: str | None = None
    ) -> User:
        """Without a password it is a service user, who has tokens only. Invalid, or Conflict if the name is taken."""
        mistakes = [
            *identifier_mistakes("identifier", identifier),
            *text_mistakes("display_name", display_name),
            *password_mistakes("password", password),
        ]
        if mistakes:
            raise Invalid(mistakes)
        user = User(
            identifier=identifier,
            roles=tuple(dict.fromkeys(roles)),
            created_at=self._clock.now(),
            display_name=display_name,
            password=None if password is None else await self._hasher.hash(password),
        )
        outcome = await self._storage.write(Batch((Insert(USERS.name, user_to_row(user)),)))
        if not outcome.is_applied:
            raise Conflict(f"There is a user {identifier!r} already.")
        return user

    async def list(self, limit: int = LIMIT, cursor: str | None = None, descending: bool = False) -> Listed[User]:
        """By identifier."""
        query = Find(USERS.name, (), (Order("identifier", descending),), limit=limit)
        return await list_page(self._storage, query, cursor, user_from_row)

    async def get(self, user: str) -> User:
        """NotFound if there is none."""
        found = await self.find(user)
        if found is None:
            raise NotFound("user", user)
        return found

    async def find(self, user: str) -> User | None:
        row = await find_one(self._storage, Find(USERS.name, (equal("identifier", user),)))
        return None if row is None else user_from_row(row)

    async def update(self, user: str, display_name: str | None = None, roles: tuple[Role, ...] | None = None) -> User:
        """What is None stays as it is; Conflict if nobody would be left who manages users."""
        mistakes = list(text_mistakes("display_name", display_name))
        if mistakes:
            raise Invalid(mistakes)

        def change(found: User) -> User:
            return replace(
                found,
                display_name=found.display_name if display_name is None else display_name,
                roles=found.roles if roles is None else tuple(dict.fromkeys(roles)),
            )

        return await self._change(user, change)

    async def set_enabled(self, user: str, is_enabled: bool) -> User:
        """Conflict if nobody would be left who manages users."""
        return await self._change(user, lambda found: replace(found, is_enabled=is_enabled))

    async def set_password(self, user: str, password: str) -> None:
        """Ends the user's sessions."""
        await self.get(user)
        changes: Row = {"password": await self._hasher.hash(password)}
        sessions = (equal("user", user), equal("kind", TokenKind.SESSION.value))
        update = Update(USERS.name, (equal("identifier", user),), changes)
        outcome = await self._storage.write(Batch((update, Delete(TOKENS.name, sessions))))
        if not outcome.is_applied:
            raise NotFound("user", user)

    async def delete(self, user: str) -> None:
        """With its tokens; Conflict unless it is disabled and owns no worker."""
        found = await self.get(user)
        if found.is_administrator:
            await self._other_administrator(user)
        if found.is_enabled:
            raise Conflict(f"User {user!r} is enabled; disable it first.")
        owned = await find_one(self._storage, Find(WORKERS.name, (equal("owner", user),), (Order("identifier"),)))
        if owned is not None:
            raise Conflict(f"User {user!r} owns worker {text(owned, 'identifier')!r}; delete that first.")
        revision = found.revision + 1
        deleting = (equal("identifier", user), equal("revision", revision))
        outcome = await self._storage.write(
            Batch(
                (
                    Update(USERS.name, _as_seen(found), {"revision": revision}),
                    Delete(TOKENS.name, (equal("user", user),)),
                    Delete(USERS.name, deleting),
                )
            )
        )
        if not outcome.is_applied or outcome.rows[-1] == 0:
            raise Contended(f"User {user!r}")

    async def _change(self, user: str, change: Callable[[User], User]) -> User:
        """Compare-and-set, repeated on what it finds.

        Who takes the last thing from an administrator first counts up the revision of another one, and only then
        changes the user, both as they were seen. Of two administrators who disable each other at once, whoever is first
        has by that changed what the second one saw, in whatever order the four steps are carried out: so at least one
        administrator remains also where a database does not undo the first step when the second does not match.
        """
        for _ in range(ATTEMPTS):
            found = await self.get(user)
            changed = replace(change(found), revision=found.revision + 1)
            operations = [Update(USERS.name, _as_seen(found), _changes(changed))]
            if found.is_administrator and not changed.is_administrator:
                other = await self._other_administrator(user)
                operations.insert(0, Update(USERS.name, _as_seen(other), {"revision": other.revision + 1}))
            outcome = await self._storage.write(Batch(tuple(operations)))
            if outcome.is_applied:
                return changed
        raise Contended(f"User {user!r}")

    async def _other_administrator(self, user: str) -> User:
        """One that is enabled; Conflict if there is none."""
        enabled = Find(USERS.name, (equal("is_enabled", True),), (Order("identifier"),))
        for row in await find_everything(self._storage, enabled):
            found = user_from_row(row)
            if found.is_administrator and found.identifier != user:
                return found
        raise Conflict(
            f"User {user!r} is the only enabled administrator, and without one nobody can manage users. "
            "Give the role administrator to another enabled user first."
        )


def _as_seen(user: User) -> tuple[Condition, ...]:
    return (equal("identifier", user.identifier), equal("revision", user.revision))


def _changes(user: User) -> Row:
    row = user_to_row(user)
    return {column: row[column] for column in ("display_name", "roles", "is_enabled", "revision")}
