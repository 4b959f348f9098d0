"""Users: created at runtime, with roles."""

from __future__ import annotations

from dataclasses import replace

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import Conflict, Invalid, Mistake, NotFound
from job_orchestra.domain.identifiers import USER_NAME, USER_NAME_RULE
from job_orchestra.domain.roles import Role
from job_orchestra.domain.users import TokenKind, User
from job_orchestra.repositories.conditions import Contended, equal, find_one
from job_orchestra.repositories.paging import LIMIT, Listed, list_page
from job_orchestra.repositories.passwords import PasswordHasher
from job_orchestra.repositories.rows.columns import text
from job_orchestra.repositories.rows.users import user_from_row, user_to_row
from job_orchestra.storage.port import Batch, Delete, Find, Insert, Order, Row, Storage, Update
from job_orchestra.storage.schema import TOKENS, USERS, WORKERS

SERVICE_USER = "service"
"""Whose the control tokens are; nobody else's name."""
LONGEST_DISPLAY_NAME = 200


class Users:
    def __init__(self, storage: Storage, clock: Clock, hasher: PasswordHasher) -> None:
        self._storage = storage
        self._clock = clock
        self._hasher = hasher

    async def create(
        self, identifier: str, roles: tuple[Role, ...] = (), display_name: str = "", password: str | None = None
    ) -> User:
        """Without a password it is a service user, who has tokens only. Invalid, or Conflict if the name is taken."""
        mistakes = [*_identifier_mistakes(identifier), *_display_name_mistakes(display_name)]
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
        """What is None stays as it is."""
        found = await self.get(user)
        changed = replace(
            found,
            display_name=found.display_name if display_name is None else display_name,
            roles=found.roles if roles is None else tuple(dict.fromkeys(roles)),
        )
        mistakes = _display_name_mistakes(changed.display_name)
        if mistakes:
            raise Invalid(mistakes)
        row = user_to_row(changed)
        changes: Row = {column: row[column] for column in ("display_name", "roles")}
        return await self._set(user, changes)

    async def set_enabled(self, user: str, is_enabled: bool) -> User:
        return await self._set(user, {"is_enabled": is_enabled})

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
        if found.is_enabled:
            raise Conflict(f"User {user!r} is enabled; disable it first.")
        owned = await find_one(self._storage, Find(WORKERS.name, (equal("owner", user),), (Order("identifier"),)))
        if owned is not None:
            raise Conflict(f"User {user!r} owns worker {text(owned, 'identifier')!r}; delete that first.")
        where = (equal("identifier", user), equal("is_enabled", False))
        outcome = await self._storage.write(
            Batch((Delete(TOKENS.name, (equal("user", user),)), Delete(USERS.name, where)))
        )
        if outcome.rows[-1] == 0:
            raise Contended(f"User {user!r}")

    async def _set(self, user: str, changes: Row) -> User:
        await self._storage.write(Batch((Update(USERS.name, (equal("identifier", user),), changes, optional=True),)))
        return await self.get(user)


def _identifier_mistakes(identifier: str) -> list[Mistake]:
    if not USER_NAME.fullmatch(identifier):
        return [Mistake("identifier", f"{identifier!r} is no user's name: {USER_NAME_RULE}")]
    if identifier == SERVICE_USER:
        return [Mistake("identifier", f"{identifier!r} is what services call themselves; take another name")]
    return []


def _display_name_mistakes(display_name: str) -> list[Mistake]:
    if len(display_name) > LONGEST_DISPLAY_NAME or not display_name.isprintable():
        return [Mistake("display_name", f"takes at most {LONGEST_DISPLAY_NAME} printable characters")]
    return []
